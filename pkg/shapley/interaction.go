package shapley

import "math/bits"

// Interactions writes the Shapley interaction index of every pair of players of the game values, (2^n), to index,
// (n(n-1)/2), the pairs in the order (0,1), (0,2), (1,2), (0,3), ...: what two players together add beyond what each adds
// alone, averaged over the coalitions of the others,
//
//	I_ij = sum over S in N\{i,j} of |S|! (n-|S|-2)! / (n-1)! (v(S+i+j) - v(S+i) - v(S+j) + v(S))
//
// Above 0 they complement each other, below they stand in for each other; in an additive game it is 0. (M. Grabisch and M.
// Roubens, An axiomatic approach to the concept of interaction among players in cooperative games, International Journal of
// Game Theory 28, 1999.)
//
// With u(s) the weight of a set of s, taken as 0 outside of 0..n-2, the coefficient of v(C), |C| = s, is u(s) without
// both, -u(s-1) with one of them and u(s-2) with both. Told as sums over C containing i, j, both or neither, what depends
// on the pair is one sum over C containing both; halving finds them all in about 6·2^n additions.
func (s *Solver) Interactions(values, index []float64) {
	n := s.n
	s.check(len(values), n)
	if len(index) != n*(n-1)/2 {
		panic("shapley: interactions of another number of players")
	}
	if n < 2 {
		return
	}
	if s.pairTable == nil {
		s.pairTable, s.pairScratch, s.single = make([]float64, 1<<n), make([]float64, 1<<(n-1)), make([]float64, n)
	}
	u := pairWeights(n)
	at := func(k int) float64 {
		if k < 0 || k > n-2 {
			return 0
		}
		return u[k]
	}
	none := make([]float64, n+1)
	one, both := make([]float64, n+1), make([]float64, n+1)
	for k := range n + 1 {
		none[k], one[k], both[k] = at(k), -at(k-1)-at(k), at(k-2)+2*at(k-1)+at(k)
	}
	total := 0.0
	for c, v := range values {
		size := bits.OnesCount(uint(c))
		total += none[size] * v
		s.pairTable[c] = one[size] * v
	}
	halve(s.single, s.pairTable)
	for c, v := range values {
		s.pairTable[c] = both[bits.OnesCount(uint(c))] * v
	}
	for j := n - 1; j >= 1; j-- {
		lower, upper := s.pairTable[:1<<j], s.pairTable[1<<j:][:1<<j]
		pairs := index[j*(j-1)/2:][:j]
		scratch := s.pairScratch[:1<<j]
		copy(scratch, upper)
		halve(pairs, scratch)
		for i := range pairs {
			pairs[i] += s.single[i] + s.single[j] + total
		}
		for c, g := range upper {
			lower[c] += g
		}
	}
}

// pairWeights returns u(s) = s! (n-s-2)! / (n-1)! = 1 / ((n-1) binomial(n-2, s)) for s = 0..n-2.
func pairWeights(n int) []float64 {
	u := make([]float64, n-1)
	binomial := 1.0
	for s := range u {
		u[s] = 1 / (float64(n-1) * binomial)
		binomial = binomial * float64(n-2-s) / float64(s+1)
	}
	return u
}

// Cooperation returns what all players together earn beyond what each earns alone, for the game values, (2^n):
//
//	v(N) - v({}) - sum over i of (v({i}) - v({}))
//
// It is the sum of the game's dividends of all coalitions of two players or more: 0 in an additive game, above 0 where they
// complement each other, below where one would do.
func Cooperation(values []float64) float64 {
	beyond := values[len(values)-1] - values[0]
	for i := 1; i < len(values); i <<= 1 {
		beyond -= values[i] - values[0]
	}
	return beyond
}
