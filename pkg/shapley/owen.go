package shapley

import (
	"math"
	"math/rand/v2"
)

// owen estimates phi from the multilinear extension of the game: with S a set to which every player belongs with
// probability q, each by themselves,
//
//	phi_i = integral over q from 0 to 1 of E[v(S+i) - v(S-i)]
//
// A draw is one q in each of owenLevels equal parts of [0, 1/2], for each a set S and for 1-q its complement, which is
// such a set too; each set tells what every player adds to it. (G. Owen, Multilinear extensions of games, Management
// Science 18, 1972; R. Okhrati and A. Lipani, A multilinear sampling algorithm to estimate Shapley values, ICPR 2020,
// "halved".) Draws are independent; a draw costs 2(n+1) owenLevels evaluations.
//
// What the draws y of phi sum to has a known mean, T = v(N) - v({}). It is a control variate (P. Glasserman, Monte Carlo methods in
// financial engineering, 2003, 4.1.1): with s = sum y_i, and means over the draws,
//
//	phi_i = mean(y_i) + c_i (T - mean(s)),    c_i = cov(y_i, s) / var(s)
//
// The c_i sum to 1, so that the estimates sum to T, and of all corrections in proportion to T - mean(s) this one leaves the least
// variance. A player who never adds anything has c_i = 0 and stays at 0. The errors are those of the regression of y_i on s at T.
type owen struct {
	moments
	game     Game
	n        int
	total    float64   // T
	sum      float64   // mean of s
	squares  float64   // sum of squares of s around it
	products []float64 // (n): of y_i and s around their means
}

// owenLevels is in how many parts half of the unit interval is divided.
const owenLevels = 2

func newOwen(n int) *owen {
	return &owen{moments: newMoments(n), n: n, products: make([]float64, n)}
}

func (o *owen) cost() int  { return 2 * (o.n + 1) * owenLevels }
func (o *owen) least() int { return leastDraws }

func (o *owen) start(game Game, empty, whole float64) {
	o.game, o.total = game, whole-empty
	o.reset()
	o.sum, o.squares = 0, 0
	clear(o.products)
}

func (o *owen) draw(random *rand.Rand) {
	clear(o.y)
	for level := range owenLevels {
		q := (float64(level) + random.Float64()) / (2 * owenLevels)
		var set uint64
		for i := range o.n {
			if random.Float64() < q {
				set |= 1 << i
			}
		}
		o.marginals(set)
		o.marginals(^set & (1<<o.n - 1))
	}
	o.add()
	s := 0.0
	for _, y := range o.y {
		s += y
	}
	d := s - o.sum
	o.sum += d / float64(o.draws)
	o.squares += d * (s - o.sum)
	for i, y := range o.y {
		o.products[i] += d * (y - o.mean[i]) // of the mean of s before, and of y_i after (Welford 1962)
	}
}

// constant is up to what share of the players' spread that of their sum is rounding.
const constant = 1e-18

func (o *owen) estimate(phi, stderr []float64) (freedom int, enough bool) {
	spread := 0.0
	for _, q := range o.moments.squares {
		spread += q
	}
	if o.squares <= constant*spread {
		return o.moments.estimate(phi, stderr) // every draw sums to T
	}
	k, off := float64(o.draws), o.total-o.sum
	at := 1/k + off*off/o.squares // how far from the middle of the draws T is
	for i := range phi {
		c := o.products[i] / o.squares
		left := max(0, o.moments.squares[i]-c*o.products[i])
		phi[i], stderr[i] = o.mean[i]+c*off, math.Sqrt(left/(k-2)*at)
	}
	return o.draws - 2, true
}

// marginals adds what every player brings to a set.
func (o *owen) marginals(set uint64) {
	at := o.game(set)
	for i := range o.n {
		other := o.game(set ^ 1<<i)
		brings := other - at
		if set>>i&1 == 1 {
			brings = -brings
		}
		o.y[i] += brings / (2 * owenLevels)
	}
}
