//go:build openblas && cgo && linux

package cpu

import (
	"testing"

	"mmtools/pkg/kernel"
)

// engines returns a device for each way that this build has to compute products.
func engines(tb testing.TB, threads int) []*Device {
	other := open(tb, threads)
	other.useOpenBLAS()
	return []*Device{open(tb, threads), other}
}

func memory(b kernel.Buffer) []float32 { return host(b, b.Len()) }
