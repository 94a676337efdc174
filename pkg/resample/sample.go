package resample

import (
	"fmt"
	"math"
)

// SampleOptions are the settings of SampleLevel.
type SampleOptions struct {
	Strength float64 // multiplies the number of copies; 1 is published
}

// Validate returns an error for settings that SampleLevel cannot work with.
func (o SampleOptions) Validate() error {
	if !(o.Strength > 0) || math.IsInf(o.Strength, 0) {
		return fmt.Errorf("strength %v: want a finite number above 0", o.Strength)
	}
	return nil
}

// SampleLevel plans every sample once, whole, and for each modality that contributes less than its share to the sample
// copies in which only that modality is kept. It makes one pass; names are the modalities' names.
func SampleLevel[B Batch](pass Pass[B], names []string, o SampleOptions, emit Emit[B]) (Summary, error) {
	pl := newPlanner(names, emit)
	if err := o.Validate(); err != nil {
		return pl.summary, err
	}
	copies := func(_, p, n int, phi float64) (int64, error) {
		k := Copies(n, phi, o.Strength)
		if k > MaxCopies {
			return 0, &RowError{pl.summary.Samples, names[p],
				fmt.Sprintf("%v at strength %v asks for more than %d copies", phi, o.Strength, MaxCopies)}
		}
		return k, nil
	}
	err := pass(func(b B) error { return pl.batch(b, copies) })
	return pl.summary, err
}

// Copies returns how many copies with only one modality a sample of n modalities gets where that modality's
// contribution is phi: max(1, n (1 - phi) strength), rounded half up, where phi < 1; else 0. Beyond MaxCopies it
// returns MaxCopies+1.
func Copies(n int, phi, strength float64) int64 {
	if phi >= 1-tolerance {
		return 0
	}
	k := math.Floor(float64(n)*(1-phi)*strength + 0.5 + tolerance)
	return int64(max(1, min(k, MaxCopies+1)))
}
