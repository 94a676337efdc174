package metric

import (
	"iter"
	"maps"
	"math"
	"slices"
)

// mostExact is how many different values a Tally tells apart; of more it keeps 12 bits each.
const mostExact = 1 << 14

// Tally counts how often each value occurs, in about 40 bytes a distinct value. Exact contributions of the published value take few
// values, at most n n! + 1 of n modalities; those of probabilities may all differ. Where there are more than 16,384, values are counted
// as their first 12 bits, and what is below a millionth as 0, so that memory does not grow with their number: quantiles are then
// within a part in 4096. The zero Tally is empty.
type Tally struct {
	counts map[float64]int64
	total  int64
	coarse bool
	sum    float64 // where values are coarse: of the values themselves
}

// Add counts x. NaN stands for no value and is left out.
func (t *Tally) Add(x float64) {
	if x != x {
		return
	}
	if t.counts == nil {
		t.counts = make(map[float64]int64)
	}
	if t.coarse {
		t.sum += x
		x = coarsely(x)
	}
	t.counts[x]++
	t.total++
	if !t.coarse && len(t.counts) > mostExact {
		t.coarsen()
	}
}

func (t *Tally) coarsen() {
	t.sum = t.Mean() * float64(t.total)
	counts := make(map[float64]int64)
	for x, n := range t.counts {
		counts[coarsely(x)] += n
	}
	t.counts, t.coarse = counts, true
}

// coarsely rounds x to 12 significant bits, and what is below a millionth to 0, so that there are few different values.
func coarsely(x float64) float64 {
	const drop = 52 - 11
	if math.Abs(x) < 1e-6 {
		return 0
	}
	return math.Float64frombits((math.Float64bits(x) + 1<<(drop-1)) &^ (1<<drop - 1))
}

// Total returns how many values were counted.
func (t *Tally) Total() int64 { return t.total }

// All goes through the values, the smallest first, and how often each occurs.
func (t *Tally) All() iter.Seq2[float64, int64] {
	return func(yield func(float64, int64) bool) {
		for _, x := range slices.Sorted(maps.Keys(t.counts)) {
			if !yield(x, t.counts[x]) {
				return
			}
		}
	}
}

// Mean returns the mean value, NaN of none. It is summed over the distinct values in order, so the order of Add does not
// matter; where there are too many to tell apart, over the values as they come.
func (t *Tally) Mean() float64 {
	sum := t.sum
	if !t.coarse {
		for x, n := range t.All() {
			sum += x * float64(n)
		}
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
