//go:build mmcuda && cgo && linux

package cuda

import "mmtools/pkg/kernel"

// SoftmaxCrossEntropy writes the loss to loss[0]; a warp a row, and a block that adds them up.
func (d *Device) SoftmaxCrossEntropy(loss, logits, label, weight kernel.Buffer, m, c int) {
	losses := ptr(d.scratch, 2*m)
	d.launch("mm_cross_entropies", grid{ceil(m, 8), 1, 1}, losses, ptr(logits, m*c), ptr(label, m), ptr(weight, m), num(m), num(c))
	d.launch("mm_mean_loss", grid{1, 1, 1}, ptr(loss, 1), losses, num(m))
}

// SoftmaxCrossEntropyGrad writes the gradient of the logits; a warp a row.
func (d *Device) SoftmaxCrossEntropyGrad(dlogits, logits, label, weight, upstream kernel.Buffer, m, c int) {
	d.launch("mm_softmax_cross_entropy_grad", grid{ceil(m, 8), 1, 1}, ptr(dlogits, m*c), ptr(logits, m*c), ptr(label, m), ptr(weight, m),
		ptr(upstream, 1), num(m), num(c))
}

// squareParts is the number of blocks that a norm is summed by: the order of summation does not depend on the card.
const squareParts = 256

// ClipScale writes min(1, maxNorm / (‖g‖ + 1e-6)) to scale[0].
func (d *Device) ClipScale(scale, g kernel.Buffer, n int, maxNorm float32) {
	partial := ptr(d.scratch, 2*squareParts)
	d.launch("mm_square_sums", grid{squareParts, 1, 1}, partial, ptr(g, n), num(n))
	d.launch("mm_clip_scale", grid{1, 1, 1}, ptr(scale, 1), partial, num(squareParts), real(float64(maxNorm)))
}

// Adam takes one step of Adam or AdamW.
func (d *Device) Adam(p, g, m, v, scale, rates kernel.Buffer, n int, o kernel.Adam) {
	d.launch("mm_adam", elements(n), ptr(p, n), ptr(g, n), ptr(m, n), ptr(v, n), optional(scale, 1), ptr(rates, kernel.RateCount), num(n),
		real(o.Beta1), real(o.Beta2), real(o.Epsilon), real(o.WeightDecay), flag(o.Decoupled))
}

// SGD takes one step of SGD with momentum.
func (d *Device) SGD(p, g, buf, scale, rates kernel.Buffer, n int, o kernel.SGD) {
	if o.Momentum == 0 {
		buf = nil
	}
	d.launch("mm_sgd", elements(n), ptr(p, n), ptr(g, n), optional(buf, n), optional(scale, 1), ptr(rates, kernel.RateCount), num(n),
		real(o.WeightDecay))
}
