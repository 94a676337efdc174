//go:build mmcuda && cgo && linux

package cuda

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mmtools/pkg/kernel"
)

// cuBLASLt computes linear layers where it can, and cuBLAS where it cannot, such as off its alignments: the CPU's results.
func TestLinearLT(t *testing.T) {
	if emulated == "" {
		t.Skip("what cuBLASLt does not do is known of the emulated one only")
	}
	d, host := open(t, Options{}, true), openCPU(t)
	r := rand.New(rand.NewPCG(3, 5))
	const m, n, k = 5, 8, 12
	place := func(d kernel.Device, shift int, values []float32) kernel.Buffer {
		b := alloc(t, d, shift+len(values))
		d.Upload(b, append(make([]float32, shift), values...))
		return b.Slice(shift, shift+len(values))
	}
	drawn := func(n int) []float32 {
		v := make([]float32, n)
		for i := range v {
			v[i] = float32(r.NormFloat64())
		}
		return v
	}
	for _, c := range []struct {
		name       string
		shift      int // of w, in elements
		bias, relu bool
		plans      int // that cuBLASLt has after it
	}{{"product", 0, false, false, 1}, {"bias", 0, true, false, 2}, {"bias and ReLU", 0, true, true, 3}, {"off alignment", 1, true, true, 3},
		{"another bias", 0, true, true, 3}} {
		x, w, b := drawn(m*k), drawn(n*k), drawn(n)
		results := make([][]float32, 2)
		for i, dev := range []kernel.Device{host, d} {
			var bias kernel.Buffer
			if c.bias {
				bias = place(dev, 0, b)
			}
			y := place(dev, 0, make([]float32, m*n))
			dev.Linear(y, place(dev, 0, x), place(dev, c.shift, w), bias, m, n, k, c.relu)
			results[i] = make([]float32, m*n)
			dev.Download(results[i], y)
			if err := dev.Err(); err != nil {
				t.Fatal(err)
			}
		}
		for i, want := range results[0] {
			if !(math.Abs(float64(results[1][i]-want)) <= 1e-5) {
				t.Fatalf("%s: element %d is %v, want %v", c.name, i, results[1][i], want)
			}
		}
		plans := 0
		for _, p := range d.lt.plans {
			if p != nil {
				plans++
			}
		}
		if plans != c.plans {
			t.Errorf("after %s: cuBLASLt has %d plans, want %d", c.name, plans, c.plans)
		}
	}
}

// A product that cuBLASLt offers and then refuses is cuBLAS's from then on.
func TestLinearRefused(t *testing.T) {
	if emulated == "" {
		t.Skip("only the emulated cuBLASLt can be told to refuse")
	}
	t.Setenv("MM_EMULATED_REFUSE", "product")
	d := open(t, Options{}, true)
	x, w, y := alloc(t, d, 4), alloc(t, d, 4), alloc(t, d, 4)
	d.Upload(x, []float32{1, 2, 3, 4})
	d.Upload(w, []float32{1, 0, 0, 1})
	got := make([]float32, 4)
	for range 2 {
		d.Linear(y, x, w, nil, 2, 2, 2, false)
	}
	d.Download(got, y)
	if want := []float32{1, 2, 3, 4}; d.Err() != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, want %v: %v", got, want, d.Err())
	}
	if len(d.lt.plans) != 1 {
		t.Errorf("%d products were planned, want 1", len(d.lt.plans))
	}
	for key, p := range d.lt.plans {
		if p != nil {
			t.Errorf("%+v is still cuBLASLt's", key)
		}
	}
}

// cuBLASLt is opened beside the cuBLAS that is there: of another version it may want another driver.
func TestCandidatesOfLT(t *testing.T) {
	t.Setenv(ltEnvironment, "")
	for blas, want := range map[string][]string{
		"libcublas.so.12": {"libcublasLt.so.12"}, "/cuda/lib/libcublas.so.11": {"/cuda/lib/libcublasLt.so.11"},
		"/cuda/other.so": {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11"},
	} {
		if got := ltCandidates(blas); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", blas, got, want)
		}
	}
	t.Setenv(ltEnvironment, "none")
	if got := ltCandidates("libcublas.so.12"); len(got) > 0 {
		t.Errorf("none: got %v", got)
	}
}
