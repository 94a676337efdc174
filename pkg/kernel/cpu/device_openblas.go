//go:build openblas && cgo && linux

package cpu

/*
#cgo CFLAGS: -std=gnu11 -O3 -Wall -Wextra
#cgo LDFLAGS: -l:libopenblas.a -lpthread -lm
#include "device.h"
char *openblas_get_corename(void);
*/
import "C"

import (
	"errors"
	"fmt"
	"unsafe"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/dnn"
)

// Device is the host's processor.
type Device struct {
	threads int
	bf16    bool             // products and convolutions multiply what is rounded to it
	rounded [2]kernel.Buffer // the factors of a product, rounded
	c       *C.mm_device
	buffers []buffer   // what Close frees
	engine  dnn.Engine // of the convolutions, opened on first use
}

// Open starts a device. Close stops it.
func Open(o Options) (*Device, error) {
	n, err := o.check()
	if err != nil {
		return nil, err
	}
	c := C.mm_open(C.int(n))
	if c == nil {
		return nil, fmt.Errorf("no memory or threads for %d threads", n)
	}
	return &Device{threads: n, bf16: o.Precision == kernel.BF16, c: c}, nil
}

// Engine names what computes the products, for logs and benchmarks.
func (d *Device) Engine() string {
	if d.c.avx512 != 0 {
		return "C with AVX-512"
	}
	return "C with OpenBLAS " + C.GoString(C.openblas_get_corename())
}

// useOpenBLAS makes d compute as on a processor without AVX-512, for the tests.
func (d *Device) useOpenBLAS() { d.c.avx512 = 0 }

// Alloc returns n zeros, aligned to 64 bytes, outside the Go heap.
func (d *Device) Alloc(n int) (kernel.Buffer, error) {
	if d.c == nil {
		return nil, errors.New("allocating on the cpu: the device is closed")
	}
	if n < 0 {
		return nil, fmt.Errorf("allocating on the cpu: %d elements", n)
	}
	p := C.mm_alloc(C.size_t(n))
	if p == nil {
		return nil, fmt.Errorf("allocating on the cpu: no memory for %d elements", n)
	}
	b := buffer{p, n}
	d.buffers = append(d.buffers, b)
	return b, nil
}

// Upload copies src into the first len(src) elements of dst.
func (d *Device) Upload(dst kernel.Buffer, src []float32) {
	if len(src) < shared {
		copy(host(dst, len(src)), src)
		return
	}
	C.mm_copy(d.c, at(dst, len(src)), (*C.float)(unsafe.SliceData(src)), C.size_t(len(src)))
}

// shared is from how many elements on every thread takes a part of a copy.
const shared = 1 << 16

// Download copies the first len(dst) elements of src into dst.
func (d *Device) Download(dst []float32, src kernel.Buffer) { copy(dst, host(src, len(dst))) }

// Err returns nil: the processor does not fail on its own.
func (d *Device) Err() error { return nil }

// Close joins the threads and frees the buffers, which must not be used again. Closing twice is no error.
func (d *Device) Close() error {
	if d.c == nil {
		return nil
	}
	err := d.closeImages()
	C.mm_close(d.c)
	for _, b := range d.buffers {
		C.mm_free(b.p, C.size_t(b.n))
	}
	d.c, d.buffers = nil, nil
	return err
}

// buffer is memory of mm_alloc.
type buffer struct {
	p *C.float
	n int
}

// Len returns the number of elements.
func (b buffer) Len() int { return b.n }

// Slice returns elements from to to, sharing memory.
func (b buffer) Slice(from, to int) kernel.Buffer {
	if from < 0 || to < from || to > b.n {
		panic(fmt.Sprintf("cpu: slice [%d:%d] of a buffer of %d", from, to, b.n))
	}
	return buffer{(*C.float)(unsafe.Add(unsafe.Pointer(b.p), 4*from)), to - from}
}

// Host returns the buffer's elements themselves, which the host shares.
func (b buffer) Host() []float32 { return unsafe.Slice((*float32)(b.p), b.n) }

// at returns b's memory, which a kernel takes to hold at least n elements: beyond them is another's memory.
func at(b kernel.Buffer, n int) *C.float {
	own := b.(buffer)
	if own.n < n {
		panic(fmt.Sprintf("cpu: buffer of %d, want %d", own.n, n))
	}
	return own.p
}

// optional is at, or nil for a nil buffer.
func optional(b kernel.Buffer, n int) *C.float {
	if b == nil {
		return nil
	}
	return at(b, n)
}

// host is at as a slice of n.
func host(b kernel.Buffer, n int) []float32 { return unsafe.Slice((*float32)(at(b, n)), n) }
