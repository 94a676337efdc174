package cpu

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mmtools/pkg/kernel"
	"mmtools/pkg/rng"
)

// threadCounts are the numbers of threads that every kernel is tested with; 3 is more than many machines' cores.
var threadCounts = []int{1, 2, 3}

func open(tb testing.TB, threads int) *Device {
	tb.Helper()
	return openAs(tb, Options{Threads: threads})
}

func openAs(tb testing.TB, o Options) *Device {
	tb.Helper()
	d, err := Open(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := d.Close(); err != nil {
			tb.Error(err)
		}
	})
	return d
}

func zeros(tb testing.TB, d *Device, n int) kernel.Buffer {
	tb.Helper()
	b, err := d.Alloc(n)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

// uniform returns n numbers of [-1, 1).
func uniform(r *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = 2*r.Float32() - 1
	}
	return x
}

// fill returns n uniform numbers on the device, the same for the same n.
func fill(tb testing.TB, d *Device, n int) kernel.Buffer {
	tb.Helper()
	return upload(tb, d, uniform(rng.Stream(1, "fill", n), n))
}

func upload(tb testing.TB, d *Device, x []float32) kernel.Buffer {
	tb.Helper()
	b := zeros(tb, d, len(x))
	d.Upload(b, x)
	return b
}

func download(d *Device, b kernel.Buffer) []float32 {
	x := make([]float32, b.Len())
	d.Download(x, b)
	return x
}

// guard is the elements watched on each side of a kernel's output, and what is in them and, before the kernel, in it.
const guard = 32

var canary = math.Float32frombits(0x7fc0beef) // a NaN: what a kernel does not write shows

// output returns n elements to be written, within watched memory.
func output(tb testing.TB, d *Device, n int) kernel.Buffer {
	tb.Helper()
	x := make([]float32, n+2*guard)
	for i := range x {
		x[i] = canary
	}
	b := upload(tb, d, x)
	tb.Cleanup(func() {
		all := download(d, b)
		for _, x := range slices.Concat(all[:guard], all[guard+n:]) {
			if math.Float32bits(x) != math.Float32bits(canary) {
				tb.Errorf("an output of %d elements was written outside", n)
				return
			}
		}
	})
	return b.Slice(guard, guard+n)
}

// near fails where got differs from want by more than tolerance times size; size nil is the magnitude of want.
func near(tb testing.TB, what string, got []float32, want, size []float64, tolerance float64) {
	tb.Helper()
	if len(got) != len(want) {
		tb.Fatalf("%s: %d elements, want %d", what, len(got), len(want))
	}
	for i, w := range want {
		bound := tolerance * math.Abs(w)
		if size != nil {
			bound = tolerance * size[i]
		}
		// Written so that a NaN fails.
		if !(math.Abs(float64(got[i])-w) <= bound+1e-30) {
			tb.Errorf("%s: element %d is %v, want %v within %.2g", what, i, got[i], w, bound)
			return
		}
	}
}

// same fails where got and want differ in a bit.
func same(tb testing.TB, what string, got, want []float32) {
	tb.Helper()
	for i, w := range want {
		if math.Float32bits(got[i]) != math.Float32bits(w) {
			tb.Errorf("%s: element %d is %v, want %v to the bit", what, i, got[i], w)
			return
		}
	}
}

func doubles(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}
