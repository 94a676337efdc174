package metric

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

var (
	tiedScores = []float64{.9, .8, .8, .7, .6, .6, .6, .1}
	tiedTruth  = []bool{true, false, true, true, false, false, true, false}
)

func narrow(x []float64) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		y[i] = float32(v)
	}
	return y
}

// scikit-learn 1.2.1: average_precision_score and roc_auc_score. The second row is the example of its documentation. By hand,
// the first: R_k are 1/4, 2/4, 3/4, 4/4 where P_k are 1/1, 2/3, 3/4, 4/7, so AP = (1 + 2/3 + 3/4 + 4/7) / 4.
func TestRankingAgainstScikitLearn(t *testing.T) {
	for _, row := range []struct {
		name    string
		score   []float64
		truth   []bool
		ap, auc float64
	}{
		{"ties", tiedScores, tiedTruth, (1 + 2./3 + 3./4 + 4./7) / 4, 0.78125},
		{"documentation", []float64{.1, .4, .35, .8}, []bool{false, false, true, true}, 0.8333333333333333, 0.75},
		{"perfect", []float64{-3, -1, 0, 2}, []bool{false, false, true, true}, 1, 1},
		{"reversed", []float64{-3, -1, 0, 2}, []bool{true, false, false, false}, 0.25, 0},
		{"all equal", []float64{5, 5, 5, 5}, []bool{true, false, false, false}, 0.25, 0.5},
		{"no positive", []float64{1, 2}, []bool{false, false}, math.NaN(), math.NaN()},
		{"no negative", []float64{1, 2}, []bool{true, true}, 1, math.NaN()},
		{"nothing", nil, nil, math.NaN(), math.NaN()},
	} {
		t.Run(row.name, func(t *testing.T) {
			near(t, "AP", AveragePrecision(narrow(row.score), row.truth), row.ap)
			near(t, "AUC", AUC(row.score, row.truth), row.auc)
		})
	}
}

// congruential makes the labels and scores of the reference run: x' = (1103515245 x + 12345) mod 2^31 from 12345, the
// value x >> 16; first 40 labels mod 4, then 40 rows of 4 scores mod 10, so that there are many ties.
func congruential() (label []int32, score []float32) {
	x := uint64(12345)
	next := func(mod uint64) uint64 {
		x = (x*1103515245 + 12345) & 0x7fffffff
		return x >> 16 % mod
	}
	for range 40 {
		label = append(label, int32(next(4)))
	}
	for range 160 {
		score = append(score, float32(next(10)))
	}
	return label, score
}

// scikit-learn 1.2.1 on the same 40 rows: the mean of average_precision_score over the four classes, and f1_score and
// accuracy_score of the first largest score.
func TestAccumulatorAgainstScikitLearn(t *testing.T) {
	label, score := congruential()
	prediction := make([]int32, len(label))
	for i := range label {
		for c := 1; c < 4; c++ {
			if score[i*4+c] > score[i*4+int(prediction[i])] {
				prediction[i] = int32(c)
			}
		}
	}
	a := NewAccumulator(4)
	for _, span := range [][2]int{{0, 7}, {7, 7}, {7, 40}} {
		a.Add(label[span[0]:span[1]], prediction[span[0]:span[1]], score[span[0]*4:span[1]*4])
	}
	if got := a.Add([]int32{-1}, []int32{2}, []float32{9, 9, 9, 9}); got != 1 || a.Total() != 40 {
		t.Errorf("an unlabelled row: %d left out of %d", got, a.Total())
	}
	near(t, "mean AP", a.MeanAveragePrecision(), 0.2735665570383408)
	near(t, "macro F1", a.MacroF1(), 0.1784090909090909)
	near(t, "accuracy", a.Accuracy(), 0.175)
	if a.Buffered() < 40*5*4 {
		t.Errorf("buffered %d bytes, want at least %d", a.Buffered(), 40*5*4)
	}
}

func TestMeanAveragePrecisionLeavesOutAbsentClasses(t *testing.T) {
	score := []float32{.9, .1, 0, .2, .8, 0} // class 2 has no sample
	near(t, "mean AP", MeanAveragePrecision(score, []int32{0, 1}, 3), 1)
	near(t, "mean AP of nothing", MeanAveragePrecision(nil, nil, 3), math.NaN())
}

func drawRanking(t *rapid.T) (score []float32, wide []float64, truth []bool) {
	values := []float32{-2.5, -1, float32(math.Copysign(0, -1)), 0, 1e-30, 0.25, 3, 1e30}
	score = rapid.SliceOfN(rapid.SampledFrom(values), 0, 30).Draw(t, "score")
	truth = rapid.SliceOfN(rapid.Bool(), len(score), len(score)).Draw(t, "truth")
	for _, s := range score {
		wide = append(wide, float64(s))
	}
	return score, wide, truth
}

// The definitions, by counting: for each positive its own threshold (all positives of a threshold share its
// precision), and every pair of a positive and a negative.
func TestRankingAgainstCounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, wide, truth := drawRanking(t)
		var positives, negatives, area, wins float64
		for i, s := range score {
			if !truth[i] {
				negatives++
				continue
			}
			positives++
			var above, right float64
			for j, r := range score {
				if r >= s {
					above++
					if truth[j] {
						right++
					}
				}
				if !truth[j] && r < s {
					wins++
				} else if !truth[j] && r == s {
					wins += 0.5
				}
			}
			area += right / above
		}
		ap, auc := area/positives, wins/(positives*negatives) // 0/0 is NaN, as wanted
		if got := AveragePrecision(score, truth); math.Abs(got-ap) > 1e-12 || math.IsNaN(got) != math.IsNaN(ap) {
			t.Fatalf("AP: got %v, want %v", got, ap)
		}
		if got := AUC(wide, truth); math.Abs(got-auc) > 1e-12 || math.IsNaN(got) != math.IsNaN(auc) {
			t.Fatalf("AUC: got %v, want %v", got, auc)
		}
	})
}

// Only the order counts: an increasing map changes nothing, and reversing it turns the AUC over.
func TestRankingLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		score, wide, truth := drawRanking(t)
		stretched, reversed := make([]float32, len(score)), make([]float64, len(score))
		for i, s := range score {
			stretched[i], reversed[i] = 8*s, -wide[i]
		}
		if a, b := AveragePrecision(score, truth), AveragePrecision(stretched, truth); a != b && !math.IsNaN(a) {
			t.Fatalf("AP %v, stretched %v", a, b)
		}
		if a, b := AUC(wide, truth), AUC(reversed, truth); !math.IsNaN(a) && math.Abs(a+b-1) > 1e-12 {
			t.Fatalf("AUC %v, reversed %v", a, b)
		}
	})
}
