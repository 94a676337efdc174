//go:build cuda

package cuda

// The tag cuda switches on Gorgonia's CUDA code, which needs cuDNN 7 and stops at a header: this line says why (docs/adr/0008).
var _ int = "the build tag of this project is mmcuda, not cuda: make cuda (docs/gpu.md)"
