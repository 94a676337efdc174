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
		return 0, fmt.Errorf("opening the cpu: %d threads, want 0 to %d", threads, maxThreads)
	case threads == 0:
		return min(runtime.GOMAXPROCS(0), maxThreads), nil
	}
	return threads, nil
}

// Name returns "cpu".
func (d *Device) Name() string { return "cpu" }

// Threads returns the number of threads that kernels run on.
func (d *Device) Threads() int { return d.threads }

var _ kernel.Device = (*Device)(nil)
