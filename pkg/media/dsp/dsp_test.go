package dsp

import (
	"fmt"
	"math"
	"math/cmplx"
	"testing"

	"mmtools/pkg/rng"
)

// slowBins is the definition of the discrete Fourier transform.
func slowBins(x []float64) []complex128 {
	n := len(x)
	out := make([]complex128, n/2+1)
	for k := range out {
		for i, v := range x {
			out[k] += complex(v, 0) * cmplx.Rect(1, -2*math.Pi*float64(i*k%n)/float64(n))
		}
	}
	return out
}

func noise(n int, purpose string) []float64 {
	random, x := rng.Stream(7, purpose), Rows((n + Lanes - 1) / Lanes)[:n]
	for i := range x {
		x[i] = random.Float64()*2 - 1
	}
	return x
}

func TestPowerEqualsDefinition(t *testing.T) {
	for _, n := range []int{2, 3, 4, 6, 7, 8, 10, 14, 16, 18, 20, 30, 32, 50, 60, 64, 128, 353, 400, 446, 480, 500, 512, 1024} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			p := NewPlan(n)
			if want := n%2 == 0 && n != 14 && n != 446; (p.slow == nil) != want {
				t.Errorf("kernels of ours: %v, want %v", !want, want)
			}
			frames, power := noise(n*Lanes, "power"), Rows(p.Bins())
			var want [Lanes][]complex128
			for lane := range want {
				column := make([]float64, n)
				for i := range column {
					column[i] = frames[i*Lanes+lane]
				}
				want[lane] = slowBins(column)
			}
			p.Power(power, frames)
			for lane, bins := range want {
				for k, x := range bins {
					if w := real(x)*real(x) + imag(x)*imag(x); math.Abs(power[k*Lanes+lane]-w) > 1e-12*float64(n)*(1+w) {
						t.Fatalf("frame %d, bin %d: got %v, want %v", lane, k, power[k*Lanes+lane], w)
					}
				}
			}
		})
	}
}

// same reports where two results differ by more than rounding.
func same(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for i, w := range want {
		if math.Abs(got[i]-w) > 1e-13*(1+math.Abs(w)) {
			t.Fatalf("%s: element %d: got %v, want %v", what, i, got[i], w)
		}
	}
}

func copied(x []float64) []float64 {
	y := Rows((len(x) + Lanes - 1) / Lanes)[:len(x)]
	copy(y, x)
	return y
}

// Built with the kernels in C, every one is held to the one in Go.
func TestKernelsAgree(t *testing.T) {
	wave := make([]float32, 400)
	for i, v := range noise(400, "wave") {
		wave[i] = float32(v)
	}
	window := noise(53, "window")
	from := [Lanes]int{0, 11, 22, 33, 44, 55, 66, 347}
	for _, w := range [][]float64{nil, window} {
		got, want := Rows(53), Rows(53)
		gather(got, wave, &from, w)
		goGather(want, wave, &from, w)
		same(t, "gather", got, want)
		for _, centre := range []bool{false, true} {
			got, want := copied(got), copied(want)
			filter(got, window, centre, 0.97)
			goFilter(want, window, centre, 0.97)
			same(t, "filter", got, want)
		}
	}
	for _, n := range []int{4, 8, 12, 20, 240, 512} {
		p := NewPlan(n)
		for _, s := range p.stages {
			got := noise(n*Lanes, "stage")
			want := copied(got)
			pass(got, s)
			goPass(want, s)
			same(t, fmt.Sprint("radix ", s.radix), got, want)
		}
		z, got, want := noise(n*Lanes, "split"), Rows(p.Bins()), Rows(p.Bins())
		split(got, z, p.position, p.turns)
		goSplit(want, z, p.position, p.turns)
		same(t, "split", got, want)
	}
	b := &Bands{First: []int32{0, 3, 9}, Count: []int32{4, 0, 1}, Weights: noise(5, "weights")}
	rows, got, want := noise(10*Lanes, "rows"), Rows(3), Rows(3)
	bands(got, rows, b)
	goBands(want, rows, b)
	same(t, "bands", got, want)
	for _, count := range []int{1, 5, Lanes} {
		rows, got, want := noise(21*Lanes, "store"), make([]float32, 21*count), make([]float32, 21*count)
		store(got, rows, count)
		goStore(want, rows, count)
		for i := range want {
			if got[i] != want[i] {
				t.Fatalf("store of %d: element %d: got %v, want %v", count, i, got[i], want[i])
			}
		}
	}
}

// Logarithms of numbers of every size are right to a few of the last bits.
func TestLog(t *testing.T) {
	x := []float64{0, 1e-300, 1e-7, math.Sqrt(0.5), math.Nextafter(math.Sqrt2, 2), math.Sqrt2, 1 - 1e-16, 1, 1 + 1e-15, 2, 3, 1e80, 1e300, 0.1, 7, 1023}
	random := rng.Stream(3, "log")
	for range 8 * 500 {
		x = append(x, math.Exp(random.NormFloat64()*100))
	}
	for _, c := range [][2]float64{{0, 1e-7}, {1e-10, 0}, {0, 1e-300}} {
		got := copied(x)
		Log(got, c[0], c[1])
		for i, v := range x {
			if want := math.Log(max(v, c[0]) + c[1]); math.Abs(got[i]-want) > 4e-16*math.Abs(want)+1e-18 {
				t.Errorf("log(max(%v, %v) + %v): got %v, want %v", v, c[0], c[1], got[i], want)
			}
		}
	}
}

func TestResampleAgrees(t *testing.T) {
	x, taps := make([]float32, 200), make([]float32, 3*87)
	for i, v := range noise(200, "x") {
		x[i] = float32(v)
	}
	for i, v := range noise(len(taps), "taps") {
		taps[i] = float32(v)
	}
	got, want := make([]float32, 150), make([]float32, 150)
	Resample(got, x, taps, 4, 3, 43)
	goResample(want, x, taps, 4, 3, 43)
	for i := range want {
		if math.Abs(float64(got[i]-want[i])) > 1e-6 {
			t.Fatalf("sample %d: got %v, want %v", i, got[i], want[i])
		}
	}
}

func BenchmarkPower(b *testing.B) {
	for _, n := range []int{256, 400, 512, 1024} {
		p := NewPlan(n)
		frames, power := noise(n*Lanes, "bench"), Rows(p.Bins())
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			for b.Loop() {
				clear(frames)
				p.Power(power, frames)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/Lanes, "ns/frame")
		})
	}
}
