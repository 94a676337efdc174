package valuation

import (
	"math"
	"testing"

	"mmtools/pkg/modality"
)

// Shares that are equal are not below their mean, which rounding puts above them: 0.1 three times is 0.30000000000000004.
func TestBelowShare(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct {
		value Value
		phi   []float64
		want  modality.Coalition
	}{
		{Probability, []float64{0.1, 0.1, 0.1}, 0},
		{Probability, []float64{0.1, nan, 0.3}, 1},
		{Probability, []float64{nan, nan, -2}, 0},
		{Published, []float64{0.5, 1, nan}, 1},
		{"", []float64{0.5, 0.5, 1.5}, 3},
	} {
		if got := BelowShare(c.value, c.phi); got != c.want {
			t.Errorf("%s of %v: got %b, want %b", c.value, c.phi, got, c.want)
		}
	}
}
