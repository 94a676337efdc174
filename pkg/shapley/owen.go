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
// "halved".) Draws are independent; a draw costs 2(n+1) owenLevels evaluations, and is kept.
//
// A draw y sums to v(N) - v({}) in expectation only. That the mean of the sum is known corrects the estimate, as a control
// variate with the coefficients that leave the least variance (S. S. Lavenberg and P. D. Welch, A perspective on the use of
// control variables to increase the efficiency of Monte Carlo simulations, Management Science 27, 1981):
//
//	phi_i = mean y_i + b_i (v(N) - v({}) - mean s)    s = sum of y_j    b_i = cov(y_i, s) / var(s)
//
// The b_i sum to 1, so that the estimate is efficient; who gets nothing in every draw still does. Standard errors are those of
// the regression at the known mean, with every draw's leverage taken out as in kernel. The b_i are estimated, which biases phi by a
// share of its error that falls with the draws.
type owen struct {
	draws
	game  Game
	n     int
	total float64
	b     []float64 // (n)
}

// owenLevels is in how many parts half of the unit interval is divided.
const owenLevels = 2

func newOwen(n int) *owen { return &owen{draws: newDraws(n), n: n, b: make([]float64, n)} }

func (o *owen) cost() int  { return 2 * (o.n + 1) * owenLevels }
func (o *owen) least() int { return leastDraws }

func (o *owen) start(game Game, empty, whole float64) {
	o.game, o.total = game, whole-empty
	o.reset()
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

func (o *owen) estimate(phi, stderr, freedom []float64) (enough bool) {
	o.centre(phi)
	k, lacks, size := float64(o.count()), o.total-sum(phi), math.Abs(o.total)
	for _, x := range phi {
		size += math.Abs(x)
	}
	clear(o.b)
	squares := 0.0 // of the sums around their mean
	for at := 0; at < len(o.rest); at += o.n {
		row := o.rest[at:][:o.n]
		s := sum(row)
		squares += s * s
		for i, x := range row {
			o.b[i] += x * s
		}
	}
	if math.Sqrt(squares) <= 1e-9*size { // all sums are alike: they say nothing of who lacks what
		o.errors(1, stderr, freedom)
		for i := range phi {
			phi[i] += lacks / float64(o.n)
			stderr[i] = math.Hypot(stderr[i], lacks/float64(o.n))
		}
		return true
	}
	for i := range phi {
		o.b[i] /= squares
		phi[i] += o.b[i] * lacks
	}
	for at := 0; at < len(o.rest); at += o.n {
		row := o.rest[at:][:o.n]
		s := sum(row)
		weight := (1 + k*s*lacks/squares) / max(1-1/k-s*s/squares, 1e-6)
		for i, x := range row {
			row[i] = (x - o.b[i]*s) * weight
		}
	}
	o.errors(2, stderr, freedom)
	return true
}

func sum(x []float64) float64 {
	total := 0.0
	for _, y := range x {
		total += y
	}
	return total
}
