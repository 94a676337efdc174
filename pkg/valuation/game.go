package valuation

import (
	"math"

	"mmtools/pkg/modality"
	"mmtools/pkg/shapley"
)

// game computes contributions from what coalitions are worth, and sums up those that are fractions. It is used by one
// goroutine.
type game struct {
	n          int
	o          Options
	summary    Summary
	solvers    []*shapley.Solver // by number of players; made on first use
	samplers   []*shapley.Sampler
	numerators []int64
	won        []bool    // (2^m), of a sample with m < n modalities
	values     []float64 // (2^m); where more is wanted than what coalitions got right
	integers   []int32   // (2^m), of Right
	floats     []float64 // (m(m-1)/2): contributions, interactions
}

func newGame(n int, o Options) *game {
	g := &game{n: n, o: o, summary: newSummary(n, o), numerators: make([]int64, n), floats: make([]float64, max(n, n*(n-1)/2))}
	if o.Estimator.Sampled() {
		g.samplers = make([]*shapley.Sampler, n+1)
		return g
	}
	g.solvers, g.won = make([]*shapley.Solver, n+1), make([]bool, 1<<n)
	if !o.plain() {
		g.values = make([]float64, 1<<n)
	}
	if o.Value == Right {
		g.integers = make([]int32, 1<<n)
	}
	return g
}

func (g *game) solver(players int) *shapley.Solver {
	if g.solvers[players] == nil {
		g.solvers[players] = shapley.NewSolver(players)
	}
	return g.solvers[players]
}

// value writes the contributions, (n), of a sample whose coalitions of the modalities present are right as won says and
// worth values, which may be nil where won tells their worth. Both are (2^m), m = |present|, by coalition of those
// modalities alone, numbered in order.
func (g *game) value(present modality.Coalition, won []bool, values, phi []float64) {
	for p := range phi {
		phi[p] = math.NaN()
	}
	m := present.Size()
	if m == 0 {
		return
	}
	if g.o.whole() {
		g.fractions(present, won, phi)
		return
	}
	floats := g.floats[:m]
	switch g.o.Estimator {
	case Alone:
		for k := range floats {
			floats[k] = values[1<<k] - values[0]
		}
	case Banzhaf:
		g.solver(m).Banzhaf(values, floats)
	default:
		g.solver(m).Exact(values, floats)
	}
	scatter(present, floats, phi)
}

// fractions writes exact contributions, and takes them in.
func (g *game) fractions(present modality.Coalition, won []bool, phi []float64) {
	m := present.Size()
	solver, numerators := g.solver(m), g.numerators[:m]
	one := solver.Denominator()
	fair := one // what a fair share is: 1 as published, else v(all) - v({}) divided by m
	if g.o.Value == Right {
		values := g.integers[:len(won)]
		for c, w := range won {
			values[c] = 0
			if w {
				values[c] = 1
			}
		}
		solver.ExactInt32(values, numerators)
		fair = one / int64(m) * int64(values[len(values)-1]-values[0]) // m divides lcm(1..m)
	} else {
		solver.ExactWon(won, numerators)
	}
	scale := g.summary.Denominator / one // lcm(1..m) divides lcm(1..n)
	k := 0
	for p := range present.Members() {
		a := numerators[k]
		k++
		phi[p] = float64(a) / float64(one)
		g.summary.Have[p]++
		g.summary.Contribution[p] += a * scale
		if a < fair {
			g.summary.BelowOne[p]++
		}
	}
}

// interactions writes those of all pairs, (n(n-1)/2), from values, (2^m); NaN where one of them is not present.
func (g *game) interactions(present modality.Coalition, values, index []float64) {
	m := present.Size()
	floats := g.floats[:m*(m-1)/2]
	if m > 0 {
		g.solver(m).Interactions(values, floats)
	}
	at, k := 0, 0
	for q := range g.n {
		for p := range q {
			index[at] = math.NaN()
			if present.Has(p) && present.Has(q) {
				index[at] = floats[k]
				k++
			}
			at++
		}
	}
}

// sample writes the contributions of a game of the modalities present, numbered in order, and their errors: (n) each.
func (g *game) sample(present modality.Coalition, v shapley.Game, row int64, phi, stderr []float64) {
	for p := range phi {
		phi[p], stderr[p] = math.NaN(), math.NaN()
	}
	m := present.Size()
	if m == 0 {
		return
	}
	if g.samplers[m] == nil {
		s, err := shapley.NewSampler(shapley.Method(g.o.Estimator), m, g.o.Rule)
		if err != nil {
			panic(err) // Options.Validate has made one for more players, which want more
		}
		g.samplers[m] = s
	}
	e := g.samplers[m].Estimate(v, g.o.random(row))
	scatter(present, e.Phi, phi)
	scatter(present, e.StdErr, stderr)
	g.summary.Evaluations += int64(e.Evaluations)
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

// scatter writes x, one number a modality present, to dst, (n).
func scatter(present modality.Coalition, x, dst []float64) {
	k := 0
	for p := range present.Members() {
		dst[p] = x[k]
		k++
	}
}

// spread writes to right, (2^n), for every coalition what its members that are present got right: won, (2^m).
func spread(present modality.Coalition, won, right []bool) {
	for c := range right {
		right[c] = won[compact(present, modality.Coalition(c))]
	}
}

// gather writes to own, (2^m), what the coalitions of the modalities present are, from every, (2^n).
func gather[T any](present modality.Coalition, every, own []T) {
	c := modality.Coalition(0)
	for k := range own {
		own[k] = every[c]
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

// expand is what compact undoes: the members of present whose numbers are in c.
func expand(present modality.Coalition, c uint64) modality.Coalition {
	var out modality.Coalition
	for p := range present.Members() {
		if c&1 == 1 {
			out = out.With(p)
		}
		c >>= 1
	}
	return out
}
