package metric

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The quantiles are those of any table of Student's t, as Abramowitz and Stegun, table 26.10.
func TestPairedIntervalQuantiles(t *testing.T) {
	for pairs, want := range map[int]float64{2: 12.706, 3: 4.303, 5: 2.776, 11: 2.228, 31: 2.042} {
		a, b := make([]float64, pairs), make([]float64, pairs)
		for k := range a {
			b[k] = float64(k) // the differences are -k, of a known deviation
		}
		mean, half := PairedInterval(a, b)
		n := float64(pairs)
		deviation := math.Sqrt(n * (n + 1) / 12)
		if got := half / deviation * math.Sqrt(n); math.Abs(got-want) > 1e-3 || math.Abs(mean+(n-1)/2) > 1e-12 {
			t.Errorf("%d pairs: t = %v, mean %v, want %v and %v", pairs, got, mean, want, -(n-1)/2)
		}
	}
	if mean, half := PairedInterval([]float64{3}, []float64{1}); mean != 2 || !math.IsNaN(half) {
		t.Errorf("of one pair: %v, %v", mean, half)
	}
}

// Of normal differences the interval holds the true one 95 times in 100: of 4,000, within four deviations of that.
func TestPairedIntervalHolds(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 5))
	const trials = 4000
	held := 0
	for range trials {
		var a, b [5]float64
		for k := range a {
			shared := 10 * r.NormFloat64()
			a[k], b[k] = shared+0.3+r.NormFloat64(), shared+r.NormFloat64()
		}
		if mean, half := PairedInterval(a[:], b[:]); math.Abs(mean-0.3) <= half {
			held++
		}
	}
	if share := float64(held) / trials; math.Abs(share-0.95) > 4*math.Sqrt(0.95*0.05/trials) {
		t.Errorf("%v of the intervals hold the difference, want 0.95", share)
	}
}
