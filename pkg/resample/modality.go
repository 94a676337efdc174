package resample

import (
	"fmt"
	"math"
	"slices"

	"mmtools/pkg/modality"
	"mmtools/pkg/rng"
)

// ModalityOptions are the settings of ModalityLevel.
type ModalityOptions struct {
	Ratio    float64 // size of the subset over which contributions are averaged, as a share of the samples; published 0.2
	Alpha    float64 // scales Function; published 1
	Function Function
	Budget   float64 // extra rows as a share of the samples in place of what Function says, where there is a gap; 0 is what it says
	Weights  bool    // one row of the draws' number as its weight in place of as many rows
	Control  Control
	Seed     uint64
	Epoch    int // that the plan is for
}

// Validate returns an error for settings that ModalityLevel cannot work with.
func (o ModalityOptions) Validate() error {
	if !(o.Ratio > 0 && o.Ratio <= 1) {
		return fmt.Errorf("ratio %v: want a number above 0 and at most 1", o.Ratio)
	}
	if !(o.Alpha > 0) || math.IsInf(o.Alpha, 0) {
		return fmt.Errorf("alpha %v: want a finite number above 0", o.Alpha)
	}
	if !(o.Budget >= 0 && o.Budget <= MaxCopies) {
		return fmt.Errorf("budget %v: want a number above 0 and at most %d", o.Budget, MaxCopies)
	}
	if err := o.Control.check(); err != nil {
		return err
	}
	return o.Function.check()
}

// ModalityLevel plans every sample once, whole, and in addition samples drawn with replacement in which only a modality is
// kept whose mean contribution lies below the average of the means. Of two modalities that is the lower one; of more, they
// share the extra rows in proportion to how far they lie below. It makes three passes: counting, averaging over the subset,
// planning. names are the modalities' names.
func ModalityLevel[B Batch](pass Pass[B], names []string, o ModalityOptions, emit Emit[B]) (Summary, error) {
	pl := newPlanner(names, emit)
	if err := o.Validate(); err != nil {
		return pl.summary, err
	}
	samples, have, err := count(pass, names)
	if err != nil || samples == 0 {
		return pl.summary, err
	}
	subset := NewDraws(max(1, floor(o.Ratio*float64(samples))), samples, rng.Stream(o.Seed, "resample", "modality", o.Epoch, "subset"))
	pl.summary.Means, err = averages(pass, len(names), subset)
	if err != nil {
		return pl.summary, err
	}
	lowest, gap := weakest(pl.summary.Means)
	pl.summary.Lowest, pl.summary.Gap = lowest, gap
	if lowest < 0 {
		err = pass(func(b B) error { return pl.batch(b, nil) })
		return pl.summary, err
	}
	share := o.Function.Share(gap, o.Alpha)
	if o.Budget > 0 && gap > tolerance {
		share = o.Budget
	}
	if share > MaxCopies {
		return pl.summary, fmt.Errorf("a gap of %v at alpha %v asks for %v times the samples, want at most %d",
			gap, o.Alpha, share, MaxCopies)
	}
	means := pl.summary.Means
	if o.Control == Inverse {
		means = make([]float64, len(names))
		for p, mean := range pl.summary.Means {
			means[p] = -mean
		}
	}
	parts := apportion(floor(share*float64(samples)), means)
	draws := make([]*Draws, len(names)) // of the samples that have the modality
	for p, part := range parts {
		draws[p] = NewDraws(part, have[p], rng.Stream(o.Seed, "resample", "modality", o.Epoch, "extra", p))
	}
	keeper := newKeeper(o.Control, len(names), o.Weights, rng.Stream(o.Seed, "resample", "modality", o.Epoch, "control"))
	err = pass(func(b B) error {
		return pl.batch(b, func(_, _ int, present modality.Coalition, _ [][]float64, add adder) error {
			for p := range present.Members() {
				keeper.add(draws[p].Next(), present, p, add)
			}
			return nil
		})
	})
	if err == nil && pl.summary.Samples != samples {
		err = fmt.Errorf("contributions changed between passes: %d rows, then %d", samples, pl.summary.Samples)
	}
	return pl.summary, err
}

// apportion divides extra rows over the modalities whose mean lies below the average of the means, in proportion to how far,
// by largest remainders; of equal ones the first comes first. NaN is no mean.
func apportion(extra int64, means []float64) []int64 {
	average, known := 0.0, 0.0
	for _, mean := range means {
		if mean == mean {
			average, known = average+mean, known+1
		}
	}
	average /= known
	below, sum := make([]float64, len(means)), 0.0
	for p, mean := range means {
		if mean < average-tolerance {
			below[p] = average - mean
			sum += below[p]
		}
	}
	parts, remainders, left := make([]int64, len(means)), make([]float64, len(means)), extra
	if sum == 0 { // all alike: the first
		parts[slices.IndexFunc(means, func(x float64) bool { return x == x })] = extra
		return parts
	}
	for p, b := range below {
		exact := float64(extra) * b / sum
		parts[p] = floor(exact)
		remainders[p] = exact - float64(parts[p])
		left -= parts[p]
	}
	for ; left > 0; left-- {
		most := 0
		for p, r := range remainders {
			if r > remainders[most]+tolerance {
				most = p
			}
		}
		parts[most]++
		remainders[most] = -1
	}
	return parts
}

// count returns the number of samples, and by modality of those that have it.
func count[B Batch](pass Pass[B], names []string) (samples int64, have []int64, err error) {
	have = make([]int64, len(names))
	err = pass(func(b B) error {
		for p := range have {
			for row, phi := range b.Phi(p) {
				switch {
				case math.IsInf(phi, 0):
					return &RowError{samples + int64(row), names[p], fmt.Sprintf("got %v, want a finite number", phi)}
				case phi == phi: // not NaN
					have[p]++
				}
			}
		}
		samples += int64(b.Rows())
		return nil
	})
	return samples, have, err
}

// averages returns the mean contribution by modality over the samples drawn that have it, NaN where there is none. It
// sums in row order.
func averages[B Batch](pass Pass[B], n int, draws *Draws) ([]float64, error) {
	sum, drawn := make([]float64, n), make([]int64, n)
	phi := make([][]float64, n)
	err := pass(func(b B) error {
		for p := range phi {
			phi[p] = b.Phi(p)
		}
		for row := range b.Rows() {
			times := draws.Next()
			if times == 0 {
				continue
			}
			for p, column := range phi {
				if x := column[row]; x == x { // not NaN
					sum[p] += float64(times) * x
					drawn[p] += times
				}
			}
		}
		return nil
	})
	for p := range sum {
		sum[p] /= float64(drawn[p]) // 0/0 is NaN
	}
	return sum, err
}

// weakest returns the modality of the lowest mean, the first of equals, and its distance to the highest; -1 where fewer
// than two modalities have a mean, for there is nothing to balance.
func weakest(means []float64) (lowest int, gap float64) {
	lowest, highest, known := -1, math.Inf(-1), 0
	for p, mean := range means {
		if mean != mean { // NaN
			continue
		}
		known++
		highest = max(highest, mean)
		if lowest < 0 || mean < means[lowest] {
			lowest = p
		}
	}
	if known < 2 {
		return -1, 0
	}
	return lowest, highest - means[lowest]
}

// floor returns the whole part of x; a product that falls short of a whole number by rounding alone counts as it.
func floor(x float64) int64 { return int64(math.Floor(x + tolerance)) }
