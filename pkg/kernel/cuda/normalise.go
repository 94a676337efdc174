//go:build mmcuda && cgo && linux

package cuda

import "mmtools/pkg/kernel"

// extent gives feature maps to a kernel: images, channels, pixels.
func extent(n int, i kernel.Image) []uint64 { return []uint64{num(n), num(i.C), num(i.H * i.W)} }

// BatchNorm normalises by the minibatch's statistics, which it keeps; it moves the running ones.
func (d *Device) BatchNorm(y, x, residual kernel.Buffer, p kernel.Norm, n int, i kernel.Image, s kernel.NormStep, relu bool) {
	size, c := n*i.Size(), i.C
	d.launchBlocks("mm_batch_norm_stats", grid{c, 1, 1}, wide, parameters([]uint64{ptr(p.Mean, c), ptr(p.InvStd, c), ptr(p.RunningMean, c), ptr(p.RunningVar, c), ptr(x, size)},
		extent(n, i), []uint64{real(float64(s.Momentum)), real(float64(s.Epsilon))})...)
	d.launch("mm_batch_norm", elements(size), parameters([]uint64{ptr(y, size), ptr(x, size), optional(residual, size),
		ptr(p.Gamma, c), ptr(p.Beta, c), ptr(p.Mean, c), ptr(p.InvStd, c)}, extent(n, i), []uint64{flag(relu)})...)
}

// BatchNormGrad writes the gradients of x, gamma, beta and the residual.
func (d *Device) BatchNormGrad(dx, dresidual, dgamma, dbeta, dy, x, y kernel.Buffer, p kernel.Norm, n int, i kernel.Image, relu bool) {
	size, c := n*i.Size(), i.C
	var result uint64 // without a residual x tells what y would
	if relu && dresidual != nil {
		result = ptr(y, size)
	}
	d.launchBlocks("mm_batch_norm_grad_sums", grid{c, 1, 1}, wide, parameters([]uint64{ptr(dgamma, c), ptr(dbeta, c), ptr(dy, size), ptr(x, size), result,
		ptr(p.Gamma, c), ptr(p.Beta, c), ptr(p.Mean, c), ptr(p.InvStd, c)}, extent(n, i), []uint64{flag(relu)})...)
	d.launch("mm_batch_norm_grad", elements(size), parameters([]uint64{ptr(dx, size), optional(dresidual, size), ptr(dgamma, c), ptr(dbeta, c), ptr(dy, size),
		ptr(x, size), result, ptr(p.Gamma, c), ptr(p.Beta, c), ptr(p.Mean, c), ptr(p.InvStd, c)}, extent(n, i), []uint64{flag(relu)})...)
}

// FoldNorm writes an evaluation's batch normalisation as scale and shift.
func (d *Device) FoldNorm(scale, shift kernel.Buffer, p kernel.Norm, c int, s kernel.NormStep) {
	d.launch("mm_fold_norm", elements(c), ptr(scale, c), ptr(shift, c), ptr(p.Gamma, c), ptr(p.Beta, c), ptr(p.RunningMean, c), ptr(p.RunningVar, c),
		num(c), real(float64(s.Epsilon)))
}

// Affine writes y = scale_c x + shift_c + residual, and max(0, y) where relu is set.
func (d *Device) Affine(y, x, scale, shift, residual kernel.Buffer, n int, i kernel.Image, relu bool) {
	size := n * i.Size()
	d.launch("mm_affine", elements(size), parameters([]uint64{ptr(y, size), ptr(x, size), ptr(scale, i.C), ptr(shift, i.C), optional(residual, size)},
		extent(n, i), []uint64{flag(relu)})...)
}

// window gives a pooling to a kernel.
func window(p kernel.Pool) []uint64 {
	return []uint64{num(p.In.C), num(p.In.H), num(p.In.W), num(p.KH), num(p.KW), num(p.StrideH), num(p.StrideW), num(p.PadH), num(p.PadW)}
}

// MaxPool writes the maximum of each window and its place in it, a byte each.
func (d *Device) MaxPool(y, index, x kernel.Buffer, n int, p kernel.Pool) {
	size := n * p.Out().Size()
	d.launch("mm_max_pool", elements(size), parameters([]uint64{ptr(y, size), ptr(index, p.Indices(n)), ptr(x, n*p.In.Size()), num(n)}, window(p))...)
}

// MaxPoolGrad writes the gradient of x: each input gathers what was taken from it.
func (d *Device) MaxPoolGrad(dx, dy, index kernel.Buffer, n int, p kernel.Pool) {
	size := n * p.In.Size()
	d.launch("mm_max_pool_grad", elements(size), parameters([]uint64{ptr(dx, size), ptr(dy, n*p.Out().Size()), ptr(index, p.Indices(n)), num(n)}, window(p))...)
}

// AveragePool writes the mean over the pixels of frames images each; a warp a channel of a row.
func (d *Device) AveragePool(y, x kernel.Buffer, n, frames int, i kernel.Image) {
	d.launch("mm_average_pool", grid{ceil(n*i.C, 8), 1, 1}, ptr(y, n*i.C), ptr(x, n*frames*i.Size()), num(n), num(frames), num(i.C), num(i.H*i.W))
}

// AveragePoolGrad writes the gradient of x.
func (d *Device) AveragePoolGrad(dx, dy kernel.Buffer, n, frames int, i kernel.Image) {
	size := n * frames * i.Size()
	d.launch("mm_average_pool_grad", elements(size), ptr(dx, size), ptr(dy, n*i.C), num(n), num(frames), num(i.C), num(i.H*i.W))
}
