package resample

import "mmtools/pkg/modality"

// DefaultBudget is the rows that Adaptive adds where no budget is given, as a share of the samples.
const DefaultBudget = 1

// adaptive is the function of Adaptive: it is no Copying that one can ask SampleLevel for.
const adaptive Copying = "adaptive"

// adaptiveFloor is what every modality of every sample wants beyond what its contribution says: 2/7 of the most.
const adaptiveFloor = 0.4

// Adaptive plans every sample once, whole, and in addition as many rows with only one modality as the budget says, Budget times
// the samples, whatever the contributions. These rows are spread over the modalities of all samples in proportion to
//
//	w_i = 2/5 + 4 x (1 - x)  where x is phi_i, at least 0 and at most 1
//
// which is 7/5 where a modality contributes half of its fair share and 2/5 where it contributes nothing or all of it.
//
// SampleLevel copies a modality the more the less it contributes. That has two faults. A modality that contributes nothing
// to a sample is mostly noise there: copies of it are the rows from which least can be learnt, and they are most of the plan where
// much is noisy. And once training has every sample right, the plan is empty. Half of a fair share is where there is something to
// learn that has not been learnt; the constant keeps rows that no contribution asks for, because the contributions to samples
// trained on are not those to others. Measured on real sets it is as good as the control Random for a single modality, and no better:
// docs/results.md.
//
// Strength, Function, Exponent and MaxCopies of o are ignored; a Budget of 0 is DefaultBudget.
func Adaptive[B Batch](pass Pass[B], names []string, o SampleOptions, emit Emit[B]) (Summary, error) {
	return SampleLevel(pass, names, o.Adaptive(), emit)
}

// Adaptive returns o as Adaptive has it.
func (o SampleOptions) Adaptive() SampleOptions {
	o.Strength, o.Function, o.Exponent, o.MaxCopies = 1, adaptive, 0, 0
	if o.Budget == 0 {
		o.Budget = DefaultBudget
	}
	return o
}

// spread fills amounts with the share of the extra rows that each modality of a sample gets, in proportion.
func (s *sampleLevel) spread(row int, present modality.Coalition, phi [][]float64) {
	clear(s.amounts)
	for p := range present.Members() {
		x := min(max(phi[p][row], 0), 1)
		s.amounts[p] = adaptiveFloor + 4*x*(1-x)
	}
}
