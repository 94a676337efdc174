//go:build !(openblas && cgo && linux)

package cpu

import (
	"testing"

	"mmtools/pkg/kernel"
)

// engines returns a device for each way that this build has to compute products.
func engines(tb testing.TB, threads int) []*Device { return []*Device{open(tb, threads)} }

func memory(b kernel.Buffer) []float32 { return b.(buffer) }
