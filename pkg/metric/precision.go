package metric

import (
	"fmt"
	"math"
	"slices"
)

// AveragePrecision returns the area under the step-wise precision-recall curve
//
//	AP = sum_k (R_k - R_{k-1}) P_k
//
// over the distinct scores, highest first: samples of equal score enter together, so the order of the samples does not
// matter. It is scikit-learn's average_precision_score, without interpolation. positive[i] says whether sample i is of
// the class. NaN when no sample is; NaN scores panic.
func AveragePrecision(score []float32, positive []bool) float64 {
	if len(score) != len(positive) {
		panic(fmt.Sprintf("metric: %d scores and %d truths", len(score), len(positive)))
	}
	keys := make([]uint64, len(score))
	for i, s := range score {
		keys[i] = rankKey(s, positive[i])
	}
	return averagePrecision(keys)
}

// rankKey packs a score and a truth so that keys ordered as integers are ordered by score: sorting plain integers is
// several times faster than sorting indices through a comparison. The truth is the lowest bit.
func rankKey(score float32, positive bool) uint64 {
	if score != score {
		panic("metric: score is NaN")
	}
	bits := math.Float32bits(score + 0) // -0 + 0 is +0: the two zeros tie
	if bits>>31 == 1 {
		bits = ^bits // negative floats order backwards by magnitude
	} else {
		bits |= 1 << 31
	}
	key := uint64(bits) << 1
	if positive {
		key |= 1
	}
	return key
}

// averagePrecision sorts keys in place.
func averagePrecision(keys []uint64) float64 {
	slices.Sort(keys)
	var positives int64
	for _, k := range keys {
		positives += int64(k & 1)
	}
	if positives == 0 {
		return math.NaN()
	}
	var area float64
	var taken, hits, before int64 // above the threshold; right among them; right before this group of equal scores
	for i := len(keys) - 1; i >= 0; i-- {
		taken++
		hits += int64(keys[i] & 1)
		if i > 0 && keys[i-1]>>1 == keys[i]>>1 {
			continue
		}
		area += float64(hits-before) / float64(positives) * float64(hits) / float64(taken)
		before = hits
	}
	return area
}

// MeanAveragePrecision returns the mean over the classes of the one-vs-rest AveragePrecision; classes without a
// sample are left out. score is (N,C) row major, label is (N). NaN of no sample.
func MeanAveragePrecision(score []float32, label []int32, classes int) float64 {
	n := len(label)
	if len(score) != n*classes {
		panic(fmt.Sprintf("metric: %d scores of %d samples and %d classes", len(score), n, classes))
	}
	keys := make([]uint64, n)
	var sum float64
	var counted int
	for c := range classes {
		for i := range n {
			keys[i] = rankKey(score[i*classes+c], int(label[i]) == c)
		}
		if ap := averagePrecision(keys); !math.IsNaN(ap) {
			sum += ap
			counted++
		}
	}
	if counted == 0 {
		return math.NaN()
	}
	return sum / float64(counted)
}
