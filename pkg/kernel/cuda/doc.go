// Package cuda is the kernel.Device of an NVIDIA card.
//
// It is built with -tags mmcuda (make cuda), through gorgonia.org/cu, and needs no CUDA toolkit for that. At run time it needs
// the driver, libcuda.so.1, and uses cuBLAS and cuDNN where they are. The kernels are CUDA C (src), compiled to PTX by make ptx
// and embedded. Without the tag, and without a card, New says so in an error.
package cuda
