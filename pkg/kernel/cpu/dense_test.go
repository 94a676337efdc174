package cpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"mmtools/pkg/rng"
)

// shape is a linear layer's: M rows, N outputs, K inputs.
type shape struct{ m, n, k int }

// shapes are those of the tools, those at the edges of tiles and blocks (14 rows, 32 columns, 512 deep and wide), and
// others at random.
func shapes() []shape {
	s := []shape{
		{1, 1, 1}, {1, 512, 512}, {64, 512, 20}, {64, 31, 1024}, {64, 7, 6}, {63, 64, 240}, {256, 21, 96},
		{14, 14, 32}, {15, 15, 33}, {13, 33, 31}, {28, 29, 64}, {2, 16, 16}, {33, 17, 15}, {32, 32, 512},
		{3, 5, 513}, {5, 3, 1100}, {17, 600, 513}, {600, 17, 70}, {30, 530, 1025}, {530, 40, 515}, {40, 1030, 3}, {9, 6, 1030},
	}
	r := rng.Stream(1, "shapes")
	for range 40 {
		s = append(s, shape{1 + r.IntN(80), 1 + r.IntN(80), 1 + r.IntN(160)})
	}
	return s
}

// eachShape runs a subtest for every shape, which tries every number of threads and engine: the reference is the slow part.
func eachShape(t *testing.T, test func(t *testing.T, each func(func(d *Device)), r *rand.Rand, s shape)) {
	var devices []*Device
	for _, threads := range threadCounts {
		devices = append(devices, engines(t, threads)...)
	}
	for _, s := range shapes() {
		t.Run(fmt.Sprintf("M%d N%d K%d", s.m, s.n, s.k), func(t *testing.T) {
			test(t, func(on func(d *Device)) {
				for _, d := range devices {
					on(d)
					if t.Failed() {
						t.Fatalf("with %d threads, %s", d.Threads(), d.Engine())
					}
				}
			}, rng.Stream(1, "shape", s.m, s.n, s.k), s)
		})
	}
}

// rounding is what float32 sums of up to 1100 terms may lose, of the sum of the terms' magnitudes.
const rounding = 2e-6

func TestLinear(t *testing.T) {
	eachShape(t, func(t *testing.T, each func(func(d *Device)), r *rand.Rand, s shape) {
		x, w, b := uniform(r, s.m*s.k), uniform(r, s.n*s.k), uniform(r, s.n)
		for _, relu := range []bool{false, true} {
			want, size := refLinear(x, w, b, s.m, s.n, s.k, relu)
			each(func(d *Device) {
				y := output(t, d, s.m*s.n)
				d.Linear(y, upload(t, d, x), upload(t, d, w), upload(t, d, b), s.m, s.n, s.k, relu)
				near(t, fmt.Sprintf("y, relu %t", relu), download(d, y), want, size, rounding)
			})
		}
	})
}

func TestLinearGradWeight(t *testing.T) {
	eachShape(t, func(t *testing.T, each func(func(d *Device)), r *rand.Rand, s shape) {
		dy, x := uniform(r, s.m*s.n), uniform(r, s.m*s.k)
		want, size := refGradWeight(dy, x, s.m, s.n, s.k)
		each(func(d *Device) {
			dw := output(t, d, s.n*s.k)
			d.LinearGradWeight(dw, upload(t, d, dy), upload(t, d, x), s.m, s.n, s.k)
			near(t, "dw", download(d, dw), want, size, rounding)
		})
	})
}

func TestLinearGradInput(t *testing.T) {
	eachShape(t, func(t *testing.T, each func(func(d *Device)), r *rand.Rand, s shape) {
		dy, w := uniform(r, s.m*s.n), uniform(r, s.n*s.k)
		want, size := refGradInput(dy, w, s.m, s.n, s.k)
		each(func(d *Device) {
			dx := output(t, d, s.m*s.k)
			d.LinearGradInput(dx, upload(t, d, dy), upload(t, d, w), s.m, s.n, s.k)
			near(t, "dx", download(d, dx), want, size, rounding)
		})
	})
}

func TestSumRows(t *testing.T) {
	eachShape(t, func(t *testing.T, each func(func(d *Device)), r *rand.Rand, s shape) {
		x := uniform(r, s.m*s.n)
		want, size := refSumRows(x, s.m, s.n)
		each(func(d *Device) {
			y := output(t, d, s.n)
			d.SumRows(y, upload(t, d, x), s.m, s.n)
			near(t, "y", download(d, y), want, size, 1e-7) // float64 until the last rounding
		})
	})
}

func TestReLUGrad(t *testing.T) {
	eachShape(t, func(t *testing.T, each func(func(d *Device)), r *rand.Rand, s shape) {
		dy, y := uniform(r, s.m*s.k), uniform(r, s.m*s.k)
		y[0] = 0
		want := make([]float32, len(y))
		for i := range y {
			if y[i] > 0 {
				want[i] = dy[i]
			}
		}
		each(func(d *Device) {
			dx, in := output(t, d, len(y)), upload(t, d, dy)
			d.ReLUGrad(dx, in, upload(t, d, y), len(y))
			same(t, "dx", download(d, dx), want)
			d.ReLUGrad(in, in, upload(t, d, y), len(y))
			same(t, "dx in place", download(d, in), want)
		})
	})
}

func TestStandardize(t *testing.T) {
	eachShape(t, func(t *testing.T, each func(func(d *Device)), r *rand.Rand, s shape) {
		x, mean, scale := uniform(r, s.m*s.n), uniform(r, s.n), uniform(r, s.n)
		want := make([]float64, len(x))
		for i, v := range x {
			want[i] = float64(v-mean[i%s.n]) * float64(scale[i%s.n])
		}
		each(func(d *Device) {
			y, in := output(t, d, len(x)), upload(t, d, x)
			d.Standardize(y, in, upload(t, d, mean), upload(t, d, scale), s.m, s.n, 1)
			near(t, "y", download(d, y), want, nil, 1e-7)
			d.Standardize(in, in, upload(t, d, mean), upload(t, d, scale), s.m, s.n, 1)
			near(t, "y in place", download(d, in), want, nil, 1e-7)
		})
	})
}

func TestAdd(t *testing.T) {
	eachShape(t, func(t *testing.T, each func(func(d *Device)), r *rand.Rand, s shape) {
		a, b := uniform(r, s.m*s.n), uniform(r, s.m*s.n)
		want := make([]float32, len(a))
		for i := range a {
			want[i] = a[i] + b[i]
		}
		each(func(d *Device) {
			y := output(t, d, len(a))
			first, second := upload(t, d, a), upload(t, d, b)
			d.Add(y, first, second, len(a))
			same(t, "y", download(d, y), want)
			d.Add(first, first, second, len(a))
			same(t, "y in a", download(d, first), want)
			first = upload(t, d, a)
			d.Add(second, first, second, len(a))
			same(t, "y in b", download(d, second), want)
		})
	})
}

// A NaN must reach the loss, where training names it: ReLU may not turn it into 0.
func TestLinearKeepsNaN(t *testing.T) {
	for _, s := range []shape{{4, 40, 8}, {40, 4, 8}} {
		for _, d := range engines(t, 2) {
			testKeepsNaN(t, d, s)
		}
	}
}

func testKeepsNaN(t *testing.T, d *Device, s shape) {
	x := uniform(rng.Stream(1, "nan"), s.m*s.k)
	x[0] = float32(math.NaN())
	y := output(t, d, s.m*s.n)
	d.Linear(y, upload(t, d, x), fill(t, d, s.n*s.k), fill(t, d, s.n), s.m, s.n, s.k, true)
	for i, v := range download(d, y) {
		if row := i / s.n; math.IsNaN(float64(v)) != (row == 0) {
			t.Fatalf("%s, M%d N%d: element %d is %v", d.Engine(), s.m, s.n, i, v)
		}
	}
}
