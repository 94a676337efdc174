package shapley_test

import (
	"fmt"
	"math/bits"
	"math/rand/v2"

	"mmtools/pkg/shapley"
)

// Two modalities, a and v: v(C) = |C| where the coalition C classifies the sample rightly. phi = 1 is the fair share.
func ExampleSolver_ExactWon() {
	s := shapley.NewSolver(2)
	numerators, phi := make([]int64, 2), make([]float64, 2)
	fmt.Println("all   a     v     phi_a phi_v")
	for _, right := range [][]bool{ // none, a, v, all
		{false, true, true, true},
		{false, true, false, true},
		{false, false, false, true},
		{false, true, true, false},
		{false, true, false, false},
		{false, false, false, false},
	} {
		s.ExactWon(right, numerators)
		s.Fractions(numerators, phi)
		fmt.Printf("%-5t %-5t %-5t %5.1f %5.1f\n", right[3], right[1], right[2], phi[0], phi[1])
	}
	// Output:
	// all   a     v     phi_a phi_v
	// true  true  true    1.0   1.0
	// true  true  false   1.5   0.5
	// true  false false   1.0   1.0
	// false true  true    0.0   0.0
	// false true  false   0.5  -0.5
	// false false false   0.0   0.0
}

// A left glove and two right ones: only a pair is worth something.
func ExampleValues() {
	pairs := []float64{0, 0, 0, 1, 0, 1, 0, 1} // by coalition: bit 0 holds the left glove
	fmt.Printf("%.3f\n", shapley.Values(pairs))
	// Output: [0.667 0.167 0.167]
}

// A council of 30, of whom the first has ten votes: a majority of the 39 decides.
func ExampleSampler() {
	council := func(c uint64) float64 {
		votes := bits.OnesCount64(c) + 9*int(c&1)
		if votes >= 20 {
			return 1
		}
		return 0
	}
	s, err := shapley.NewSampler(shapley.Permutation, 30, shapley.Rule{Evaluations: 100000, StdErr: 0.005})
	if err != nil {
		panic(err)
	}
	e := s.Estimate(council, rand.New(rand.NewPCG(1, 1)))
	fmt.Printf("%.2f, at most %.3f off, stopped by %s\n", e.Phi[0], 2*e.StdErr[0], e.Stop)
	// the chair swings where 10 to 19 of the others came before: 10 of 30 places
	// Output: 0.33, at most 0.010 off, stopped by stderr
}
