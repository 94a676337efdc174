package valuation

import (
	"math"

	"mmtools/pkg/modality"
	"mmtools/pkg/shapley"
)

// Summary is what a valuation adds up to. Counts, and the contributions of values that are whole numbers, are integers:
// they do not depend on the order of samples or on how they were divided, and those of shards add up to that of the
// whole. Other contributions are summed in sample order.
type Summary struct {
	Value       Value
	Samples     int64
	Correct     int64   // samples classified rightly with all modalities that they have
	Right       []int64 // (2^n) by coalition: the samples classified rightly with the modalities of it that they have; nil where coalitions were sampled, or are not simply right
	Have        []int64 // (n): the samples that have the modality
	Denominator int64   // of Contribution: lcm(1..n); 0 where Sum holds the contributions
	// Contribution is, by modality, Denominator times the sum of its contributions. It is exact up to 3.7e9 samples of
	// 20 modalities, and far more of fewer (see shapley.Solver.ExactWon). nil where contributions are no fractions.
	Contribution []int64
	Sum          []float64 // (n): otherwise the sum of the contributions
	// BelowOne is, by modality, the samples to which it contributes less than its fair share: phi < 1 for the published
	// value, phi < (v(all) - v({})) / n for others.
	BelowOne    []int64
	Evaluations int64 // of coalitions, where they were sampled
}

// NewSummary returns the Summary of no samples of n modalities and the published value.
func NewSummary(n int) Summary { return newSummary(n, Options{}) }

func newSummary(n int, o Options) Summary {
	s := Summary{Value: o.Value.name(), Have: make([]int64, n), BelowOne: make([]int64, n)}
	if !o.Estimator.Sampled() && !o.drawn() {
		s.Right = make([]int64, 1<<n)
	}
	if o.whole() {
		s.Denominator, s.Contribution = shapley.Denominator(n), make([]int64, n)
	} else {
		s.Sum = make([]float64, n)
	}
	return s
}

// Accuracy returns the share of samples that coalition c classifies rightly, NaN of no samples and where it is not known.
func (s *Summary) Accuracy(c modality.Coalition) float64 {
	switch {
	case c == modality.All(len(s.Have)):
		return float64(s.Correct) / float64(s.Samples)
	case s.Right == nil:
		return math.NaN()
	}
	return float64(s.Right[c]) / float64(s.Samples)
}

// Mean returns the mean contribution of modality p to the samples that have it, NaN where none has.
func (s *Summary) Mean(p int) float64 {
	if s.Contribution == nil {
		return s.Sum[p] / float64(s.Have[p])
	}
	return float64(s.Contribution[p]) / float64(s.Denominator) / float64(s.Have[p])
}

// ShareBelowOne returns the share of the samples with modality p to which it contributes less than its fair share, NaN
// where none has it.
func (s *Summary) ShareBelowOne(p int) float64 { return float64(s.BelowOne[p]) / float64(s.Have[p]) }

// Add adds the sums of other, over other samples of the same modalities, valued alike.
func (s *Summary) Add(other Summary) {
	s.Samples += other.Samples
	s.Correct += other.Correct
	s.Evaluations += other.Evaluations
	for _, sums := range [][2][]int64{
		{s.Right, other.Right}, {s.Have, other.Have}, {s.Contribution, other.Contribution}, {s.BelowOne, other.BelowOne},
	} {
		for k, x := range sums[1] {
			sums[0][k] += x
		}
	}
	for k, x := range other.Sum {
		s.Sum[k] += x
	}
}

// tolerance is how near a contribution that is no fraction may come to the fair share and still count as it.
const tolerance = 1e-9

// take adds the contributions of one sample, (n), that are no fractions.
func (s *Summary) take(phi []float64) {
	for p, x := range phi {
		if x == x { // not NaN
			s.Have[p]++
			s.Sum[p] += x
		}
	}
	for p := range BelowShare(s.Value, phi).Members() {
		s.BelowOne[p]++
	}
}

// BelowShare returns the modalities that contribute less than their fair share to a sample, phi being its contributions, (n), of the
// value v, NaN where it lacks the modality: less than 1 of the published value, and than the mean of phi of others.
func BelowShare(v Value, phi []float64) modality.Coalition {
	fair := 1.0
	if !v.FairlyOne() {
		sum, players := 0.0, 0.0
		for _, x := range phi {
			if x == x { // not NaN
				sum, players = sum+x, players+1
			}
		}
		fair = sum / players
	}
	var below modality.Coalition
	for p, x := range phi {
		if x < fair-tolerance*max(1, math.Abs(fair)) { // never of NaN
			below = below.With(p)
		}
	}
	return below
}
