package metric

import (
	"cmp"
	"fmt"
	"math"
	"slices"
)

// AUC returns the area under the ROC curve of a binary truth: the chance that a positive sample scores above a
// negative one, half a win for a tie,
//
//	AUC = (sum of the positives' mid-ranks - P(P+1)/2) / (P (N-P))
//
// (Mann and Whitney 1947; ties by mid-rank). NaN when all samples are of one kind; NaN scores panic.
func AUC(score []float64, positive []bool) float64 {
	if len(score) != len(positive) {
		panic(fmt.Sprintf("metric: %d scores and %d truths", len(score), len(positive)))
	}
	order := make([]int, len(score))
	for i, s := range score {
		if s != s {
			panic("metric: score is NaN")
		}
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(score[a], score[b]) })

	var positives, twiceRanks int64 // twice the ranks: mid-ranks are halves, and integers sum exactly
	for first := 0; first < len(order); {
		last := first
		for last+1 < len(order) && score[order[last+1]] == score[order[first]] {
			last++
		}
		for _, i := range order[first : last+1] {
			if positive[i] {
				positives++
				twiceRanks += int64(first + last + 2)
			}
		}
		first = last + 1
	}
	pairs := positives * (int64(len(score)) - positives)
	if pairs == 0 {
		return math.NaN()
	}
	return float64(twiceRanks-positives*(positives+1)) / 2 / float64(pairs)
}
