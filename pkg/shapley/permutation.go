package shapley

import "math/rand/v2"

// permutation estimates phi as the mean over random orders of what players add when they join in that order: the
// definition, sampled. A draw is an order and its reverse, in which a player who came early comes late, so that what is
// too much in one is mostly too little in the other (R. Mitchell, J. Cooper, E. Frank and G. Holmes, Sampling permutations
// for Shapley value estimation, JMLR 23, 2022, section 2; J. Castro, D. Gómez and J. Tejada, Polynomial calculation of the
// Shapley value based on sampling, Computers & Operations Research 36, 2009). Draws are independent, so the standard error
// is that of a mean; each is efficient, and so is the estimate. A draw costs 2(n-1) evaluations, and is kept.
type permutation struct {
	draws
	game         Game
	empty, whole float64
	order        []int
}

func newPermutation(n int) *permutation {
	p := &permutation{draws: newDraws(n), order: make([]int, n)}
	for i := range p.order {
		p.order[i] = i
	}
	return p
}

func (p *permutation) cost() int  { return 2 * (len(p.order) - 1) }
func (p *permutation) least() int { return leastDraws }

// leastDraws is the fewest draws whose spread says something.
const leastDraws = 8

func (p *permutation) start(game Game, empty, whole float64) {
	p.game, p.empty, p.whole = game, empty, whole
	p.reset()
	for i := range p.order {
		p.order[i] = i // an estimate depends on nothing before it
	}
}

func (p *permutation) draw(random *rand.Rand) {
	n := len(p.order)
	random.Shuffle(n, func(i, j int) { p.order[i], p.order[j] = p.order[j], p.order[i] })
	clear(p.y)
	p.join(func(k int) int { return p.order[k] })
	p.join(func(k int) int { return p.order[n-1-k] })
	p.add()
}

// join lets the players join in an order.
func (p *permutation) join(player func(k int) int) {
	n := len(p.order)
	coalition, before := uint64(0), p.empty
	for k := range n {
		i := player(k)
		coalition |= 1 << i
		after := p.whole
		if k < n-1 {
			after = p.game(coalition)
		}
		p.y[i] += (after - before) / 2
		before = after
	}
}
