package dsp

import (
	"encoding/binary"
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
		z := noise(n*Lanes, "passes")
		whole := copied(z)
		passes(z, p.radices, p.twiddles, n/2)
		goPasses(whole, p.radices, p.twiddles, n/2)
		same(t, fmt.Sprint("passes of ", n), z, whole)
		got, want := Rows(p.Bins()), Rows(p.Bins())
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
		equal(t, fmt.Sprint("store of ", count), got, want)
		got, want = make([]float32, 21*10), make([]float32, 21*10)
		Spread(got, 10, rows, count)
		goSpread(want, 10, rows, count)
		equal(t, fmt.Sprint("spread of ", count), got, want)
	}
	got, want = noise(3*Lanes, "root"), Rows(3)
	for i, v := range got {
		got[i] = v * v * math.Exp(float64(20*i-240))
	}
	got[5] = 0
	copy(want, got)
	Root(got)
	goRoot(want)
	same(t, "root", got, want)
}

func equal(t *testing.T, what string, got, want []float32) {
	t.Helper()
	for i, w := range want {
		if got[i] != w {
			t.Fatalf("%s: element %d: got %v, want %v", what, i, got[i], w)
		}
	}
}

// Every encoding of one, two and more channels is the mean that the definition makes of it, to the bit.
func TestMixAgrees(t *testing.T) {
	random := rng.Stream(5, "mix")
	for e := Uint8; e <= Float64; e++ {
		for _, channels := range []int{1, 2, 3, 6} {
			const frames = 37
			b := make([]byte, frames*channels*e.Size())
			for i := range b {
				b[i] = byte(random.Uint32())
			}
			for i := range frames * channels {
				switch at := b[i*e.Size():]; e {
				case Float32:
					binary.LittleEndian.PutUint32(at, math.Float32bits(float32(random.NormFloat64())))
				case Float64:
					binary.LittleEndian.PutUint64(at, math.Float64bits(random.NormFloat64()))
				}
			}
			got, fast, want := make([]float32, frames), make([]float32, frames), make([]float32, frames)
			for i := range want {
				var sum float64
				for c := range channels {
					sum += e.value(b[(i*channels+c)*e.Size():])
				}
				want[i] = float32(sum * (1 / float64(channels)))
			}
			Mix(got, b, e, channels)
			goMix(fast, b, e, channels)
			what := fmt.Sprintf("encoding %d, %d channels", e, channels)
			equal(t, what, got, want)
			equal(t, what+" in Go", fast, want)
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

// slowFilter is the definition of Filter.
func slowFilter(f *Filter, n int, x []float32) []float64 {
	y := make([]float64, n)
	for i := range y {
		for k := range 2*f.Reach + 1 {
			if at := i*f.From/f.To - f.Reach + k; at >= 0 && at < len(x) {
				y[i] += float64(f.Taps[i*f.From%f.To*(2*f.Reach+1)+k]) * float64(x[at])
			}
		}
	}
	return y
}

// The spans of a sound, its ends, and tiles of outputs that do not fill up are where a mistake would show; one Filter does them all,
// in any order.
func TestFilterEqualsDefinition(t *testing.T) {
	for _, c := range []struct{ from, to, reach int }{{4, 3, 43}, {1, 2, 5}, {3, 1, 20}, {441, 160, 30}, {7, 900, 3}, {901, 2, 600}} {
		f := &Filter{From: c.from, To: c.to, Reach: c.reach, Taps: make([]float32, c.to*(2*c.reach+1))}
		for i, v := range noise(len(f.Taps), "taps") {
			f.Taps[i] = float32(v)
		}
		for _, n := range []int{2000, 1, 150, 7, 16, 833, 0} {
			for _, length := range []int{n * c.from / c.to, n*c.from/c.to + 3*c.reach, 1} {
				x, got := make([]float32, length), make([]float32, n)
				for i, v := range noise(length, "x") {
					x[i] = float32(v)
				}
				f.Apply(got, x)
				for i, want := range slowFilter(f, n, x) {
					if math.Abs(float64(got[i])-want) > 1e-5 {
						t.Fatalf("%v of %d samples, output %d of %d: got %v, want %v", c, length, i, n, got[i], want)
					}
				}
			}
		}
	}
}

// Built with the kernels in C, the sums of a phase are those in Go.
func TestPhasesAgree(t *testing.T) {
	rows, got, want, taps := noise(40*Lanes, "rows"), Rows(3), Rows(3), make([]float32, 60)
	for i, v := range noise(len(taps), "taps") {
		taps[i] = float32(v)
	}
	for _, width := range []int{1, 3, 4, 21} {
		places := []int64{0, 30, 7, 0, 19, 39}
		phases(got, rows, taps, places, width)
		goPhases(want, rows, taps, places, width)
		same(t, fmt.Sprint("phases of ", width), got, want)
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
