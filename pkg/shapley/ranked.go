package shapley

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mathext"
)

// misranked is in what share of estimates Ranked may stop at an order of two players who are alike.
const misranked = 0.05

// ranked reports, at the look-th look at the draws, from 1, whether all neighbours in the order of phi are told apart: whether each
// difference is beyond t times its standard error, the quantile of Student's t beyond which chance alone is with probability
//
//	misranked / (look (look + 1))
//
// which sum to misranked over all looks: however often one looks, an order is found of players who have none in no more of the
// estimates (a union bound; the same spending of probability over looks as in K. K. G. Lan and D. L. DeMets, Discrete sequential
// boundaries for clinical trials, Biometrika 70, 1983). The standard errors are of differences, which draw by draw have other errors
// than two players by themselves: what one gets too much, others get too little.
func (s *Sampler) ranked(look int) bool {
	for i := range s.order {
		s.order[i] = i
	}
	slices.SortFunc(s.order, func(a, b int) int {
		switch {
		case s.phi[a] < s.phi[b]:
			return -1
		case s.phi[a] > s.phi[b]:
			return 1
		}
		return a - b
	})
	outside := misranked / float64(look*(look+1))
	normal := math.Sqrt2 * math.Erfinv(1-outside) // below Student's, and soon computed
	return s.apart(func(float64) float64 { return normal }) && s.apart(func(freedom float64) float64 { return student(freedom, outside) })
}

// apart reports whether all neighbours in order are further apart than quantile, of degrees of freedom, times the standard error.
func (s *Sampler) apart(quantile func(freedom float64) float64) bool {
	for k := 1; k < len(s.order); k++ {
		a, b := s.order[k-1], s.order[k]
		freedom := min(s.freedom[a], s.freedom[b])
		stderr := math.Hypot(s.stderr[a], s.stderr[b])
		if freedom > leastFreedom { // of others next to nothing is known, and nothing of what they have in common
			stderr = s.drawer.difference(a, b)
		}
		if !(s.phi[b]-s.phi[a] > quantile(freedom)*stderr) {
			return false
		}
	}
	return true
}

// difference returns the standard error of the difference of two players' values.
func (d *draws) difference(a, b int) float64 {
	k, sum := float64(d.count()), 0.0
	for at := 0; at < len(d.rest); at += d.n {
		x := d.rest[at+a] - d.rest[at+b]
		sum += x * x
	}
	return math.Sqrt(sum / k / (k - 1))
}

// difference returns the standard error of the difference of two players' values: the last player's value is what the others leave.
func (k *kernel) difference(a, b int) float64 {
	m := k.n - 1
	covariance := func(i, j int) float64 {
		if i == m {
			i, j = j, i
		}
		sum := 0.0
		switch {
		case i == m: // both
			for _, x := range k.meat {
				sum += x
			}
		case j == m:
			for _, x := range k.meat[i*m:][:m] {
				sum -= x
			}
		default:
			sum = k.meat[i*m+j]
		}
		return sum
	}
	return math.Sqrt(max(0, covariance(a, a)+covariance(b, b)-2*covariance(a, b)))
}

// student returns the quantile of Student's t that a variable is beyond, on either side, with probability outside, from that of the
// beta distribution (Abramowitz and Stegun 1964, 26.7.1 and 26.5.2).
func student(freedom, outside float64) float64 {
	x := mathext.InvRegIncBeta(freedom/2, 0.5, outside)
	return math.Sqrt(freedom * (1 - x) / x)
}
