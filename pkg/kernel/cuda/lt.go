//go:build mmcuda && cgo && linux

package cuda

/*
#include <stdlib.h>
#include "library.h"
*/
import "C"

import (
	"fmt"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"gorgonia.org/cu"
)

// lt is cuBLASLt, which adds a bias and applies a ReLU as it writes a product, with the products that were asked for so far.
type lt struct {
	c     *C.mm_lt
	name  string
	plans map[productKey]*C.mm_product // nil for what the library does not do
}

// productKey is what cuBLASLt chooses an algorithm by: also how y, x, w and the bias are aligned.
type productKey struct {
	m, n, k    int
	relu       bool
	alignments [4]int
}

// openLT is openBLAS for cuBLASLt, beside cuBLAS, which does what it does not. They share a lane's workspace: they run on one stream.
func openLT(d *Device) (*lt, error) {
	if d.blas == nil {
		return nil, nil
	}
	var message [512]C.char
	for _, file := range ltCandidates(d.blas.file) {
		path := C.CString(file)
		c := C.mm_lt_open(path, 4*blasWorkspace, d.precisionCode(), &message[0], C.size_t(len(message)))
		C.free(unsafe.Pointer(path))
		if c != nil {
			return &lt{c: c, name: filepath.Base(file), plans: map[productKey]*C.mm_product{}}, nil
		}
	}
	if path := os.Getenv(ltEnvironment); path != "" && path != "none" {
		return nil, fmt.Errorf("opening cuBLASLt: %s", C.GoString(&message[0]))
	}
	return nil, nil
}

// ltCandidates are the files to try for cuBLASLt beside the cuBLAS that was opened: the one of its version.
func ltCandidates(blas string) []string {
	folder, name := filepath.Split(blas)
	version, ok := strings.CutPrefix(name, "libcublas.so")
	if !ok || os.Getenv(ltEnvironment) != "" {
		return candidates(ltEnvironment, "libcublasLt", 13, 12, 11)
	}
	return []string{folder + "libcublasLt.so" + version}
}

func (l *lt) close() {
	if l == nil {
		return
	}
	for _, p := range l.plans {
		C.mm_lt_forget(l.c, p)
	}
	C.mm_lt_close(l.c)
}

// alignment is the largest power of two, at most 256, that an address is a multiple of; 0 of none.
func alignment(p cu.DevicePtr) int {
	if p == 0 {
		return 0
	}
	return 1 << min(bits.TrailingZeros64(uint64(p)), 8)
}

// linear queues y = x wᵀ + b, and max(0, y) where relu is set, in a lane, and reports whether the library does that.
func (l *lt) linear(in *lane, y, x, w, b cu.DevicePtr, m, n, k int, relu bool) (bool, error) {
	key := productKey{m, n, k, relu, [4]int{alignment(y), alignment(x), alignment(w), alignment(b)}}
	p, known := l.plans[key]
	if !known {
		p = C.mm_lt_plan(l.c, C.int(m), C.int(n), C.int(k), C.int(flag(relu)), C.uint64_t(y), C.uint64_t(x), C.uint64_t(w), C.uint64_t(b))
		l.plans[key] = p
	}
	if p == nil {
		return false, nil
	}
	switch status := C.mm_lt_linear(l.c, p, C.uint64_t(y), C.uint64_t(x), C.uint64_t(w), C.uint64_t(b), C.uint64_t(in.products.p), pointer(in.stream)); status {
	case 0:
		return true, nil
	case C.MM_BLAS_INVALID_VALUE, C.MM_BLAS_ARCH_MISMATCH, C.MM_BLAS_NOT_SUPPORTED: // what it had said that it does
		C.mm_lt_forget(l.c, p)
		l.plans[key] = nil
		return false, nil
	default:
		return false, fmt.Errorf("%s: status %d", l.name, int(status))
	}
}
