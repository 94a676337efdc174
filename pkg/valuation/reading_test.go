package valuation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"mmtools/pkg/metric"
)

func TestReadingByHand(t *testing.T) {
	g := NewReading(2, 3)
	r := &Result{
		Rows: 4, At: []int64{10, 11, 12, 13}, Label: []int32{0, 0, 2, -1}, Prediction: []int32{0, 1, 2, 2},
		Phi: []float64{1.5, 0.5, 0.5, -0.5, 1, 1, 1, math.NaN()},
		Right: []bool{ // none, a, v, both
			false, false, false, true, // each alone is wrong: alike
			false, true, false, false,
			false, true, true, true,
			false, true, false, true,
		},
	}
	g.Add(r, func(i int) string { return fmt.Sprint("s", i) })
	if q := g.Quantiles(0, 0, 0.5, 1); !slices.Equal(q, []float64{0.5, 1, 1.5}) {
		t.Errorf("quantiles %v", q)
	}
	for label, want := range []string{"2 0.5 [1 0]", "0 NaN [NaN NaN]", "1 1 [1 1]"} {
		samples, accuracy, means := g.Class(label)
		if got := fmt.Sprint(samples, accuracy, means); got != want {
			t.Errorf("class %d: got %s, want %s", label, got, want)
		}
	}
	alike, correlation := g.Agreement(0, 1) // two of the three samples with both; phi (1.5,.5) (.5,-.5) (1,1)
	if alike != 2./3 || math.Abs(correlation-0.5/math.Sqrt(0.5*7./6)) > 1e-12 {
		t.Errorf("agreement %v, correlation %v", alike, correlation)
	}
	top := g.Discrepancies()
	if len(top) != 2 || top[0].ID != "s0" || top[0].Row != 10 || top[1].ID != "s1" || top[1].Apart != 1 || top[1].Prediction != 1 {
		t.Errorf("discrepancies %+v", top)
	}
}

// TestReadingIsAccurate holds the figures of many contributions of any value to those of sorted ones.
func TestReadingIsAccurate(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	g := NewReading(2, 1)
	const rows = 30000
	res := &Result{Rows: rows, At: make([]int64, rows), Label: make([]int32, rows), Prediction: make([]int32, rows), Phi: make([]float64, 2*rows)}
	var first []float64
	for k := range res.Phi {
		res.Phi[k] = r.NormFloat64() * 3
		if k%2 == 0 {
			first = append(first, res.Phi[k])
		}
	}
	g.Add(res, func(i int) string { return fmt.Sprint(i) })
	probabilities := []float64{0, 0.05, 0.25, 0.5, 0.75, 0.95, 1}
	want := metric.Quantiles(first, probabilities...)
	for k, got := range g.Quantiles(0, probabilities...) {
		if math.Abs(got-want[k]) > math.Abs(want[k])/2048+2e-6 {
			t.Errorf("quantile %v: got %v, want %v", probabilities[k], got, want[k])
		}
	}
	top := g.Discrepancies()
	if len(top) != mostDiscrepant || !slices.IsSortedFunc(top, func(a, b Discrepancy) int {
		if a.Apart > b.Apart {
			return -1
		}
		return 1
	}) {
		t.Errorf("%d discrepancies, or not in order", len(top))
	}
	largest := 0.0
	for i := range rows {
		largest = max(largest, math.Abs(res.Phi[2*i]-res.Phi[2*i+1]))
	}
	if top[0].Apart != largest {
		t.Errorf("largest discrepancy %v, want %v", top[0].Apart, largest)
	}
}
