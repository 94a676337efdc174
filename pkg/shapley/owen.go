package shapley

import "math/rand/v2"

// owen estimates phi from the multilinear extension of the game: with S a set to which every player belongs with
// probability q, each by themselves,
//
//	phi_i = integral over q from 0 to 1 of E[v(S+i) - v(S-i)]
//
// A draw is one q in each of owenLevels equal parts of [0, 1/2], for each a set S and for 1-q its complement, which is
// such a set too; each set tells what every player adds to it. (G. Owen, Multilinear extensions of games, Management
// Science 18, 1972; R. Okhrati and A. Lipani, A multilinear sampling algorithm to estimate Shapley values, ICPR 2020,
// "halved".) Draws are independent; a draw costs 2(n+1) owenLevels evaluations. The estimates sum to v(N) - v({}) in
// expectation, not in each estimate.
type owen struct {
	moments
	game Game
	n    int
}

// owenLevels is in how many parts half of the unit interval is divided.
const owenLevels = 2

func newOwen(n int) *owen { return &owen{moments: newMoments(n), n: n} }

func (o *owen) cost() int  { return 2 * (o.n + 1) * owenLevels }
func (o *owen) least() int { return leastDraws }

func (o *owen) start(game Game, _, _ float64) {
	o.game = game
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
