//go:build mmcuda && cgo && linux

package cuda

import "mmtools/pkg/kernel"

// extent gives feature maps to a kernel: images, channels, pixels.
func extent(n int, i kernel.Image) []uint64 { return []uint64{num(n), num(i.C), num(i.H * i.W)} }

// BatchNorm normalises by the minibatch's statistics, which it keeps; it moves the running ones.
func (d *Device) BatchNorm(y, x, residual kernel.Buffer, p kernel.Norm, n int, i kernel.Image, s kernel.NormStep, relu bool) {
	size, c := n*i.Size(), i.C
	if d.isLast(i) {
		d.batchNormLast(y, x, residual, p, n, i, s, relu)
		return
	}
	d.launchBlocks("mm_batch_norm_stats", grid{c, 1, 1}, wide, parameters([]uint64{ptr(p.Mean, c), ptr(p.InvStd, c), ptr(p.RunningMean, c), ptr(p.RunningVar, c), ptr(x, size)},
		extent(n, i), []uint64{real(float64(s.Momentum)), real(float64(s.Epsilon))})...)
	d.launch("mm_batch_norm", elements(size), parameters([]uint64{ptr(y, size), ptr(x, size), optional(residual, size),
		ptr(p.Gamma, c), ptr(p.Beta, c), ptr(p.Mean, c), ptr(p.InvStd, c)}, extent(n, i), []uint64{flag(relu)})...)
}

// BatchNormGrad writes the gradients of x, gamma, beta and the residual.
func (d *Device) BatchNormGrad(dx, dresidual, dgamma, dbeta, dy, x, y kernel.Buffer, p kernel.Norm, n int, i kernel.Image, relu bool) {
	size, c := n*i.Size(), i.C
	if d.isLast(i) {
		d.batchNormGradLast(dx, dresidual, dgamma, dbeta, dy, x, y, p, n, i, relu)
		return
	}
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
	if d.isLast(i) {
		d.affineLast(y, x, scale, shift, residual, n, i, relu)
		return
	}
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
	if d.isLast(p.In) {
		d.launch(d.kept("mm_last_max_pool"), elements(size/d.across()),
			parameters([]uint64{d.maps(y, n, p.Out()), ptr(index, p.Indices(n)), d.maps(x, n, p.In), num(n)}, window(p))...)
		return
	}
	d.launch("mm_max_pool", elements(size), parameters([]uint64{ptr(y, size), ptr(index, p.Indices(n)), ptr(x, n*p.In.Size()), num(n)}, window(p))...)
}

// MaxPoolGrad writes the gradient of x: each input gathers what was taken from it.
func (d *Device) MaxPoolGrad(dx, dy, index kernel.Buffer, n int, p kernel.Pool) {
	size := n * p.In.Size()
	if d.isLast(p.In) {
		d.launch(d.kept("mm_last_max_pool_grad"), elements(size/d.across()),
			parameters([]uint64{d.maps(dx, n, p.In), d.maps(dy, n, p.Out()), ptr(index, p.Indices(n)), num(n)}, window(p))...)
		return
	}
	d.launch("mm_max_pool_grad", elements(size), parameters([]uint64{ptr(dx, size), ptr(dy, n*p.Out().Size()), ptr(index, p.Indices(n)), num(n)}, window(p))...)
}

// AveragePool writes the mean over the pixels of frames images each; a warp a channel of a row.
func (d *Device) AveragePool(y, x kernel.Buffer, n, frames int, i kernel.Image) {
	if d.isLast(i) {
		groups := ceil(i.C/d.across(), 32)
		d.launch(d.kept("mm_last_average_pool"), grid{min(n*groups, 1<<16), 1, 1}, ptr(y, n*i.C), d.maps(x, n*frames, i), num(n), num(frames*i.H*i.W), num(i.C))
		return
	}
	d.launch("mm_average_pool", grid{ceil(n*i.C, 8), 1, 1}, ptr(y, n*i.C), ptr(x, n*frames*i.Size()), num(n), num(frames), num(i.C), num(i.H*i.W))
}

// AveragePoolGrad writes the gradient of x.
func (d *Device) AveragePoolGrad(dx, dy kernel.Buffer, n, frames int, i kernel.Image) {
	size := n * frames * i.Size()
	if d.isLast(i) {
		d.launch(d.kept("mm_last_average_pool_grad"), elements(size/d.across()), d.maps(dx, n*frames, i), ptr(dy, n*i.C), num(n), num(frames*i.H*i.W), num(i.C))
		return
	}
	d.launch("mm_average_pool_grad", elements(size), ptr(dx, size), ptr(dy, n*i.C), num(n), num(frames), num(i.C), num(i.H*i.W))
}

// The same channels last. Sums of a channel are taken by runs of rows, of pixels of all images, in two kernels.

func (d *Device) batchNormLast(y, x, residual kernel.Buffer, p kernel.Norm, n int, i kernel.Image, s kernel.NormStep, relu bool) {
	c, rows := i.C, n*i.H*i.W
	runs, g := sumStrips(rows, c, d.across())
	partial := ptr(d.scratch, 2*(2*c*runs+c))
	d.launch(d.kept("mm_last_statistics"), g, partial, d.maps(x, n, i), num(rows), num(c), num(runs))
	d.launch("mm_last_keep_statistics", grid{ceil(c, 8), 1, 1}, ptr(p.Mean, c), ptr(p.InvStd, c), ptr(p.RunningMean, c), ptr(p.RunningVar, c), partial,
		num(rows), num(c), num(runs), real(float64(s.Momentum)), real(float64(s.Epsilon)))
	runs, g = strips(rows, c, d.across(), 8)
	d.launch(d.kept("mm_last_batch_norm"), g, d.maps(y, n, i), d.maps(x, n, i), d.optionalMaps(residual, n, i),
		ptr(p.Gamma, c), ptr(p.Beta, c), ptr(p.Mean, c), ptr(p.InvStd, c), num(rows), num(c), num(runs), flag(relu))
}

func (d *Device) batchNormGradLast(dx, dresidual, dgamma, dbeta, dy, x, y kernel.Buffer, p kernel.Norm, n int, i kernel.Image, relu bool) {
	c, rows := i.C, n*i.H*i.W
	var result uint64 // as in BatchNormGrad
	if relu && dresidual != nil {
		result = d.maps(y, n, i)
	}
	given := []uint64{d.maps(dy, n, i), d.maps(x, n, i), result, ptr(p.Gamma, c), ptr(p.Beta, c), ptr(p.Mean, c), ptr(p.InvStd, c), num(rows), num(c)}
	runs, g := sumStrips(rows, c, 4)
	partial := ptr(d.scratch, 2*(2*c*runs+c))
	d.launch(d.kept("mm_last_grad_sums"), g, parameters([]uint64{partial}, given, []uint64{num(runs), flag(relu)})...)
	d.launch("mm_last_keep_grad_sums", grid{ceil(c, 8), 1, 1}, ptr(dgamma, c), ptr(dbeta, c), partial, ptr(p.InvStd, c), num(c), num(runs))
	runs, g = strips(rows, c, 4, 8)
	d.launch(d.kept("mm_last_batch_norm_grad"), g, parameters([]uint64{d.maps(dx, n, i), d.optionalMaps(dresidual, n, i), ptr(dgamma, c), ptr(dbeta, c)},
		given, []uint64{num(runs), flag(relu)})...)
}

func (d *Device) affineLast(y, x, scale, shift, residual kernel.Buffer, n int, i kernel.Image, relu bool) {
	rows := n * i.H * i.W
	runs, g := strips(rows, i.C, d.across(), 8)
	d.launch(d.kept("mm_last_affine"), g, d.maps(y, n, i), d.maps(x, n, i), ptr(scale, i.C), ptr(shift, i.C), d.optionalMaps(residual, n, i),
		num(rows), num(i.C), num(runs), flag(relu))
}
