//go:build mmcuda && cgo && linux

package cuda

import "mmtools/pkg/kernel"

// concatParts is the modalities that mm_masked_concat takes in a launch.
const concatParts = 4

// MaskedConcat writes y = [keep_0 x_0, keep_1 x_1, ...], a launch for every concatParts modalities.
func (d *Device) MaskedConcat(y kernel.Buffer, x []kernel.Buffer, widths []int, keep kernel.Buffer, m int) {
	total := 0
	for _, n := range widths {
		total += n
	}
	from, widest := 0, 0
	var parts []uint64
	for p, n := range widths {
		if n > 0 {
			parts = append(parts, ptr(x[p], m*n), num(from), num(n), num(p))
			from, widest = from+n, max(widest, n)
		}
		if count := len(parts) / 4; count == concatParts || count > 0 && p+1 == len(widths) {
			parts = append(parts, make([]uint64, 4*(concatParts-count))...)
			g := elements(m * widest)
			d.launch("mm_masked_concat", grid{g.x, count, 1}, parameters([]uint64{ptr(y, m*total), ptr(keep, m*len(x)), num(m), num(total), num(len(x))}, parts)...)
			parts, widest = nil, 0
		}
	}
}

// MaskedSum writes y = sum over p of keep_p x_p, a launch a modality, in their order.
func (d *Device) MaskedSum(y kernel.Buffer, x []kernel.Buffer, keep kernel.Buffer, m, n int) {
	for p := range x {
		d.launch("mm_masked_sum_part", elements(m*n), ptr(y, m*n), ptr(x[p], m*n), ptr(keep, m*len(x)),
			num(m), num(n), num(p), num(len(x)), flag(p == 0))
	}
}

// MaskedSlice writes dx = keep_p dy[:, from:from+n], and 0 where y is not above 0.
func (d *Device) MaskedSlice(dx, dy, keep, y kernel.Buffer, m, total, from, n, p, players int) {
	d.launch("mm_masked_slice", elements(m*n), ptr(dx, m*n), ptr(dy, m*total), ptr(keep, m*players), optional(y, m*n),
		num(m), num(total), num(from), num(n), num(p), num(players))
}

// Modulate writes y = gamma * x + beta.
func (d *Device) Modulate(y, modulator, x kernel.Buffer, m, n int) {
	d.launch("mm_modulate", elements(m*n), ptr(y, m*n), ptr(modulator, 2*m*n), ptr(x, m*n), num(m), num(n))
}

// ModulateGradInput writes dx = dy * gamma.
func (d *Device) ModulateGradInput(dx, dy, modulator kernel.Buffer, m, n int) {
	d.launch("mm_modulate_grad_input", elements(m*n), ptr(dx, m*n), ptr(dy, m*n), ptr(modulator, 2*m*n), num(m), num(n))
}

// ModulateGradModulator writes [dy * x, dy].
func (d *Device) ModulateGradModulator(dmodulator, dy, x kernel.Buffer, m, n int) {
	d.launch("mm_modulate_grad_modulator", elements(m*n), ptr(dmodulator, 2*m*n), ptr(dy, m*n), ptr(x, m*n), num(m), num(n))
}

// Attend writes scaled dot-product attention among the present tokens of each row; a block a row and head.
func (d *Device) Attend(y, qkv, keep kernel.Buffer, m int, a kernel.Attention) {
	size := m * a.Tokens * a.Width
	d.launch("mm_attend", grid{m * a.Heads, 1, 1}, ptr(y, size), ptr(qkv, 3*size), ptr(keep, m*a.Tokens),
		num(m), num(a.Tokens), num(a.Heads), num(a.Width))
}

// AttendGrad writes the gradient of qkv.
func (d *Device) AttendGrad(dqkv, dy, qkv, keep kernel.Buffer, m int, a kernel.Attention) {
	size := m * a.Tokens * a.Width
	d.launch("mm_attend_grad", grid{m * a.Heads, 1, 1}, ptr(dqkv, 3*size), ptr(dy, size), ptr(qkv, 3*size), ptr(keep, m*a.Tokens),
		num(m), num(a.Tokens), num(a.Heads), num(a.Width))
}

// MaskedMean writes the mean over the present tokens of each row.
func (d *Device) MaskedMean(y, x, keep kernel.Buffer, m, tokens, n int) {
	d.launch("mm_masked_mean", elements(m*n), ptr(y, m*n), ptr(x, m*tokens*n), ptr(keep, m*tokens), num(m), num(tokens), num(n))
}

// MaskedMeanGrad writes the gradient of x.
func (d *Device) MaskedMeanGrad(dx, dy, keep kernel.Buffer, m, tokens, n int) {
	d.launch("mm_masked_mean_grad", elements(m*tokens*n), ptr(dx, m*tokens*n), ptr(dy, m*n), ptr(keep, m*tokens), num(m), num(tokens), num(n))
}
