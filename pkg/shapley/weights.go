package shapley

import "fmt"

// MaxPlayers is the largest number of players of a game.
const MaxPlayers = 20

// Denominator returns lcm(1..n), the common denominator of the values of every integer game of n players, 1 <= n <=
// MaxPlayers. It equals n·lcm over k of binomial(n-1, k) (Farhi 2009).
func Denominator(n int) int64 {
	checkPlayers(n)
	l := int64(1)
	for k := int64(2); k <= int64(n); k++ {
		l = l / gcd(l, k) * k
	}
	return l
}

// weights returns, for coalitions of each size s = 0..n, the two coefficients of v(C) in Denominator(n)·phi_i:
// member[s] = w(s-1) + w(s) where i is in C, and every[s] = w(s), to subtract whether i is in C or not; w(-1) and w(n),
// which belong to no marginal contribution, are 0.
func weights(n int) (member, every []int64) {
	member, every = make([]int64, n+1), make([]int64, n+1)
	l := Denominator(n)
	binomial := int64(1) // binomial(n-1, s)
	for s := range n {
		every[s] = l / (int64(n) * binomial)
		binomial = binomial * int64(n-1-s) / int64(s+1)
	}
	for s := 1; s <= n; s++ {
		member[s] = every[s-1] + every[s]
	}
	return member, every
}

func gcd(a, b int64) int64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func checkPlayers(n int) {
	if n < 1 || n > MaxPlayers {
		panic(fmt.Sprintf("shapley: %d players, want 1 to %d", n, MaxPlayers))
	}
}
