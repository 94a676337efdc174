package resample

import (
	"math"
	"math/rand/v2"
)

// binomial returns the number of successes of n trials of probability p, 0 < p < 1: by inversion for a mean below 10 and
// by Hörmann's transformed rejection above. Both follow the distribution itself and no limit of it.
func binomial(random *rand.Rand, n int64, p float64) int64 {
	if p > 0.5 {
		return n - binomial(random, n, 1-p)
	}
	if float64(n)*p < 10 {
		return invert(random, n, p)
	}
	return transform(random, n, p)
}

// invert sums the probabilities of 0, 1, ... successes up to a uniform number (Kachitvichyanukul and Schmeiser 1988,
// BINV). The mean is small, so that (1-p)^n is far from underflow.
func invert(random *rand.Rand, n int64, p float64) int64 {
	ratio := p / (1 - p)
	for {
		u := random.Float64()
		f := math.Exp(float64(n) * math.Log1p(-p)) // P(0)
		for k := int64(0); k <= n; k++ {
			if u < f {
				return k
			}
			u -= f
			f *= ratio * float64(n-k) / float64(k+1)
		}
		// the probabilities summed to a little less than 1 by rounding, and u fell into the difference: draw again
	}
}

// transform is algorithm BTRS of W. Hörmann, The generation of binomial random variates, Journal of Statistical Computation
// and Simulation 46, 1993: for p <= 0.5 and a mean of at least 10, about 1.2 pairs of uniform numbers a draw.
func transform(random *rand.Rand, n int64, p float64) int64 {
	trials := float64(n)
	deviation := math.Sqrt(trials * p * (1 - p))
	b := 1.15 + 2.53*deviation
	a := -0.0873 + 0.0248*b + 0.01*p
	c := trials*p + 0.5
	accept := 0.92 - 4.2/b
	alpha := (2.83 + 5.1/b) * deviation
	odds := p / (1 - p)
	mode := math.Floor((trials + 1) * p)
	for {
		u, v := random.Float64()-0.5, random.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor((2*a/us+b)*u + c)
		if us >= 0.07 && v <= accept {
			return int64(k)
		}
		if k < 0 || k > trials {
			continue
		}
		v = math.Log(v * alpha / (a/(us*us) + b))
		// log(P(k) / P(mode)), with the factorials by Stirling so that large terms cancel before they are rounded
		bound := (mode+0.5)*math.Log((mode+1)/(odds*(trials-mode+1))) +
			(trials+1)*math.Log((trials-mode+1)/(trials-k+1)) +
			(k+0.5)*math.Log(odds*(trials-k+1)/(k+1)) +
			stirlingTail(mode) + stirlingTail(trials-mode) - stirlingTail(k) - stirlingTail(trials-k)
		if v <= bound {
			return int64(k)
		}
	}
}

// stirlingTail returns log k! - (log sqrt(2 pi) + (k+1/2) log(k+1) - (k+1)).
func stirlingTail(k float64) float64 {
	if k < 10 {
		factorial, _ := math.Lgamma(k + 1)
		return factorial - (0.5*math.Log(2*math.Pi) + (k+0.5)*math.Log(k+1) - (k + 1))
	}
	square := (k + 1) * (k + 1)
	return (1./12 - (1./360-1./1260/square)/square) / (k + 1)
}
