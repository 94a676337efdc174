package shapley

import "math"

// draws are independent draws of phi, kept: 8 bytes a player and draw.
type draws struct {
	n    int
	y    []float64 // (n): the draw being made
	all  []float64 // (draws,n)
	rest []float64 // (draws,n): what is left of draws without the estimate
	m4   []float64 // (n)
}

func newDraws(n int) draws { return draws{n: n, y: make([]float64, n), m4: make([]float64, n)} }

func (d *draws) reset()     { d.all = d.all[:0] }
func (d *draws) add()       { d.all = append(d.all, d.y...) }
func (d *draws) count() int { return len(d.all) / d.n }

// estimate gives the means of the draws.
func (d *draws) estimate(phi, stderr, freedom []float64) (enough bool) {
	d.centre(phi)
	d.errors(1, stderr, freedom)
	return true
}

// centre writes the means of the draws, in the order of drawing, and what is left of each draw without them.
func (d *draws) centre(mean []float64) {
	clear(mean)
	for at := 0; at < len(d.all); at += d.n {
		for i, y := range d.all[at:][:d.n] {
			mean[i] += y
		}
	}
	for i := range mean {
		mean[i] /= float64(d.count())
	}
	d.rest = append(d.rest[:0], d.all...)
	for at := 0; at < len(d.rest); at += d.n {
		row := d.rest[at:][:d.n]
		for i, m := range mean {
			row[i] -= m
		}
	}
}

// leastFreedom is that of an error of which the draws say next to nothing.
const leastFreedom = 3

// errors writes the standard errors of means, from what is left of the draws without used fitted parameters, and their degrees
// of freedom.
//
// Few draws of a player who seldom matters are far from normal: where they lie at zero but for one, the variance is hardly known.
// So the degrees of freedom are those of a chi-squared variable that varies as a variance of such kurtosis does (F. E.
// Satterthwaite, An approximate distribution of estimates of variance components, Biometrics 2, 1946), 2k/(kurtosis-1), where
// these are fewer. And of a player whose draws never differ, while those of others do, nothing was seen: the error is that of one
// more draw among them, as far off as the farthest of any player (J. A. Hanley and A. Lippman-Hand, If nothing goes wrong, is
// everything all right?, JAMA 249, 1983).
func (d *draws) errors(used int, stderr, freedom []float64) {
	k := float64(d.count())
	clear(stderr)
	clear(d.m4)
	farthest := 0.0
	for at := 0; at < len(d.rest); at += d.n {
		for i, x := range d.rest[at:][:d.n] {
			square := x * x
			stderr[i] += square
			d.m4[i] += square * square
			farthest = max(farthest, square)
		}
	}
	farthest = math.Sqrt(farthest)
	for i, m2 := range stderr {
		if math.Sqrt(m2) <= 1e-9*farthest { // rounding
			stderr[i], freedom[i] = farthest/k, leastFreedom
			continue
		}
		left := k - float64(used)
		stderr[i], freedom[i] = math.Sqrt(m2/k/(k-1)), left
		if excess := k*d.m4[i]/(m2*m2) - 1; 2*k < excess*left {
			freedom[i] = max(leastFreedom, 2*k/excess)
		}
	}
}
