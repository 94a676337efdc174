//go:build mmcuda && cgo && linux

// Package trial runs single kernels of ../src, on the CPU or on a card, for their tests.
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

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/cuda"
)

// Kernels is an emulated driver that ../emulate/build made, or a card.
type Kernels struct {
	call unsafe.Pointer
	card *cuda.Device // nil where the kernels are called one by one on the CPU
}

// OpenCard opens the card, through whatever driver is there.
func OpenCard() (Kernels, error) {
	d, err := cuda.New(cuda.Options{Precision: kernel.TF32}) // with the kernels for tensor cores
	if err != nil {
		return Kernels{}, err
	}
	return Kernels{card: d.(*cuda.Device)}, nil
}

// OnCard reports whether a card, or what stands for one, runs the kernels.
func (k Kernels) OnCard() bool { return k.card != nil }

// Open opens the emulated driver at path.
func Open(path string) (Kernels, error) {
	name, symbol := C.CString(path), C.CString("emulated_kernel")
	defer C.free(unsafe.Pointer(name))
	defer C.free(unsafe.Pointer(symbol))
	library := C.dlopen(name, C.RTLD_NOW|C.RTLD_LOCAL)
	if library == nil {
		return Kernels{}, fmt.Errorf("opening the emulated driver: %s", C.GoString(C.dlerror()))
	}
	k := Kernels{call: C.dlsym(library, symbol)}
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
	if k.card != nil {
		words := make([]uint64, len(arguments))
		for i := range words {
			words[i] = uint64(values[i])
		}
		return k.card.Trial(name, g.X, g.Y, g.Z, words...)
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

// Memory is memory that kernels read and write, of C, so that a tool that watches C's memory sees where it ends; for a card, host
// memory that it reads and writes over the bus. The zero Memory is the null pointer.
type Memory struct {
	at unsafe.Pointer
	n  int // bytes
}

// Alloc returns n bytes.
func (k Kernels) Alloc(n int) (Memory, error) {
	if k.card == nil {
		return Memory{C.malloc(C.size_t(n)), n}, nil
	}
	p, err := k.card.Pinned((n + 3) / 4)
	return Memory{unsafe.Pointer(unsafe.SliceData(p)), n}, err
}

// Free frees what Alloc returned. A card keeps it until it is closed.
func (k Kernels) Free(m Memory) {
	if k.card == nil {
		C.free(m.at)
	}
}

// Skip returns m without its first n bytes.
func (m Memory) Skip(n int) Memory { return Memory{unsafe.Add(m.at, n), m.n - n} }

// Bytes returns the memory itself.
func (m Memory) Bytes() []byte { return unsafe.Slice((*byte)(m.at), m.n) }

// Floats returns the memory as float32.
func (m Memory) Floats() []float32 { return unsafe.Slice((*float32)(m.at), m.n/4) }

// Ints returns the memory as int64.
func (m Memory) Ints() []int64 { return unsafe.Slice((*int64)(m.at), m.n/8) }
