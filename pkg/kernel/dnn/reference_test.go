package dnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"

	"mmtools/pkg/kernel"
)

// The kernels again, by their definitions: plain layout, float64, one loop a dimension.

// at reads (n,c,h,w) of x, (N,C,H,W), 0 outside the image.
func at(x []float64, i kernel.Image, n, c, h, w int) float64 {
	if h < 0 || w < 0 || h >= i.H || w >= i.W {
		return 0
	}
	return x[((n*i.C+c)*i.H+h)*i.W+w]
}

// eachProduct calls f with the places of every weight, input and output that the convolution multiplies.
func eachProduct(n int, c kernel.Conv, f func(weight, in, out int)) {
	o := c.Out()
	for b := range n {
		for k := range c.K {
			for ch := range c.In.C {
				for kh := range c.KH {
					for kw := range c.KW {
						weight := ((k*c.In.C+ch)*c.KH+kh)*c.KW + kw
						for oh := range o.H {
							for ow := range o.W {
								h, w := oh*c.StrideH-c.PadH+kh, ow*c.StrideW-c.PadW+kw
								if h < 0 || w < 0 || h >= c.In.H || w >= c.In.W {
									continue
								}
								f(weight, ((b*c.In.C+ch)*c.In.H+h)*c.In.W+w, ((b*o.C+k)*o.H+oh)*o.W+ow)
							}
						}
					}
				}
			}
		}
	}
}

// channelOf returns the channel of element j of (N,C,H,W).
func channelOf(i kernel.Image, j int) int { return j / (i.H * i.W) % i.C }

func rectify(v float64, relu bool) float64 {
	if relu && v < 0 {
		return 0
	}
	return v
}

// moments returns each channel's mean and biased variance over n images.
func moments(x []float64, n int, i kernel.Image) (mean, variance []float64) {
	mean, variance = make([]float64, i.C), make([]float64, i.C)
	count := float64(n * i.H * i.W)
	for j, v := range x {
		mean[channelOf(i, j)] += v / count
	}
	for j, v := range x {
		d := v - mean[channelOf(i, j)]
		variance[channelOf(i, j)] += d * d / count
	}
	return mean, variance
}

// The tools of the tests.

// memory returns n zeros at 64 bytes, as a device gives them.
func memory(n int) []float32 {
	b := make([]float32, n+16)
	skip := (16 - int(uintptr(unsafe.Pointer(&b[0]))/4%16)) % 16
	return b[skip : skip+n : skip+n]
}

// random returns n normal numbers, as float64 that are exactly float32.
func random(r *rand.Rand, n int) []float64 {
	x := make([]float64, n)
	for i := range x {
		x[i] = float64(float32(r.NormFloat64()))
	}
	return x
}

func narrow(x []float64) []float32 {
	y := memory(len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// put returns x, (N,C,H,W), in the layout of i; get takes it back. Neither uses the code under test but Image.Blocked.
func put(x []float64, i kernel.Image) []float32 {
	y := memory(len(x))
	for j, v := range x {
		y[place(i, j)] = float32(v)
	}
	return y
}

func get(y []float32, i kernel.Image) []float64 {
	x := make([]float64, len(y))
	for j := range x {
		x[j] = float64(y[place(i, j)])
	}
	return x
}

func place(i kernel.Image, j int) int {
	if !i.Blocked() {
		return j
	}
	pixels := i.H * i.W
	n, c, p := j/i.Size(), j/pixels%i.C, j%pixels
	return n*i.Size() + (c/16*pixels+p)*16 + c%16
}

func widen(x []float32) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		y[i] = float64(v)
	}
	return y
}

// near fails unless every element is within tolerance of the largest.
func near(t *testing.T, what string, got, want []float64, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: got %d elements, want %d", what, len(got), len(want))
	}
	var largest, worst float64
	where := 0
	for i, w := range want {
		largest = max(largest, math.Abs(w))
		if d := math.Abs(got[i] - w); !(d <= worst) {
			worst, where = d, i
		}
	}
	if !(worst <= tolerance*largest) {
		t.Errorf("%s: element %d: got %g, want %g, off by %.1e of the largest, %g", what, where, got[where], want[where], worst/largest, largest)
	}
}

// each runs f on every engine that this program can have.
func each(t *testing.T, f func(t *testing.T, e Engine)) {
	t.Helper()
	plain := func(o Options) (Engine, error) { return NewPlain(o) }
	for _, c := range []struct {
		name string
		open func(Options) (Engine, error)
		o    Options
	}{
		{"plain/threads=1", plain, Options{Threads: 1}},
		{"plain/threads=3", plain, Options{Threads: 3}},
		{"built/threads=1", Open, Options{Threads: 1}},
		{"built/threads=2", Open, Options{Threads: 2}},
		{"built/exact", Open, Options{Threads: 2, Exact: true}},
		{"built/portable", Open, Options{Threads: 2, Portable: true}},
		{"built/threads=5", Open, Options{Threads: 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := c.open(c.o)
			if err != nil {
				t.Fatal(err)
			}
			defer e.Close()
			if _, same := e.(*Plain); same && c.name[0] == 'b' && (c.o.Exact || c.o.Portable || c.o.Threads > 2) {
				t.Skip("this program was built with the engine in Go, which the other cases have tested")
			}
			f(t, e)
		})
	}
}

func name(n int, c kernel.Conv) string {
	return fmt.Sprintf("%dx%v-%d,%dx%d/%d,%d+%d,%d", n, c.In, c.K, c.KH, c.KW, c.StrideH, c.StrideW, c.PadH, c.PadW)
}
