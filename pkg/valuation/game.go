package valuation

import (
	"math"

	"mmtools/pkg/modality"
	"mmtools/pkg/shapley"
)

// game computes contributions from what coalitions got right, and sums them up. It is used by one goroutine.
type game struct {
	n          int
	summary    Summary
	solvers    []*shapley.Solver // by number of players; made on first use
	numerators []int64
	won        []bool // (2^m), of a sample with m < n modalities
}

func newGame(n int) *game {
	return &game{
		n: n, summary: NewSummary(n), solvers: make([]*shapley.Solver, n+1),
		numerators: make([]int64, n), won: make([]bool, 1<<n),
	}
}

func (g *game) solver(players int) *shapley.Solver {
	if g.solvers[players] == nil {
		g.solvers[players] = shapley.NewSolver(players)
	}
	return g.solvers[players]
}

// value takes in a sample whose coalitions of the modalities present are right as won says, and writes phi, (n). won is
// (2^m), m = |present|, by coalition of those modalities alone, numbered in order.
func (g *game) value(present modality.Coalition, won []bool, phi []float64) {
	for p := range phi {
		phi[p] = math.NaN()
	}
	g.summary.Samples++
	m := present.Size()
	if m == 0 {
		return
	}
	solver, numerators := g.solver(m), g.numerators[:m]
	solver.ExactWon(won, numerators)
	one := solver.Denominator()
	scale := g.summary.Denominator / one // lcm(1..m) divides lcm(1..n)
	k := 0
	for p := range present.Members() {
		a := numerators[k]
		k++
		phi[p] = float64(a) / float64(one)
		g.summary.Have[p]++
		g.summary.Contribution[p] += a * scale
		if a < one {
			g.summary.BelowOne[p]++
		}
	}
}

// count takes in what the coalitions of all modalities, (2^n), got right.
func (g *game) count(right []bool) {
	sums := g.summary.Right[:len(right)]
	for c, w := range right {
		var one int64
		if w {
			one = 1
		}
		sums[c] += one
	}
}

// spread writes to right, (2^n), for every coalition what its members that are present got right: won, (2^m).
func spread(present modality.Coalition, won, right []bool) {
	for c := range right {
		right[c] = won[compact(present, modality.Coalition(c))]
	}
}

// gather writes to won, (2^m), what the coalitions of the modalities present got right, from right, (2^n).
func gather(present modality.Coalition, right, won []bool) {
	c := modality.Coalition(0)
	for k := range won {
		won[k] = right[c]
		c = (c - present) & present // the next larger subset of present
	}
}

// compact numbers the modalities present from 0 and returns c's members among them.
func compact(present, c modality.Coalition) int {
	out, k := 0, 0
	for p := range present.Members() {
		if c.Has(p) {
			out |= 1 << k
		}
		k++
	}
	return out
}
