package resample

import (
	"fmt"
	"math"
	"slices"
)

// Copying names how the copies of a sample in which one modality is kept grow with what that modality lacks, x = 1 - phi,
// of n modalities that the sample has.
type Copying string

// The functions of the sample level. Each is multiplied by the strength.
const (
	Linearly      Copying = "linear"      // n x, rounded half up
	Ceiling       Copying = "ceiling"     // n x, rounded up
	Powerly       Copying = "power"       // n x^e, rounded half up; e is the exponent
	Exponentially Copying = "exponential" // n (exp(x) - 1) / (exp(1) - 1), rounded half up
	Thresholds    Copying = "published"   // 1 where 0.4 < phi < 1, 2 where -0.1 < phi <= 0.4, 3 where phi <= -0.1
)

// Copyings lists every Copying.
var Copyings = []Copying{Linearly, Ceiling, Powerly, Exponentially, Thresholds}

// check returns an error for a name that is no Copying.
func (f Copying) check() error {
	if f != "" && !slices.Contains(Copyings, f) {
		return fmt.Errorf("copies %q: want linear, ceiling, power, exponential or published", string(f))
	}
	return nil
}

// wanted returns how many copies f asks for, before rounding, of a sample of n modalities where one lacks x > 0.
func (o SampleOptions) wanted(n int, x float64) float64 {
	switch o.Function {
	case Powerly:
		return float64(n) * math.Pow(x, o.exponent()) * o.Strength
	case Exponentially:
		return float64(n) * math.Expm1(x) / math.Expm1(1) * o.Strength
	case Thresholds:
		switch {
		case x < 0.6-tolerance:
			return o.Strength
		case x < 1.1-tolerance:
			return 2 * o.Strength
		}
		return 3 * o.Strength
	}
	return float64(n) * x * o.Strength
}

// copies returns how often a sample of n modalities is copied with only the modality whose contribution is phi: where it
// is below its fair share once at least, and MaxCopies at most; beyond that of the package, one more than that.
func (o *SampleOptions) copies(n int, phi float64) int64 {
	x := 1 - phi
	if x <= tolerance {
		return 0
	}
	k := o.wanted(n, x)
	if o.Function == Ceiling {
		k = math.Ceil(k - tolerance)
	} else {
		k = math.Floor(k + 0.5 + tolerance)
	}
	return int64(max(1, min(k, float64(o.most()))))
}

// weight returns what copies counts before rounding: the weight of one row in place of the copies.
func (o *SampleOptions) weight(n int, phi float64) float64 {
	x := 1 - phi
	if x <= tolerance {
		return 0
	}
	return min(o.wanted(n, x), float64(o.most()))
}

func (o *SampleOptions) exponent() float64 {
	if o.Exponent == 0 {
		return DefaultExponent
	}
	return o.Exponent
}

func (o *SampleOptions) most() int64 {
	if o.MaxCopies == 0 {
		return MaxCopies + 1
	}
	return o.MaxCopies
}

// Copies returns how many copies with only one modality a sample of n modalities gets where that modality's
// contribution is phi: max(1, n (1 - phi) strength), rounded half up, where phi < 1; else 0. Beyond MaxCopies it
// returns MaxCopies+1.
func Copies(n int, phi, strength float64) int64 {
	o := SampleOptions{Strength: strength}
	return o.copies(n, phi)
}
