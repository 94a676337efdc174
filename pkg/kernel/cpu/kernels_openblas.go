//go:build openblas && cgo && linux

package cpu

/*
#cgo noescape mm_linear
#cgo nocallback mm_linear
#cgo noescape mm_linear_grad_weight
#cgo nocallback mm_linear_grad_weight
#cgo noescape mm_linear_grad_input
#cgo nocallback mm_linear_grad_input
#cgo noescape mm_round
#cgo nocallback mm_round
#cgo noescape mm_sum_rows
#cgo nocallback mm_sum_rows
#cgo noescape mm_relu_grad
#cgo nocallback mm_relu_grad
#cgo noescape mm_standardize
#cgo nocallback mm_standardize
#cgo noescape mm_add
#cgo nocallback mm_add
#cgo noescape mm_copy
#cgo nocallback mm_copy
#cgo noescape mm_masked_concat
#cgo nocallback mm_masked_concat
#cgo noescape mm_masked_sum
#cgo nocallback mm_masked_sum
#cgo noescape mm_masked_slice
#cgo nocallback mm_masked_slice
#cgo noescape mm_cross_entropy
#cgo nocallback mm_cross_entropy
#cgo noescape mm_cross_entropy_grad
#cgo nocallback mm_cross_entropy_grad
#cgo noescape mm_clip_scale
#cgo nocallback mm_clip_scale
#cgo noescape mm_adam
#cgo nocallback mm_adam
#cgo noescape mm_sgd
#cgo nocallback mm_sgd
#include "device.h"
*/
import "C"

import (
	"fmt"

	"mmtools/pkg/kernel"
)

// Linear writes y = x wᵀ + b, and max(0, y) where relu is set, which keeps a NaN. x (M,K), w (N,K), b (N), y (M,N). b may be
// nil where relu is not set.
func (d *Device) Linear(y, x, w, b kernel.Buffer, m, n, k int, relu bool) {
	x, w = d.factor(0, x, m*k), d.factor(1, w, n*k)
	C.mm_linear(d.c, at(y, m*n), at(x, m*k), at(w, n*k), optional(b, n), size(m), size(n), size(k), flag(relu))
}

// LinearGradWeight writes dw = dyᵀ x. dy (M,N), x (M,K), dw (N,K).
func (d *Device) LinearGradWeight(dw, dy, x kernel.Buffer, m, n, k int) {
	dy, x = d.factor(0, dy, m*n), d.factor(1, x, m*k)
	C.mm_linear_grad_weight(d.c, at(dw, n*k), at(dy, m*n), at(x, m*k), size(m), size(n), size(k))
}

// LinearGradInput writes dx = dy w. dy (M,N), w (N,K), dx (M,K).
func (d *Device) LinearGradInput(dx, dy, w kernel.Buffer, m, n, k int) {
	dy, w = d.factor(0, dy, m*n), d.factor(1, w, n*k)
	C.mm_linear_grad_input(d.c, at(dx, m*k), at(dy, m*n), at(w, n*k), size(m), size(n), size(k))
}

// round writes n elements of x, rounded to bfloat16, to y.
func (d *Device) round(y, x kernel.Buffer, n int) { C.mm_round(d.c, at(y, n), at(x, n), size(n)) }

// SumRows writes the column sums of x, (M,N), to y, (N), in row order and float64.
func (d *Device) SumRows(y, x kernel.Buffer, m, n int) {
	C.mm_sum_rows(d.c, at(y, n), at(x, m*n), size(m), size(n))
}

// ReLUGrad writes dx = dy where y > 0, else 0; dx may be dy.
func (d *Device) ReLUGrad(dx, dy, y kernel.Buffer, n int) {
	C.mm_relu_grad(d.c, at(dx, n), at(dy, n), at(y, n), size(n))
}

// Standardize writes y = (x - mean) * scale. x, y (M,N,pixels); mean, scale (N), each for its pixels; y may be x.
func (d *Device) Standardize(y, x, mean, scale kernel.Buffer, m, n, pixels int) {
	if pixels > 1 {
		standardizePixels(values(y), values(x), values(mean)[:n], values(scale), m, pixels)
		return
	}
	C.mm_standardize(d.c, at(y, m*n), at(x, m*n), at(mean, n), at(scale, n), size(m), size(n))
}

// Add writes y = a + b; y may be a or b.
func (d *Device) Add(y, a, b kernel.Buffer, n int) {
	C.mm_add(d.c, at(y, n), at(a, n), at(b, n), size(n))
}

// MaskedConcat writes y = [keep_0 x_0, keep_1 x_1, ...]. x[p] (M,widths[p]), keep (M,P), y (M, sum of widths).
func (d *Device) MaskedConcat(y kernel.Buffer, x []kernel.Buffer, widths []int, keep kernel.Buffer, m int) {
	total := 0
	for p, width := range widths {
		d.view(p, x[p], m, width)
		total += width
	}
	C.mm_masked_concat(d.c, at(y, m*total), at(keep, m*len(x)), size(m), size(len(x)))
}

// MaskedSum writes y = sum over p of keep_p x_p. x[p] and y (M,N), keep (M,P).
func (d *Device) MaskedSum(y kernel.Buffer, x []kernel.Buffer, keep kernel.Buffer, m, n int) {
	for p, b := range x {
		d.view(p, b, m, n)
	}
	C.mm_masked_sum(d.c, at(y, m*n), at(keep, m*len(x)), size(m), size(n), size(len(x)))
}

// view sets modality p's feature, (M,width), in C memory: a list of pointers may not be passed from Go's.
func (d *Device) view(p int, x kernel.Buffer, m, width int) {
	if p >= len(d.c.views) {
		panic(fmt.Sprintf("cpu: more than %d modalities", len(d.c.views)))
	}
	d.c.views[p] = at(x, m*width)
	d.c.widths[p] = size(width)
}

// MaskedSlice writes dx = keep_p dy[:, from:from+n], and 0 where y is not above 0. dy (M,total), dx (M,n), keep (M,players), y (M,n) or nil.
func (d *Device) MaskedSlice(dx, dy, keep, y kernel.Buffer, m, total, from, n, p, players int) {
	C.mm_masked_slice(d.c, at(dx, m*n), at(dy, m*total), at(keep, m*players), optional(y, m*n), size(m), size(total), size(from), size(n), size(p),
		size(players))
}

// SoftmaxCrossEntropy writes the loss to loss[0], NaN where a label is no class. logits (M,C), label (M), weight (M).
func (d *Device) SoftmaxCrossEntropy(loss, logits, label, weight kernel.Buffer, m, c int) {
	C.mm_cross_entropy(d.c, at(loss, 1), at(logits, m*c), at(label, m), at(weight, m), size(m), size(c))
}

// SoftmaxCrossEntropyGrad writes the loss's gradient times upstream[0] to dlogits, which may be logits.
func (d *Device) SoftmaxCrossEntropyGrad(dlogits, logits, label, weight, upstream kernel.Buffer, m, c int) {
	C.mm_cross_entropy_grad(d.c, at(dlogits, m*c), at(logits, m*c), at(label, m), at(weight, m), at(upstream, 1), size(m), size(c))
}

// ClipScale writes min(1, maxNorm / (‖g‖ + 1e-6)) to scale[0].
func (d *Device) ClipScale(scale, g kernel.Buffer, n int, maxNorm float32) {
	C.mm_clip_scale(d.c, at(scale, 1), at(g, n), size(n), C.float(maxNorm))
}

// Adam takes one step of Adam or AdamW on n parameters; scale may be nil.
func (d *Device) Adam(p, g, m, v, scale, rates kernel.Buffer, n int, o kernel.Adam) {
	s := newAdamScalars(o, host(rates, kernel.RateCount))
	C.mm_adam(d.c, at(p, n), at(g, n), at(m, n), at(v, n), optional(scale, 1), size(n), C.mm_adam_step{
		shrink: C.float(s.shrink), decay: C.float(s.decay), beta1: C.float(s.beta1), rest1: C.float(s.rest1),
		beta2: C.float(s.beta2), rest2: C.float(s.rest2), correction: C.float(s.correction), epsilon: C.float(s.epsilon),
		step: C.float(s.step),
	})
}

// SGD takes one step of SGD on n parameters; buf may be nil where Momentum is 0, and scale always.
func (d *Device) SGD(p, g, buf, scale, rates kernel.Buffer, n int, o kernel.SGD) {
	if o.Momentum == 0 {
		buf = nil
	}
	s := newSGDScalars(o, host(rates, kernel.RateCount))
	C.mm_sgd(d.c, at(p, n), at(g, n), optional(buf, n), optional(scale, 1), size(n), C.mm_sgd_step{
		lr: C.float(s.lr), keep: C.float(s.keep), decay: C.float(s.decay),
	})
}

func size(n int) C.size_t { return C.size_t(n) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
