package resample

import (
	"math"

	"mmtools/pkg/modality"
)

// DefaultReducible is the rows that Reducible adds where no budget is given, as a share of the samples.
const DefaultReducible = 0.1

// Reserve is what Reducible adds to all that modalities lack, in units of the value: of log-probabilities, a tenth of a nat.
const Reserve = 0.1

// reducible is the function of Reducible: it is no Copying that one can ask SampleLevel for.
const reducible Copying = "reducible"

// Reducible plans every sample once, whole, and in addition as many rows with only one modality as the budget says, Budget times the
// samples. In place of contributions it takes what each modality of each sample could give and does not give yet: phi is its potential,
// told by models that were not trained on the sample, less its contribution now (see Lack). The rows are spread in proportion to that where
// it is above 0 and to Reserve, as many for each modality:
//
//	w_i = (max(0, phi_i) + Reserve) / sum of (max(0, phi_i) + Reserve) over the samples that have the modality
//
// A modality that is noise in a sample has no potential there, and one that is learnt has reached it: both are seldom copied while others
// lack more. When all is learnt, Reserve spreads the rows over all samples; else the little that is left would have the same few copied
// again and again. That a loss is worth training on for what of it can still go is from S. Mindermann et al., Prioritized Training on
// Points that are Learnable, Worth Learning, and Not Yet Learnt, ICML 2022; here it is of one modality at a time.
//
// Strength, Function, Exponent and MaxCopies of o are ignored; a Budget of 0 is DefaultReducible.
func Reducible[B Batch](pass Pass[B], names []string, o SampleOptions, emit Emit[B]) (Summary, error) {
	return SampleLevel(pass, names, o.Reducible(), emit)
}

// Reducible returns o as Reducible has it.
func (o SampleOptions) Reducible() SampleOptions {
	o.Strength, o.Function, o.Exponent, o.MaxCopies = 1, reducible, 0, 0
	if o.Budget == 0 {
		o.Budget = DefaultReducible
	}
	return o
}

// Lack writes to phi, contributions, what is left of a potential: potential - phi. It returns the first row where one of them is NaN and
// the other is not, -1 where there is none: a sample has a modality or lacks it, whoever values it.
func Lack(phi, potential []float64) int {
	for i, x := range phi {
		if math.IsNaN(x) != math.IsNaN(potential[i]) {
			return i
		}
		phi[i] = potential[i] - x
	}
	return -1
}

// reduce fills amounts with what each modality of a sample lacks and Reserve, times its level where that is known.
func (s *sampleLevel) reduce(row int, present modality.Coalition, phi [][]float64) {
	clear(s.amounts)
	for p := range present.Members() {
		s.amounts[p] = max(0, phi[p][row]) + Reserve
		if s.levels != nil {
			s.amounts[p] *= s.levels[p]
		}
	}
}

// level scales what is wanted so that modalities, (n), that are wanted at all are wanted as much as each other, and returns the scales.
func (t *totals) level(n int) []float64 {
	levels := make([]float64, n)
	for _, label := range t.classes() {
		for p, w := range t.wanted[label] {
			levels[p] += w
		}
	}
	for p, w := range levels {
		if w > 0 {
			levels[p] = 1 / w
		}
	}
	for _, label := range t.classes() {
		for p := range t.wanted[label] {
			t.wanted[label][p] *= levels[p]
		}
	}
	return levels
}
