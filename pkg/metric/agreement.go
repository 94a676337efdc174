package metric

import (
	"fmt"
	"math"
)

// Agreement says how well the lowest contribution of each sample names the modality that is known to be noisy there.
type Agreement struct {
	Samples  int     // samples whose noisy modality is known
	Ties     float64 // share of these in which no modality is lowest alone; they count in no other share
	Accuracy float64 // share of the others in which the lowest is the noisy one
	Chance   float64 // what always naming the commonest noisy modality of the others would reach
	AUC      float64 // over all Samples: mean over the modalities of the one-vs-rest AUC, ties by mid-rank
}

// NoisyModality compares contributions with the truth. phi is (N,n) row major; noisy is (N), the index of the noisy
// modality, or negative where it is unknown or there is none. Modality i is ranked by how far its contribution lies
// below the mean of the others'. The AUC's mean leaves out modalities that are noisy always or never; shares without
// a sample are NaN.
func NoisyModality(phi []float64, noisy []int, n int) Agreement {
	if len(phi) != len(noisy)*n || n < 1 {
		panic(fmt.Sprintf("metric: %d contributions of %d samples and %d modalities", len(phi), len(noisy), n))
	}
	var known, right int
	var untied int
	commonest := make([]int, n)
	for i, truth := range noisy {
		if truth < 0 {
			continue
		}
		known++
		lowest, tied := lowest(phi[i*n : (i+1)*n])
		if tied {
			continue
		}
		untied++
		commonest[truth]++
		if lowest == truth {
			right++
		}
	}
	most := 0
	for _, k := range commonest {
		most = max(most, k)
	}
	return Agreement{
		Samples:  known,
		Ties:     ratio(int64(known-untied), int64(known)),
		Accuracy: ratio(int64(right), int64(untied)),
		Chance:   ratio(int64(most), int64(untied)),
		AUC:      noisyAUC(phi, noisy, n, known),
	}
}

// resolution is the grain at which contributions are told apart: exact ones are multiples of 1/n!, whose float64
// roundings must not break ties; at n = 12 that is 2e-9.
const resolution = 1e-9

// lowest returns the index of the lowest contribution and whether another equals it.
func lowest(phi []float64) (index int, tied bool) {
	for i, p := range phi {
		if p < phi[index] {
			index = i
		}
	}
	for i, p := range phi {
		if i != index && p-phi[index] < resolution {
			return index, true
		}
	}
	return index, false
}

func noisyAUC(phi []float64, noisy []int, n, known int) float64 {
	if n < 2 {
		return math.NaN() // no other modality to lie below
	}
	score := make([]float64, 0, known)
	positive := make([]bool, 0, known)
	var sum float64
	var counted int
	for m := range n {
		score, positive = score[:0], positive[:0]
		for i, truth := range noisy {
			if truth < 0 {
				continue
			}
			var others float64
			for j, p := range phi[i*n : (i+1)*n] {
				if j != m {
					others += p
				}
			}
			below := others/float64(n-1) - phi[i*n+m]
			score = append(score, math.Round(below/resolution)) // equal contributions must tie
			positive = append(positive, truth == m)
		}
		if auc := AUC(score, positive); !math.IsNaN(auc) {
			sum += auc
			counted++
		}
	}
	if counted == 0 {
		return math.NaN()
	}
	return sum / float64(counted)
}
