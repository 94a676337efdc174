package shapley

import (
	"fmt"
	"math/bits"
)

// Solver computes the values of games of one number of players, in memory that it allocates once. A Solver is used by
// one goroutine at a time.
type Solver struct {
	n           int
	denominator int64

	memberInt, everyInt []int64   // by coalition size; multiples of 1/denominator
	member, every       []float64 // the same as fractions
	foldInt             []int64   // 2^(n-1); made on first use
	fold                []float64 // 2^(n-1); made on first use
	won                 wonGame

	banzhafMember, banzhafEvery    []float64 // by coalition size; made on first use
	pairTable, pairScratch, single []float64 // (2^n), (2^(n-1)), (n): of Interactions; made on first use
}

// NewSolver returns a Solver of games of n players, 1 <= n <= MaxPlayers.
func NewSolver(n int) *Solver {
	s := &Solver{n: n, denominator: Denominator(n)}
	s.memberInt, s.everyInt = weights(n)
	s.member, s.every = make([]float64, n+1), make([]float64, n+1)
	for k := range s.member {
		s.member[k] = float64(s.memberInt[k]) / float64(s.denominator)
		s.every[k] = float64(s.everyInt[k]) / float64(s.denominator)
	}
	s.won = newWonGame(n, s.memberInt, s.everyInt)
	return s
}

// Players returns n.
func (s *Solver) Players() int { return s.n }

// Denominator returns lcm(1..n), what the numerators of ExactInt and ExactWon are divided by.
func (s *Solver) Denominator() int64 { return s.denominator }

// Values returns the n Shapley values of the game whose 2^n values by coalition are given, 1 <= n <= MaxPlayers.
func Values(values []float64) []float64 {
	n := bits.Len(uint(len(values))) - 1
	phi := make([]float64, max(n, 0))
	NewSolver(n).Exact(values, phi)
	return phi
}

// Exact writes the Shapley values of the game values, (2^n), to phi, (n). It sums in one fixed order.
func (s *Solver) Exact(values, phi []float64) {
	if s.fold == nil {
		s.fold = make([]float64, 1<<(s.n-1))
	}
	s.check(len(values), len(phi))
	solve(values, phi, s.member, s.every, s.fold)
}

// ExactInt writes Denominator()·phi, exactly, to numerators, (n), for the game values, (2^n). The result is exact
// wherever it fits, that is for Denominator()·(max v - min v) < 2^63, which covers every game of int32 values: sums on
// the way may wrap, and unwrap again.
func (s *Solver) ExactInt(values, numerators []int64) {
	s.check(len(values), len(numerators))
	solve(values, numerators, s.memberInt, s.everyInt, s.scratchInt())
}

// ExactInt32 is ExactInt for a game of int32 values; its numerators always fit.
func (s *Solver) ExactInt32(values []int32, numerators []int64) {
	s.check(len(values), len(numerators))
	solve(values, numerators, s.memberInt, s.everyInt, s.scratchInt())
}

// Fractions writes numerators[k]/Denominator() to phi[k]: the float64 nearest to the exact value where the numerator is
// below 2^53.
func (s *Solver) Fractions(numerators []int64, phi []float64) {
	d := float64(s.denominator)
	for k, a := range numerators {
		phi[k] = float64(a) / d
	}
}

func (s *Solver) scratchInt() []int64 {
	if s.foldInt == nil {
		s.foldInt = make([]int64, 1<<(s.n-1))
	}
	return s.foldInt
}

func (s *Solver) check(values, players int) {
	if values != 1<<s.n || players != s.n {
		panic(fmt.Sprintf("shapley: %d values of coalitions and %d of players, want %d and %d",
			values, players, 1<<s.n, s.n))
	}
}

// solve is the formula of the package comment by halving: values (2^n), phi (n), member and every (n+1) by coalition
// size, fold (2^(n-1)) scratch.
func solve[V int32 | int64 | float64, T int64 | float64](values []V, phi, member, every, fold []T) {
	n := len(phi)
	half := 1 << (n - 1)
	lower, upper, fold := values[:half], values[half:][:half], fold[:half]
	var total, sum T // over every coalition, and over those of the last player
	for c, v := range lower {
		size := bits.OnesCount(uint(c))
		with := T(upper[c])
		total += every[size]*T(v) + every[size+1]*with
		g := member[size+1] * with
		sum += g
		fold[c] = member[size]*T(v) + g
	}
	phi[n-1] = sum
	halve(phi[:n-1], fold)
	for i := range phi {
		phi[i] -= total
	}
}

// halve writes, for every player i, the sum of table over the coalitions that contain i; table (2^n), n = len(sums),
// is used up.
func halve[T int64 | float64](sums, table []T) {
	for i := len(sums) - 1; i >= 0; i-- {
		lower, upper := table[:1<<i], table[1<<i:][:1<<i]
		var sum T
		for c, g := range upper {
			sum += g
			lower[c] += g
		}
		sums[i] = sum
	}
}
