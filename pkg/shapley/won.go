package shapley

import "math/bits"

// tablePlayers is the largest number of players for whom all games of coalitions won or lost are tabulated: 2^2^3 of
// them, 6 KiB.
const tablePlayers = 3

// wonGame holds what games v(C) = |C| [C has won] need.
type wonGame struct {
	member, every []int64 // the coefficients by coalition size, the factor |C| included
	table         []int64 // (2^2^n, n): the numerators by the bits of the coalitions won; n <= tablePlayers
}

func newWonGame(n int, member, every []int64) wonGame {
	g := wonGame{member: make([]int64, n+1), every: make([]int64, n+1)}
	for s := range n + 1 {
		g.member[s], g.every[s] = int64(s)*member[s], int64(s)*every[s]
	}
	if n > tablePlayers {
		return g
	}
	games := 1 << (1 << n)
	g.table = make([]int64, games*n)
	won, fold := make([]bool, 1<<n), make([]int64, 1<<(n-1))
	for game := range games {
		for c := range won {
			won[c] = game>>c&1 == 1
		}
		g.solve(won, g.table[game*n:][:n], fold)
	}
	return g
}

// ExactWon writes Denominator()·phi, exactly, to numerators, (n), for the game v(C) = |C| where won[C], else 0; won is
// (2^n), and won[0] has no say. phi_i lies in [-(n-1)/2, (n+1)/2], so that int64 sums of numerators are exact over
// 2^63 / (Denominator()·(n+1)/2) games: 3.7e9 of them at 20 players, 3e18 at two.
func (s *Solver) ExactWon(won []bool, numerators []int64) {
	s.check(len(won), len(numerators))
	if s.won.table == nil {
		s.won.solve(won, numerators, s.scratchInt())
		return
	}
	game := 0
	for c, w := range won {
		game |= int(bit(w)) << c
	}
	copy(numerators, s.won.table[game*s.n:])
}

// ExactWonBatch is ExactWon for many games of row-major won, (rows, 2^n), into numerators, (rows, n).
func (s *Solver) ExactWonBatch(won []bool, numerators []int64) {
	rows := len(won) >> s.n
	s.check(len(won)-(rows-1)<<s.n, len(numerators)-(rows-1)*s.n)
	for r := range rows {
		s.ExactWon(won[r<<s.n:][:1<<s.n], numerators[r*s.n:][:s.n])
	}
}

// solve is the function solve on the values |C| [won[C]], which are never made.
func (g *wonGame) solve(won []bool, numerators, fold []int64) {
	n := len(numerators)
	half := 1 << (n - 1)
	lower, upper, fold := won[:half], won[half:][:half], fold[:half]
	var total, sum int64
	for c, w := range lower {
		size := bits.OnesCount(uint(c))
		without, with := bit(w), bit(upper[c]) // multiplied, not branched on: whether a coalition has won is hard to guess
		total += g.every[size]*without + g.every[size+1]*with
		mine := g.member[size+1] * with
		sum += mine
		fold[c] = g.member[size]*without + mine
	}
	numerators[n-1] = sum
	halve(numerators[:n-1], fold)
	for i := range numerators {
		numerators[i] -= total
	}
}

// bit returns 1 for true; the compiler makes it a move.
func bit(b bool) int64 {
	var x int64
	if b {
		x = 1
	}
	return x
}
