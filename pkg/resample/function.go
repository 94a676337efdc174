package resample

import (
	"fmt"
	"math"
	"slices"
)

// Function names how the extra share of samples grows with the gap between modalities.
type Function string

// The functions of the modality level (see the package comment).
const (
	Linear Function = "linear"
	Tanh   Function = "tanh"
	Power  Function = "power"
)

// Functions lists every Function.
var Functions = []Function{Linear, Tanh, Power}

// check returns an error for a name that is no Function.
func (f Function) check() error {
	if !slices.Contains(Functions, f) {
		return fmt.Errorf("function %q: want linear, tanh or power", string(f))
	}
	return nil
}

// Share returns f(gap), the share of samples to draw in addition.
func (f Function) Share(gap, alpha float64) float64 {
	x := 2 * gap / 3
	switch f {
	case Linear:
		return alpha * x
	case Tanh:
		return math.Tanh(alpha * x)
	case Power:
		return alpha * math.Pow(x, 1.5)
	}
	panic("resample: unknown function " + string(f))
}
