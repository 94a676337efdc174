package media

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"mmtools/pkg/rng"
)

// slowResample is the formula of Resampler's documentation, in seconds, without phases or tables.
func slowResample(x []float32, from, to, n int) []float64 {
	f := resampleRolloff * math.Min(float64(from), float64(to))
	y := make([]float64, n)
	for i := range y {
		for k, v := range x {
			u := f * (float64(i)/float64(to) - float64(k)/float64(from))
			if math.Abs(u) < resampleZeros {
				window := besselI0(resampleBeta*math.Sqrt(1-math.Pow(u/resampleZeros, 2))) / besselI0(resampleBeta)
				y[i] += float64(v) * f / float64(from) * sinc(u) * window
			}
		}
	}
	return y
}

func TestResampleEqualsReference(t *testing.T) {
	random := rng.Stream(2, "sound")
	x := make([]float32, 700)
	for i := range x {
		x[i] = float32(random.NormFloat64())
	}
	for _, rates := range [][2]int{{8000, 16000}, {16000, 8000}, {44100, 16000}, {11025, 8000}, {8000, 8000}, {3, 100}} {
		t.Run(fmt.Sprint(rates), func(t *testing.T) {
			r, err := NewResampler(rates[0], rates[1])
			if err != nil {
				t.Fatal(err)
			}
			n := r.Len(len(x))
			if want := int(math.Ceil(float64(len(x)) * float64(rates[1]) / float64(rates[0]))); n != want {
				t.Fatalf("Len: got %d, want %d", n, want)
			}
			n = min(n, 2000)
			got := make([]float32, n)
			r.Resample(got, x)
			if rates[0] == rates[1] {
				if !slices.Equal(got, x) {
					t.Error("equal rates change the sound")
				}
				return
			}
			for i, want := range slowResample(x, rates[0], rates[1], n) {
				if math.Abs(float64(got[i])-want) > 1e-5 {
					t.Fatalf("sample %d: got %v, want %v", i, got[i], want)
				}
			}
			part := make([]float32, 20)
			r.Resample(part, x[:min(len(x), r.Need(20))])
			if !slices.Equal(part, got[:20]) {
				t.Error("the first Need(20) samples give another beginning")
			}
		})
	}
}

// A tone below the cut-off keeps its amplitude and phase; one above it vanishes. That is what resampling is for.
func TestResampleTones(t *testing.T) {
	r, err := NewResampler(44100, 16000)
	if err != nil {
		t.Fatal(err)
	}
	x, y := make([]float32, 44100/4), make([]float32, 4000)
	for hertz, gain := range map[float64]float64{440: 1, 5000: 1, 7000: 1, 9000: 0, 20000: 0} {
		for i := range x {
			x[i] = float32(math.Sin(2 * math.Pi * hertz * float64(i) / 44100))
		}
		r.Resample(y, x)
		for i := 500; i < 3500; i++ { // away from the ends, where the sound is cut off
			want := gain * math.Sin(2*math.Pi*hertz*float64(i)/16000)
			if math.Abs(float64(y[i])-want) > 1e-4 {
				t.Fatalf("%v Hz, sample %d: got %v, want %v", hertz, i, y[i], want)
			}
		}
	}
}

func TestResamplerRefuses(t *testing.T) {
	for _, rates := range [][2]int{{0, 8000}, {8000, 0}, {1048573, 16001}} {
		if _, err := NewResampler(rates[0], rates[1]); err == nil {
			t.Errorf("%v: want an error", rates)
		}
	}
}

func TestBesselI0(t *testing.T) { // scipy.special.i0
	for x, want := range map[float64]float64{0: 1, 1: 1.2660658777520082, 10: 2815.716628466254} {
		if got := besselI0(x); math.Abs(got-want) > 1e-14*want {
			t.Errorf("I0(%v): got %v, want %v", x, got, want)
		}
	}
}
