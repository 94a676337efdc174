//go:build dnnl && cgo && linux

package dnn

/*
#include "native.h"
*/
import "C"

import (
	"unsafe"

	"mmtools/pkg/kernel"
)

// mapsAt is pointer, of memory that holds what the engine keeps maps in.
func mapsAt(s []float32) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(s)) }

// AddMaps is kernel.Narrower's.
func (e *native) AddMaps(y, a, b []float32, n int) {
	C.dn_add(e.c, mapsAt(y), mapsAt(a), mapsAt(b), C.size_t(n))
}

// ReLUGradMaps is kernel.Narrower's.
func (e *native) ReLUGradMaps(dx, dy, y []float32, n int) {
	C.dn_relu_grad(e.c, mapsAt(dx), mapsAt(dy), mapsAt(y), C.size_t(n))
}

// Arrange is kernel.Convolution's.
func (e *native) Arrange(y, x []float32, n int, i kernel.Image) {
	wy := e.wide(1, y, n, i)
	e.Plain.Arrange(wy, x, n, i)
	e.settle(y, wy, n, i)
}

// ArrangePlain is kernel.Convolution's.
func (e *native) ArrangePlain(y, x []float32, n int, i kernel.Image) {
	e.Plain.ArrangePlain(y, e.widened(0, x, n, i), n, i)
}

// wide returns where the engine in Go is to write n maps: m itself, or memory number slot, from which settle takes them.
func (e *native) wide(slot int, m []float32, n int, i kernel.Image) []float32 {
	if !e.bf16 || !i.Blocked() {
		return m
	}
	if len(e.wides[slot]) < n*i.Size() {
		e.wides[slot] = make([]float32, n*i.Size())
	}
	return e.wides[slot]
}

// widened returns n maps as float32: m itself, or in memory number slot.
func (e *native) widened(slot int, m []float32, n int, i kernel.Image) []float32 {
	w := e.wide(slot, m, n, i)
	if e.bf16 && i.Blocked() {
		C.dn_widen(e.c, pointer(w), mapsAt(m), C.size_t(n*i.Size()))
	}
	return w
}

// settle keeps n maps as the engine does, where they are in memory of its own.
func (e *native) settle(m, wide []float32, n int, i kernel.Image) {
	if e.bf16 && i.Blocked() {
		C.dn_narrow(e.c, mapsAt(m), pointer(wide), C.size_t(n*i.Size()))
	}
}
