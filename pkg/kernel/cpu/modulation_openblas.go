//go:build openblas && cgo && linux

package cpu

/*
#cgo noescape mm_mul
#cgo nocallback mm_mul
#cgo noescape mm_scale
#cgo nocallback mm_scale
#cgo noescape mm_tanh
#cgo nocallback mm_tanh
#cgo noescape mm_tanh_grad
#cgo nocallback mm_tanh_grad
#cgo noescape mm_sigmoid
#cgo nocallback mm_sigmoid
#cgo noescape mm_sigmoid_grad
#cgo nocallback mm_sigmoid_grad
#cgo noescape mm_modulate
#cgo nocallback mm_modulate
#cgo noescape mm_modulate_grad_input
#cgo nocallback mm_modulate_grad_input
#cgo noescape mm_modulate_grad_modulator
#cgo nocallback mm_modulate_grad_modulator
#cgo noescape mm_attend
#cgo nocallback mm_attend
#cgo noescape mm_attend_grad
#cgo nocallback mm_attend_grad
#cgo noescape mm_masked_mean
#cgo nocallback mm_masked_mean
#cgo noescape mm_masked_mean_grad
#cgo nocallback mm_masked_mean_grad
#include "device.h"
*/
import "C"

import "mmtools/pkg/kernel"

// Mul writes y = a * b over n elements; y may be a or b.
func (d *Device) Mul(y, a, b kernel.Buffer, n int) {
	C.mm_mul(d.c, at(y, n), at(a, n), at(b, n), size(n))
}

// Scale writes y = factor * x over n elements; y may be x.
func (d *Device) Scale(y, x kernel.Buffer, n int, factor float32) {
	C.mm_scale(d.c, at(y, n), at(x, n), size(n), C.float(factor))
}

// Tanh writes y = tanh(x) over n elements; y may be x.
func (d *Device) Tanh(y, x kernel.Buffer, n int) { C.mm_tanh(d.c, at(y, n), at(x, n), size(n)) }

// TanhGrad writes dx = dy (1 - y²) over n elements; dx may be dy.
func (d *Device) TanhGrad(dx, dy, y kernel.Buffer, n int) {
	C.mm_tanh_grad(d.c, at(dx, n), at(dy, n), at(y, n), size(n))
}

// Sigmoid writes y = 1 / (1 + exp(-x)) over n elements; y may be x.
func (d *Device) Sigmoid(y, x kernel.Buffer, n int) { C.mm_sigmoid(d.c, at(y, n), at(x, n), size(n)) }

// SigmoidGrad writes dx = dy y (1 - y) over n elements; dx may be dy.
func (d *Device) SigmoidGrad(dx, dy, y kernel.Buffer, n int) {
	C.mm_sigmoid_grad(d.c, at(dx, n), at(dy, n), at(y, n), size(n))
}

// Modulate writes y = gamma * x + beta. modulator (M,2N), x and y (M,N); y may be x.
func (d *Device) Modulate(y, modulator, x kernel.Buffer, m, n int) {
	C.mm_modulate(d.c, at(y, m*n), at(modulator, 2*m*n), at(x, m*n), size(m), size(n))
}

// ModulateGradInput writes dx = dy * gamma. dy and dx (M,N), modulator (M,2N); dx may be dy.
func (d *Device) ModulateGradInput(dx, dy, modulator kernel.Buffer, m, n int) {
	C.mm_modulate_grad_input(d.c, at(dx, m*n), at(dy, m*n), at(modulator, 2*m*n), size(m), size(n))
}

// ModulateGradModulator writes [dy * x, dy]. dy and x (M,N), dmodulator (M,2N).
func (d *Device) ModulateGradModulator(dmodulator, dy, x kernel.Buffer, m, n int) {
	C.mm_modulate_grad_modulator(d.c, at(dmodulator, 2*m*n), at(dy, m*n), at(x, m*n), size(m), size(n))
}

// Attend writes attention among the present tokens. qkv (M,T,3,Width), keep (M,T), y (M,T,Width).
func (d *Device) Attend(y, qkv, keep kernel.Buffer, m int, a kernel.Attention) {
	n := m * a.Tokens * a.Width
	C.mm_attend(d.c, at(y, n), at(qkv, 3*n), at(keep, m*a.Tokens), size(m), size(a.Tokens), size(a.Heads), size(a.Width))
}

// AttendGrad writes the gradient of qkv. dy (M,T,Width), qkv and dqkv (M,T,3,Width), keep (M,T).
func (d *Device) AttendGrad(dqkv, dy, qkv, keep kernel.Buffer, m int, a kernel.Attention) {
	n := m * a.Tokens * a.Width
	C.mm_attend_grad(d.c, at(dqkv, 3*n), at(dy, n), at(qkv, 3*n), at(keep, m*a.Tokens), size(m), size(a.Tokens), size(a.Heads),
		size(a.Width))
}

// MaskedMean writes the mean over the present tokens of each row, zeros where there is none. x (M,T,N), y (M,N).
func (d *Device) MaskedMean(y, x, keep kernel.Buffer, m, tokens, n int) {
	C.mm_masked_mean(d.c, at(y, m*n), at(x, m*tokens*n), at(keep, m*tokens), size(m), size(tokens), size(n))
}

// MaskedMeanGrad writes the gradient of x. dy (M,N), dx (M,T,N).
func (d *Device) MaskedMeanGrad(dx, dy, keep kernel.Buffer, m, tokens, n int) {
	C.mm_masked_mean_grad(d.c, at(dx, m*tokens*n), at(dy, m*n), at(keep, m*tokens), size(m), size(tokens), size(n))
}
