package valuation

import (
	"mmtools/pkg/modality"
	"mmtools/pkg/shapley"
)

// Summary is what a valuation adds up to. All sums are integers: they do not depend on the order of samples or on how
// they were divided, and those of shards add up to that of the whole.
type Summary struct {
	Samples     int64
	Denominator int64   // of Contribution: lcm(1..n)
	Right       []int64 // (2^n) by coalition: the samples classified rightly with the modalities of it that they have
	Have        []int64 // (n): the samples that have the modality
	// Contribution is, by modality, Denominator times the sum of its contributions. It is exact up to 3.7e9 samples of
	// 20 modalities, and far more of fewer (see shapley.Solver.ExactWon).
	Contribution []int64
	BelowOne     []int64 // (n): the samples to which the modality contributes less than its share, phi < 1
}

// NewSummary returns the Summary of no samples of n modalities.
func NewSummary(n int) Summary {
	return Summary{
		Denominator: shapley.Denominator(n), Right: make([]int64, 1<<n),
		Have: make([]int64, n), Contribution: make([]int64, n), BelowOne: make([]int64, n),
	}
}

// Accuracy returns the share of samples that coalition c classifies rightly, NaN of no samples.
func (s *Summary) Accuracy(c modality.Coalition) float64 {
	return float64(s.Right[c]) / float64(s.Samples)
}

// Mean returns the mean contribution of modality p to the samples that have it, NaN where none has.
func (s *Summary) Mean(p int) float64 {
	return float64(s.Contribution[p]) / float64(s.Denominator) / float64(s.Have[p])
}

// ShareBelowOne returns the share of the samples with modality p to which it contributes less than 1, NaN where none has
// it.
func (s *Summary) ShareBelowOne(p int) float64 { return float64(s.BelowOne[p]) / float64(s.Have[p]) }

// Add adds the sums of other, over other samples of the same modalities.
func (s *Summary) Add(other Summary) {
	s.Samples += other.Samples
	for _, sums := range [][2][]int64{
		{s.Right, other.Right}, {s.Have, other.Have}, {s.Contribution, other.Contribution}, {s.BelowOne, other.BelowOne},
	} {
		for k, x := range sums[1] {
			sums[0][k] += x
		}
	}
}
