package dnn

import (
	"fmt"
	"runtime"

	"mmtools/pkg/kernel"
)

// Engine runs the kernels of kernel.Convolution, which says what each computes, on the host's memory. It is used by one
// goroutine at a time; one that makes many calls should lock its thread (runtime.LockOSThread), since the threads of
// OpenMP belong to the thread that calls. Slices may be longer than the kernel needs. The first call of a kernel with
// a new shape or n plans it and allocates; the others allocate nothing. In a narrow engine a slice that holds blocked maps holds them in
// bfloat16, two to an element.
type Engine interface {
	// Name tells what computes the convolutions, for logs and benchmarks.
	Name() string
	// Narrow reports whether blocked maps are bfloat16.
	Narrow() bool
	// Threads returns the number of threads that kernels run on.
	Threads() int
	// Close frees what the engine holds. Closing twice is no error.
	Close() error

	Conv(y, x, w []float32, n int, c kernel.Conv)
	ConvAffine(y, x, w, scale, shift, residual []float32, n int, c kernel.Conv, relu bool)
	ConvGradInput(dx, dy, w []float32, n int, c kernel.Conv)
	ConvGradWeight(dw, dy, x []float32, n int, c kernel.Conv)

	BatchNorm(y, x, residual []float32, p Norm, n int, i kernel.Image, s kernel.NormStep, relu bool)
	BatchNormGrad(dx, dresidual, dgamma, dbeta, dy, x, y []float32, p Norm, n int, i kernel.Image, relu bool)
	FoldNorm(scale, shift []float32, p Norm, c int, s kernel.NormStep)
	Affine(y, x, scale, shift, residual []float32, n int, i kernel.Image, relu bool)

	MaxPool(y, index, x []float32, n int, p kernel.Pool)
	MaxPoolGrad(dx, dy, index []float32, n int, p kernel.Pool)
	AveragePool(y, x []float32, n, frames int, i kernel.Image)
	AveragePoolGrad(dx, dy []float32, n, frames int, i kernel.Image)

	Arrange(y, x []float32, n int, i kernel.Image)
	ArrangePlain(y, x []float32, n int, i kernel.Image)

	// AddMaps and ReLUGradMaps are kernel.Narrower's, of a narrow engine.
	AddMaps(y, a, b []float32, n int)
	ReLUGradMaps(dx, dy, y []float32, n int)
}

// Norm is kernel.Norm on the host's memory: each (C).
type Norm struct {
	Gamma, Beta             []float32
	Mean, InvStd            []float32
	RunningMean, RunningVar []float32
}

// Options sets an engine up.
type Options struct {
	Threads int  // 0 is GOMAXPROCS
	Exact   bool // compute 3x3 convolutions by their definition, not by Winograd's algorithm
	// BF16 rounds what convolutions multiply to bfloat16, and sums in float32; convolutions from or to maps that are not blocked, the
	// first of a network, multiply float32. Where the processor has no tiles of bfloat16 (AMX), what is rounded is multiplied in
	// float32, which gives the same products. The native engine is narrow then, which takes half the memory and its bandwidth.
	BF16 bool
	// LibraryBF16 has oneDNN multiply bfloat16 even where that is slower than float32, for tests.
	LibraryBF16 bool
	// Portable leaves out what is written for AVX-512 here, for tests.
	Portable bool
}

// maxThreads bounds what a mistyped number can start.
const maxThreads = 1024

func (o Options) threads() (int, error) {
	switch {
	case o.Threads < 0 || o.Threads > maxThreads:
		return 0, fmt.Errorf("opening the convolution kernels: %d threads, want 0 to %d", o.Threads, maxThreads)
	case o.Threads == 0:
		return min(runtime.GOMAXPROCS(0), maxThreads), nil
	}
	return o.Threads, nil
}

// plane returns where channel c of image n begins in memory, and the distance between its pixels.
func plane(i kernel.Image, n, c int) (start, step int) {
	pixels := i.H * i.W
	if i.Blocked() {
		return n*i.Size() + c/kernel.Lane*pixels*kernel.Lane + c%kernel.Lane, kernel.Lane
	}
	return n*i.Size() + c*pixels, 1
}
