package cpu

import (
	"fmt"
	"runtime"

	"mmtools/pkg/kernel"
)

// maxThreads bounds what a mistyped --threads can start.
const maxThreads = 1024

// threadCount checks the number of threads asked for; 0 is what the Go runtime would use, which heeds the limits of a
// container.
func threadCount(threads int) (int, error) {
	switch {
	case threads < 0 || threads > maxThreads:
		return 0, fmt.Errorf("%d threads, want 0 to %d", threads, maxThreads)
	case threads == 0:
		return min(runtime.GOMAXPROCS(0), maxThreads), nil
	}
	return threads, nil
}

// Options set a device up.
type Options struct {
	Threads   int              // the caller's among them; 0 is GOMAXPROCS
	Precision kernel.Precision // of products and convolutions, float32 or bf16; "" is float32
}

// check returns the number of threads.
func (o Options) check() (int, error) {
	switch o.Precision {
	case "", kernel.Float32, kernel.BF16:
	default:
		return 0, fmt.Errorf("precision %s: the CPU computes in float32 or bf16", o.Precision)
	}
	return threadCount(o.Threads)
}

// New starts a device of the given number of threads that computes in float32.
func New(threads int) (*Device, error) { return Open(Options{Threads: threads}) }

// Name returns "cpu".
func (d *Device) Name() string { return "cpu" }

// Threads returns the number of threads that kernels run on.
func (d *Device) Threads() int { return d.threads }

var _ kernel.Device = (*Device)(nil)
