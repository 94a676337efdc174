package metric

import (
	"math"
	"slices"
)

// Quantiles returns the quantiles of x at the probabilities p, each in [0,1], by linear interpolation between order
// statistics (Hyndman and Fan 1996, type 7; numpy's default). x is sorted in place. All are NaN when x is empty.
func Quantiles(x []float64, p ...float64) []float64 {
	slices.Sort(x)
	return interpolate(len(x), func(k int) float64 { return x[k] }, p)
}

// MeanDeviation returns the mean of x and its standard deviation with N-1 in the denominator; the deviation of a
// single value is 0, and both are NaN when x is empty.
func MeanDeviation(x []float64) (mean, deviation float64) {
	if len(x) == 0 {
		return math.NaN(), math.NaN()
	}
	for _, v := range x {
		mean += v
	}
	mean /= float64(len(x))
	if len(x) == 1 {
		return mean, 0
	}
	for _, v := range x {
		deviation += (v - mean) * (v - mean) // two passes: one pass cancels when the spread is small
	}
	return mean, math.Sqrt(deviation / float64(len(x)-1))
}
