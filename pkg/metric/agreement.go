package metric

import (
	"fmt"
	"math"
)

// Agreement says how well the lowest contribution of each sample names the modality that is known to be noisy there.
type Agreement struct {
	Samples  int       // samples whose noisy modality is known: Found + Tied + Wrong
	Found    int       // of these, samples in which the noisy modality alone is lowest
	Tied     int       // in which no modality is lowest alone
	Wrong    int       // in which another is
	Ties     float64   // share of Tied in Samples
	Accuracy float64   // share of Found in Found + Wrong: ties are left out
	Chance   float64   // what always naming the commonest noisy modality of those would reach
	AUC      float64   // mean of AUCs
	AUCs     []float64 // (n), over all Samples: one-vs-rest AUC of each modality, ties by mid-rank
}

// NoisyModality compares contributions with the truth. phi is (N,n) row major; noisy is (N), the index of the noisy
// modality, or negative where it is unknown or there is none. Modality i is ranked by how far its contribution lies
// below the mean of the others'. The AUC of a modality that is noisy always or never is NaN and not in the mean; shares
// without a sample are NaN.
func NoisyModality(phi []float64, noisy []int, n int) Agreement {
	if len(phi) != len(noisy)*n || n < 1 {
		panic(fmt.Sprintf("metric: %d contributions of %d samples and %d modalities", len(phi), len(noisy), n))
	}
	var a Agreement
	commonest := make([]int, n)
	for i, truth := range noisy {
		if truth < 0 {
			continue
		}
		a.Samples++
		lowest, tied := lowest(phi[i*n : (i+1)*n])
		if tied {
			a.Tied++
			continue
		}
		commonest[truth]++
		if lowest == truth {
			a.Found++
		} else {
			a.Wrong++
		}
	}
	most := 0
	for _, k := range commonest {
		most = max(most, k)
	}
	untied := int64(a.Found + a.Wrong)
	a.Ties = ratio(int64(a.Tied), int64(a.Samples))
	a.Accuracy = ratio(int64(a.Found), untied)
	a.Chance = ratio(int64(most), untied)
	a.AUCs = noisyAUCs(phi, noisy, n, a.Samples)
	a.AUC = meanKnown(a.AUCs)
	return a
}

// meanKnown returns the mean of the values that are not NaN; NaN when none is.
func meanKnown(values []float64) float64 {
	var sum float64
	var known int
	for _, v := range values {
		if !math.IsNaN(v) {
			sum += v
			known++
		}
	}
	return sum / float64(known) // 0/0 is NaN
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

// noisyAUCs returns the AUC of each modality, (n).
func noisyAUCs(phi []float64, noisy []int, n, known int) []float64 {
	if n < 2 {
		return []float64{math.NaN()} // no other modality to lie below
	}
	aucs := make([]float64, n)
	score := make([]float64, 0, known)
	positive := make([]bool, 0, known)
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
		aucs[m] = AUC(score, positive)
	}
	return aucs
}
