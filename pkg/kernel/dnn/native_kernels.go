//go:build dnnl && cgo && linux

package dnn

/*
#include "native.h"
*/
import "C"

import "mmtools/pkg/kernel"

// BatchNorm is kernel.Convolution's.
func (e *native) BatchNorm(y, x, residual []float32, p Norm, n int, i kernel.Image, s kernel.NormStep, relu bool) {
	if !i.Blocked() {
		e.Plain.BatchNorm(y, x, residual, p, n, i, s, relu)
		return
	}
	if C.dn_batch_norm(e.c, mapsAt(y), mapsAt(x), mapsAt(residual), pointer(p.Gamma), pointer(p.Beta), pointer(p.Mean), pointer(p.InvStd),
		pointer(p.RunningMean), pointer(p.RunningVar), C.size_t(n), C.size_t(i.C), C.size_t(i.H*i.W), C.float(s.Momentum), C.float(s.Epsilon),
		flag(relu)) != 0 {
		panic("dnn: no memory for the sums of a batch normalisation")
	}
}

// BatchNormGrad is kernel.Convolution's.
func (e *native) BatchNormGrad(dx, dresidual, dgamma, dbeta, dy, x, y []float32, p Norm, n int, i kernel.Image, relu bool) {
	if !i.Blocked() {
		e.Plain.BatchNormGrad(dx, dresidual, dgamma, dbeta, dy, x, y, p, n, i, relu)
		return
	}
	if C.dn_batch_norm_grad(e.c, mapsAt(dx), mapsAt(dresidual), pointer(dgamma), pointer(dbeta), mapsAt(dy), mapsAt(x), mapsAt(y),
		pointer(p.Gamma), pointer(p.Beta), pointer(p.Mean), pointer(p.InvStd), C.size_t(n), C.size_t(i.C), C.size_t(i.H*i.W), flag(relu)) != 0 {
		panic("dnn: no memory for the sums of a batch normalisation")
	}
}

// Affine is kernel.Convolution's.
func (e *native) Affine(y, x, scale, shift, residual []float32, n int, i kernel.Image, relu bool) {
	if !i.Blocked() {
		e.Plain.Affine(y, x, scale, shift, residual, n, i, relu)
		return
	}
	C.dn_affine(e.c, mapsAt(y), mapsAt(x), pointer(scale), pointer(shift), mapsAt(residual), C.size_t(n), C.size_t(i.C), C.size_t(i.H*i.W), flag(relu))
}

func window(p kernel.Pool) C.dn_window {
	out := p.Out()
	return C.dn_window{
		h: C.size_t(p.In.H), w: C.size_t(p.In.W), out_h: C.size_t(out.H), out_w: C.size_t(out.W), kh: C.int(p.KH), kw: C.int(p.KW),
		stride_h: C.int(p.StrideH), stride_w: C.int(p.StrideW), pad_h: C.int(p.PadH), pad_w: C.int(p.PadW),
	}
}

func planes(n int, i kernel.Image) C.size_t { return C.size_t(n * i.C / kernel.Lane) }

// MaxPool is kernel.Convolution's.
func (e *native) MaxPool(y, index, x []float32, n int, p kernel.Pool) {
	if !p.In.Blocked() {
		e.Plain.MaxPool(y, index, x, n, p)
		return
	}
	C.dn_max_pool(e.c, mapsAt(y), (*C.uint8_t)(mapsAt(index)), mapsAt(x), planes(n, p.In), window(p))
}

// MaxPoolGrad is kernel.Convolution's.
func (e *native) MaxPoolGrad(dx, dy, index []float32, n int, p kernel.Pool) {
	if !p.In.Blocked() {
		e.Plain.MaxPoolGrad(dx, dy, index, n, p)
		return
	}
	C.dn_max_pool_grad(e.c, mapsAt(dx), mapsAt(dy), (*C.uint8_t)(mapsAt(index)), planes(n, p.In), window(p))
}

// AveragePool is kernel.Convolution's.
func (e *native) AveragePool(y, x []float32, n, frames int, i kernel.Image) {
	if !i.Blocked() {
		e.Plain.AveragePool(y, x, n, frames, i)
		return
	}
	C.dn_average_pool(e.c, pointer(y), mapsAt(x), C.size_t(n), C.size_t(frames), C.size_t(i.C), C.size_t(i.H*i.W))
}

// AveragePoolGrad is kernel.Convolution's.
func (e *native) AveragePoolGrad(dx, dy []float32, n, frames int, i kernel.Image) {
	if !i.Blocked() {
		e.Plain.AveragePoolGrad(dx, dy, n, frames, i)
		return
	}
	C.dn_average_pool_grad(e.c, mapsAt(dx), pointer(dy), C.size_t(n), C.size_t(frames), C.size_t(i.C), C.size_t(i.H*i.W))
}
