//go:build mmcuda && cgo && linux

// Package trial runs single kernels of ../src on the CPU, for their tests.
package trial

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

typedef int (*emulated_kernel)(const char *, unsigned, unsigned, unsigned, unsigned, unsigned long long *, int);

static int call(void *f, const char *name, unsigned x, unsigned y, unsigned z, unsigned block, unsigned long long *values, int n) {
	return ((emulated_kernel)f)(name, x, y, z, block, values, n);
}
*/
import "C"

import (
	"fmt"
	"math"
	"unsafe"
)

// Kernels is an emulated driver that ../emulate/build made.
type Kernels struct{ call unsafe.Pointer }

// Open opens the emulated driver at path.
func Open(path string) (Kernels, error) {
	name, symbol := C.CString(path), C.CString("emulated_kernel")
	defer C.free(unsafe.Pointer(name))
	defer C.free(unsafe.Pointer(symbol))
	library := C.dlopen(name, C.RTLD_NOW|C.RTLD_LOCAL)
	if library == nil {
		return Kernels{}, fmt.Errorf("opening the emulated driver: %s", C.GoString(C.dlerror()))
	}
	k := Kernels{C.dlsym(library, symbol)}
	if k.call == nil {
		return Kernels{}, fmt.Errorf("opening the emulated driver %s: no emulated_kernel in it", path)
	}
	return k, nil
}

// Grid is the number of blocks of a launch, each of 256 threads.
type Grid struct{ X, Y, Z int }

// Run runs a kernel. Its arguments are Memory, int, bool and float64, in order.
func (k Kernels) Run(name string, g Grid, arguments ...any) error {
	values := make([]C.ulonglong, len(arguments)+1)
	for i, a := range arguments {
		switch a := a.(type) {
		case Memory:
			values[i] = C.ulonglong(uintptr(a.at))
		case int:
			values[i] = C.ulonglong(a)
		case bool:
			if a {
				values[i] = 1
			}
		case float64:
			values[i] = C.ulonglong(math.Float64bits(a))
		default:
			return fmt.Errorf("running %s: argument %d is a %T", name, i, a)
		}
	}
	c := C.CString(name)
	defer C.free(unsafe.Pointer(c))
	switch n := C.call(k.call, c, C.uint(g.X), C.uint(g.Y), C.uint(g.Z), 256, &values[0], C.int(len(arguments))); {
	case n < 0:
		return fmt.Errorf("running %s: no such kernel", name)
	case int(n) != len(arguments):
		return fmt.Errorf("running %s: %d arguments, want %d", name, len(arguments), n)
	}
	return nil
}

// Memory is memory that kernels read and write, of C, so that a tool that watches C's memory sees where it ends. The zero
// Memory is the null pointer.
type Memory struct {
	at unsafe.Pointer
	n  int // bytes
}

// Alloc returns n bytes.
func Alloc(n int) Memory { return Memory{C.malloc(C.size_t(n)), n} }

// Free frees what Alloc returned.
func (m Memory) Free() { C.free(m.at) }

// Skip returns m without its first n bytes.
func (m Memory) Skip(n int) Memory { return Memory{unsafe.Add(m.at, n), m.n - n} }

// Bytes returns the memory itself.
func (m Memory) Bytes() []byte { return unsafe.Slice((*byte)(m.at), m.n) }

// Floats returns the memory as float32.
func (m Memory) Floats() []float32 { return unsafe.Slice((*float32)(m.at), m.n/4) }

// Ints returns the memory as int64.
func (m Memory) Ints() []int64 { return unsafe.Slice((*int64)(m.at), m.n/8) }
