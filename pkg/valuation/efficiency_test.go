package valuation

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestEfficiency holds that what the modalities of a sample contribute sums to v(all) - v({}): weighted by the size of coalitions, that is
// their number where the sample is classified rightly (published), and unweighted 1 there, less 1 where the bias alone, or what stands
// in, is right (right); and so for every other value, under every absence, by every estimator of Shapley values, and of samples that
// lack modalities.
func TestEfficiency(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 12))
	m, s := random(r, 4, 3, 30)
	_, reference := random(r, 4, 3, 25)
	rightBias := false
	eachAbsence(t, m, reference, func(a Absence, model Predictor, repl *Replacement, absent [][][]float32) {
		for _, v := range Values {
			for _, e := range []Estimator{Exact, Permutation, Owen, Kernel} {
				o := Options{Value: v, Replacement: repl, Estimator: e}
				o.Rule.Evaluations = 200
				got, _ := collect(t, s.reader(t), model, o)
				for row := range s.rows {
					present, values, label := expected(m, s, row, v, false, absent)
					if len(present) == 0 {
						continue
					}
					sum, want := 0.0, values[len(values)-1]-values[0]
					for _, p := range present {
						sum += got.Phi[row*4+p]
					}
					if math.Abs(sum-want) > 1e-4*max(1, math.Abs(want)) { // values of float32 sums in another order
						t.Errorf("%T %s %s %s row %d: contributions sum to %v, want %v", model, a, v, e, row, sum, want)
					}
					if a != ZeroFeature {
						continue
					}
					x, _ := partsOf(m, s, row)
					weighted, unweighted := 0.0, 0.0
					if firstMax(x) == label {
						weighted, unweighted = float64(len(present)), 1
					}
					if firstMax(m.bias) == label {
						unweighted, rightBias = unweighted-1, true
					}
					if v == Published && math.Abs(sum-weighted) > 1e-9 || v == Right && math.Abs(sum-unweighted) > 1e-9 {
						t.Errorf("%T %s %s row %d: contributions sum to %v, want %v weighted and %v unweighted", model, v, e, row, sum, weighted, unweighted)
					}
				}
			}
		}
	})
	if !rightBias {
		t.Error("the bias is right of no sample: nothing was seen of what it takes away")
	}
}
