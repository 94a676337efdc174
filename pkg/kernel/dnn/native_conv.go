//go:build dnnl && cgo && linux

package dnn

/*
#include "native.h"
*/
import "C"

import (
	"fmt"

	"mmtools/pkg/kernel"
)

// Conv is kernel.Convolution's.
func (e *native) Conv(y, x, w []float32, n int, c kernel.Conv) {
	if p := e.plan(planKey{Conv: c, n: n, direction: C.DN_FORWARD}); p != nil {
		e.run(p, x, w, y, nil, nil, nil)
		return
	}
	wy := e.wide(1, y, n, c.Out())
	e.Plain.Conv(wy, e.widened(0, x, n, c.In), w, n, c)
	e.settle(y, wy, n, c.Out())
}

// ConvAffine is kernel.Convolution's.
func (e *native) ConvAffine(y, x, w, scale, shift, residual []float32, n int, c kernel.Conv, relu bool) {
	p := e.plan(planKey{Conv: c, n: n, direction: C.DN_AFFINE, relu: relu, add: residual != nil})
	if p == nil {
		wy := e.wide(1, y, n, c.Out())
		if residual != nil {
			residual = e.widened(2, residual, n, c.Out())
		}
		e.Plain.ConvAffine(wy, e.widened(0, x, n, c.In), w, scale, shift, residual, n, c, relu)
		e.settle(y, wy, n, c.Out())
		return
	}
	e.run(p, x, w, y, scale, shift, residual)
}

// ConvGradInput is kernel.Convolution's.
func (e *native) ConvGradInput(dx, dy, w []float32, n int, c kernel.Conv) {
	if p := e.plan(planKey{Conv: c, n: n, direction: C.DN_GRAD_INPUT}); p != nil {
		e.run(p, dx, w, dy, nil, nil, nil)
		return
	}
	wx := e.wide(0, dx, n, c.In)
	e.Plain.ConvGradInput(wx, e.widened(1, dy, n, c.Out()), w, n, c)
	e.settle(dx, wx, n, c.In)
}

// ConvGradWeight is kernel.Convolution's.
func (e *native) ConvGradWeight(dw, dy, x []float32, n int, c kernel.Conv) {
	if p := e.plan(planKey{Conv: c, n: n, direction: C.DN_GRAD_WEIGHT}); p != nil {
		e.run(p, x, dw, dy, nil, nil, nil)
		return
	}
	e.Plain.ConvGradWeight(dw, e.widened(1, dy, n, c.Out()), e.widened(0, x, n, c.In), n, c)
}

func (e *native) run(p *C.dn_conv, in, w, out, scale, shift, residual []float32) {
	status := C.dn_conv_run(e.c, p, mapsAt(in), pointer(w), mapsAt(out), pointer(scale), pointer(shift), mapsAt(residual))
	if status != 0 {
		panic(fmt.Sprintf("dnn: oneDNN ended a convolution with status %d", status))
	}
}

// plan returns the planned convolution, planned now where it is new.
func (e *native) plan(k planKey) *C.dn_conv {
	if p, ok := e.plans[k]; ok {
		return p
	}
	if len(e.plans) == maxPlans {
		e.forget()
	}
	var p *C.dn_conv
	bf16 := e.roundings(k.Conv)
	if bf16 == C.DN_BF16 {
		if p = e.planAs(k, bf16); p == nil {
			bf16 = C.DN_ROUNDED
		}
	}
	if p == nil {
		p = e.planAs(k, bf16)
	}
	e.plans[k] = p
	return p
}

// roundings tells how a convolution is to multiply: in bfloat16 all do but those of few channels, the first of networks.
func (e *native) roundings(c kernel.Conv) C.int {
	switch {
	case !e.bf16 || !c.In.Blocked() || !c.Out().Blocked():
		return C.DN_FLOAT32
	case e.tiles:
		return C.DN_BF16
	}
	return C.DN_ROUNDED
}

func (e *native) planAs(k planKey, bf16 C.int) *C.dn_conv {
	c := k.Conv
	e.shape = C.dn_shape{
		n: C.int(k.n), c: C.int(c.In.C), h: C.int(c.In.H), w: C.int(c.In.W), k: C.int(c.K), kh: C.int(c.KH), kw: C.int(c.KW),
		stride_h: C.int(c.StrideH), stride_w: C.int(c.StrideW), pad_h: C.int(c.PadH), pad_w: C.int(c.PadW),
		direction: k.direction, relu: flag(k.relu), residual: flag(k.add), exact: flag(e.exact), bf16: bf16,
	}
	return C.dn_conv_plan(e.c, &e.shape)
}
