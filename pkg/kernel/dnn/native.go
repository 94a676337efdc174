//go:build dnnl && cgo && linux

package dnn

/*
#cgo CFLAGS: -std=gnu11 -O3 -Wall -Wextra -Wno-psabi
#cgo LDFLAGS: -ldl -lpthread -lm
#include "native.h"
*/
import "C"

import (
	"fmt"
	"unsafe"

	"mmtools/pkg/kernel"
)

// native runs convolutions in oneDNN, the other kernels on blocked maps in C, and what is left in Go.
type native struct {
	*Plain
	c     *C.dn_engine
	exact bool
	bf16  bool                   // and so are blocked maps
	tiles bool                   // the library multiplies bfloat16
	plans map[planKey]*C.dn_conv // nil where the library has no such convolution
	shape C.dn_shape             // an argument; here, so that it is not allocated
	wides [3][]float32           // maps of bfloat16 for what is in Go
}

// planKey names a planned convolution.
type planKey struct {
	kernel.Conv
	n         int
	direction C.int
	relu, add bool
}

// maxPlans bounds the plans: beyond, all are made anew. Each layer has three for each n that comes up.
const maxPlans = 2048

var _ Engine = (*native)(nil)

func newNative(o Options) (Engine, error) {
	plain, err := NewPlain(o)
	if err != nil {
		return nil, err
	}
	message := make([]byte, 256)
	c := C.dn_open(C.int(plain.threads), flag(o.BF16), (*C.char)(unsafe.Pointer(&message[0])), C.size_t(len(message)))
	if c == nil {
		plain.Close()
		return nil, fmt.Errorf("opening oneDNN: %s (Debian: apt-get install libdnnl2)", C.GoString((*C.char)(unsafe.Pointer(&message[0]))))
	}
	if o.Portable {
		C.dn_portable(c)
	}
	return &native{Plain: plain, c: c, exact: o.Exact, bf16: o.BF16, tiles: o.LibraryBF16 || C.dn_multiplies_bf16() != 0, plans: map[planKey]*C.dn_conv{}}, nil
}

// Name tells whether AVX-512 has convolutions of this package beside oneDNN's.
func (e *native) Name() string {
	if C.dn_wide(e.c) != 0 {
		return "oneDNN and C with AVX-512"
	}
	return "oneDNN"
}

// Narrow reports whether blocked maps are bfloat16.
func (e *native) Narrow() bool { return e.bf16 }

// Close frees the plans and the scratch memory.
func (e *native) Close() error {
	if e.c != nil {
		e.forget()
		C.dn_close(e.c)
		e.c = nil
	}
	return e.Plain.Close()
}

func (e *native) forget() {
	for _, p := range e.plans {
		if p != nil {
			C.dn_conv_free(p)
		}
	}
	clear(e.plans)
}

// pointer returns where s begins, nil where s is nil.
func pointer(s []float32) *C.float { return (*C.float)(unsafe.Pointer(unsafe.SliceData(s))) }

func flag(b bool) C.int {
	if b {
		return 1
	}
	return 0
}
