package metric

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mathext"
)

// PairedInterval returns the mean of a[k] - b[k] and half the width of its 95% confidence interval, of Student's t with N-1
// degrees of freedom:
//
//	mean ± t(0.975, N-1) s / sqrt(N)
//
// s is the deviation of the differences. What a and b share from pair to pair, as the seed of two runs, cancels; the interval takes
// the differences as normal and independent. Half the width is NaN of fewer than two pairs.
func PairedInterval(a, b []float64) (mean, half float64) {
	if len(a) != len(b) {
		panic(fmt.Sprintf("metric: %d and %d values are no pairs", len(a), len(b)))
	}
	differences := make([]float64, len(a))
	for k := range a {
		differences[k] = a[k] - b[k]
	}
	mean, deviation := MeanDeviation(differences)
	if len(a) < 2 {
		return mean, math.NaN()
	}
	// the quantile from that of the beta distribution: Abramowitz and Stegun 26.7.1, 26.5.2
	freedom := float64(len(a) - 1)
	x := mathext.InvRegIncBeta(freedom/2, 0.5, 0.05)
	return mean, math.Sqrt(freedom*(1-x)/x) * deviation / math.Sqrt(float64(len(a)))
}
