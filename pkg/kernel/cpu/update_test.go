package cpu

import (
	"fmt"
	"math"
	"testing"

	"mmtools/pkg/kernel"
	"mmtools/pkg/rng"
)

// lengths are those at the edges of vectors and of threads' shares, and one of many partial sums.
var lengths = []int{1, 3, 15, 16, 17, 100, 8191, 8193, 20000, 50001}

var adamSettings = kernel.Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-4}

// rates uploads those of a step.
func rates(tb testing.TB, d *Device, r [kernel.RateCount]float32) kernel.Buffer {
	return upload(tb, d, r[:])
}

// eachLength runs a subtest for every length and number of threads, with a factor of the gradients and without.
func eachLength(t *testing.T, test func(t *testing.T, d *Device, n int, scale kernel.Buffer, factor float64)) {
	for _, threads := range threadCounts {
		d := open(t, threads)
		half := upload(t, d, []float32{0.5})
		for _, n := range lengths {
			t.Run(fmt.Sprintf("threads %d n %d", threads, n), func(t *testing.T) { test(t, d, n, nil, 1) })
			t.Run(fmt.Sprintf("threads %d n %d scaled", threads, n), func(t *testing.T) { test(t, d, n, half, 0.5) })
		}
	}
}

func TestAdam(t *testing.T) {
	eachLength(t, func(t *testing.T, d *Device, n int, scale kernel.Buffer, factor float64) {
		for _, decoupled := range []bool{false, true} {
			r := rng.Stream(1, "adam", n)
			start := uniform(r, n)
			p, m, v := output(t, d, n), output(t, d, n), output(t, d, n)
			d.Upload(p, start)
			d.Upload(m, make([]float32, n))
			d.Upload(v, make([]float32, n))
			wantP, wantM, wantV := doubles(start), make([]float64, n), make([]float64, n)
			o := adamSettings
			o.WeightDecay, o.Decoupled = 0.01, decoupled
			for step := int64(1); step <= 5; step++ {
				g := uniform(r, n)
				d.Adam(p, upload(t, d, g), m, v, scale, rates(t, d, o.Rates(step, 1e-3)), n, o)
				refAdam(wantP, doubles(g), wantM, wantV, factor, o, step, 1e-3)
			}
			one := make([]float64, n)
			for i := range one {
				one[i] = 1
			}
			near(t, "m", download(d, m), wantM, one, 1e-7)
			near(t, "v", download(d, v), wantV, one, 1e-7)
			near(t, "p", download(d, p), wantP, one, 5e-7)
		}
	})
}

func TestSGD(t *testing.T) {
	eachLength(t, func(t *testing.T, d *Device, n int, scale kernel.Buffer, factor float64) {
		for _, momentum := range []float64{0, 0.9} {
			r := rng.Stream(1, "sgd", n)
			start := uniform(r, n)
			p := output(t, d, n)
			d.Upload(p, start)
			var buf kernel.Buffer
			if momentum != 0 {
				buf = upload(t, d, uniform(r, n)) // what it holds at the first step must not matter
			}
			wantP, wantBuf := doubles(start), make([]float64, n)
			o := kernel.SGD{Momentum: momentum, WeightDecay: 0.01}
			for step := int64(1); step <= 5; step++ {
				g := uniform(r, n)
				d.SGD(p, upload(t, d, g), buf, scale, rates(t, d, o.Rates(step, 0.1)), n, o)
				refSGD(wantP, doubles(g), wantBuf, factor, o, step, 0.1)
			}
			one := make([]float64, n)
			for i := range one {
				one[i] = 1
			}
			near(t, "p", download(d, p), wantP, one, 1e-6)
		}
	})
}

func TestClipScale(t *testing.T) {
	eachLength(t, func(t *testing.T, d *Device, n int, _ kernel.Buffer, _ float64) {
		g := uniform(rng.Stream(1, "clip", n), n)
		norm := refNorm(g)
		for _, maxNorm := range []float64{norm / 3, norm * 3} {
			scale := output(t, d, 1)
			d.ClipScale(scale, upload(t, d, g), n, float32(maxNorm))
			near(t, "scale", download(d, scale), []float64{min(1, maxNorm/(norm+1e-6))}, nil, 3e-7)
		}
	})
}

// More elements than partial sums are held at once: the norm of a constant is known.
func TestClipScaleLong(t *testing.T) {
	if testing.Short() {
		t.Skip("140 MB")
	}
	const n = 4096*8192 + 5000
	d := open(t, 2)
	g := make([]float32, n)
	for i := range g {
		g[i] = 0.5
	}
	scale := output(t, d, 1)
	d.ClipScale(scale, upload(t, d, g), n, 1)
	near(t, "scale", download(d, scale), []float64{1 / (math.Sqrt(n) / 2)}, nil, 1e-7)
}

func TestClipScaleKeepsNaN(t *testing.T) {
	d := open(t, 1)
	scale := output(t, d, 1)
	d.ClipScale(scale, upload(t, d, []float32{1, float32(math.NaN())}), 2, 1)
	if x := download(d, scale)[0]; !math.IsNaN(float64(x)) {
		t.Errorf("scale %v, want NaN", x)
	}
}
