package metric

import (
	"maps"
	"math"
	"slices"
)

// Tally counts how often each value occurs, in about 40 bytes a distinct value. Exact contributions of the published value take few
// values, at most n n! + 1 of n modalities, so a tally of any number of samples is small; those of probabilities may all differ, and
// then it grows with the samples. The zero Tally is empty.
type Tally struct {
	counts map[float64]int64
	total  int64
}

// Add counts x. NaN stands for no value and is left out.
func (t *Tally) Add(x float64) {
	if x != x {
		return
	}
	if t.counts == nil {
		t.counts = make(map[float64]int64)
	}
	t.counts[x]++
	t.total++
}

// Total returns how many values were counted.
func (t *Tally) Total() int64 { return t.total }

// Mean returns the mean value, NaN of none. It is summed over the distinct values in order, so the order of Add does not
// matter.
func (t *Tally) Mean() float64 {
	var sum float64
	for _, x := range slices.Sorted(maps.Keys(t.counts)) {
		sum += x * float64(t.counts[x])
	}
	return sum / float64(t.total) // 0/0 is NaN
}

// Quantiles returns what the function of that name returns for the values one by one.
func (t *Tally) Quantiles(p ...float64) []float64 {
	distinct := slices.Sorted(maps.Keys(t.counts))
	through := make([]int64, len(distinct)) // how many values are at most distinct[i]
	var sum int64
	for i, x := range distinct {
		sum += t.counts[x]
		through[i] = sum
	}
	return interpolate(int(t.total), func(k int) float64 {
		i, _ := slices.BinarySearch(through, int64(k)+1)
		return distinct[i]
	}, p)
}

// interpolate returns the quantiles at p of n values, of which at(k) is the k-th in order.
func interpolate(n int, at func(k int) float64, p []float64) []float64 {
	q := make([]float64, len(p))
	for i, pi := range p {
		if !(pi >= 0 && pi <= 1) {
			panic("metric: quantile at a probability outside 0..1")
		}
		if n == 0 {
			q[i] = math.NaN()
			continue
		}
		whole, part := math.Modf(pi * float64(n-1))
		q[i] = at(int(whole))
		if part > 0 {
			q[i] += part * (at(int(whole)+1) - q[i])
		}
	}
	return q
}
