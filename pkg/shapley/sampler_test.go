package shapley

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// budgets are large enough for normal intervals of each method.
var budgets = map[Method]int{Permutation: 1200, Owen: 2400, Kernel: 800}

// TestCoverage holds that the 95% interval holds the value in 95% of estimates: 1000 seeds, every analytic game. A
// player's coverage over 1000 seeds has a standard error of 0.7%; the mean over a game's players must lie within 2%.
func TestCoverage(t *testing.T) {
	const seeds = 1000
	for _, m := range Methods {
		for _, g := range analyticGames() {
			s, err := NewSampler(m, g.n, Rule{Evaluations: budgets[m]})
			if err != nil {
				t.Fatal(err)
			}
			held, bias, spread := 0, make([]float64, g.n), make([]float64, g.n)
			for seed := range seeds {
				e := s.Estimate(g.v, rand.New(rand.NewPCG(uint64(seed), 17)))
				for i, phi := range g.phi {
					low, high := e.Interval(i)
					if phi >= low-1e-9 && phi <= high+1e-9 {
						held++
					}
					bias[i] += (e.Phi[i] - phi) / seeds
					spread[i] += e.StdErr[i] / seeds
				}
			}
			share := float64(held) / float64(seeds*g.n)
			exact := slices.Max(spread) < 1e-9 // antithetic orders and regressions have no error in some games
			if exact && share != 1 || !exact && slices.Min(spread) > 1e-9 && (share < 0.93 || share > 0.97) || share < 0.93 {
				t.Errorf("%s, %s: the intervals hold the value in %.1f%% of estimates", m, g.name, 100*share)
			}
			for i := range bias { // the mean of 1000 estimates has a thirtieth of the error of one
				if math.Abs(bias[i]) > 4*spread[i]/math.Sqrt(seeds)+1e-9 {
					t.Errorf("%s, %s: the mean estimate of player %d is %v away, the error of one is %v", m, g.name, i, bias[i], spread[i])
				}
			}
		}
	}
}

// TestSamplerLaws holds what every estimate of random games has to satisfy.
func TestSamplerLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(t, "n")
		m := rapid.SampledFrom(Methods).Draw(t, "method")
		values := rapid.SliceOfN(rapid.Float64Range(-5, 5), 1<<n, 1<<n).Draw(t, "values")
		null := rapid.IntRange(0, n-1).Draw(t, "null player")
		seed := rapid.Uint64().Draw(t, "seed")
		v := func(c uint64) float64 { return values[c&^(1<<null)] }
		s, err := NewSampler(m, n, Rule{Evaluations: 400})
		if err != nil {
			t.Fatal(err)
		}
		estimate := func() Estimate { return s.Estimate(v, rand.New(rand.NewPCG(seed, 1))) }
		e := estimate()
		phi, stderr := slices.Clone(e.Phi), slices.Clone(e.StdErr)
		if again := estimate(); !slices.Equal(again.Phi, phi) || !slices.Equal(again.StdErr, stderr) {
			t.Fatalf("%s: the same seed gives %v and %v", m, phi, again.Phi)
		}
		sum := 0.0
		for i, x := range phi {
			sum += x
			if !(stderr[i] >= 0) || math.IsInf(stderr[i], 0) {
				t.Fatalf("%s: standard error %v", m, stderr[i])
			}
		}
		if want := v(1<<n-1) - v(0); m != Owen && math.Abs(sum-want) > 1e-9 {
			t.Fatalf("%s: the values sum to %v, want %v", m, sum, want)
		}
		if m != Kernel && math.Abs(phi[null]) > 1e-12 { // a regression meets it in expectation alone
			t.Fatalf("%s: a null player gets %v", m, phi[null])
		}
		if e.Evaluations > 400 || e.Stop != StopBudget {
			t.Fatalf("%s: %d evaluations of 400, stopped by %s", m, e.Evaluations, e.Stop)
		}
	})
}

// TestLargeGames samples games of up to 64 players, where nothing is exact but analysis.
func TestLargeGames(t *testing.T) {
	for _, n := range []int{30, 63, 64} {
		v := func(c uint64) float64 { // player i is worth i+1, and players 0 and 1 a hundred together
			sum := 0.0
			for i := range n {
				if c>>i&1 == 1 {
					sum += float64(i + 1)
				}
			}
			if c&3 == 3 {
				sum += 100
			}
			return sum
		}
		for _, m := range Methods {
			s, err := NewSampler(m, n, Rule{Evaluations: 20000})
			if err != nil {
				t.Fatal(err)
			}
			e := s.Estimate(v, rand.New(rand.NewPCG(1, 1)))
			for i := range n {
				want := float64(i + 1)
				if i < 2 {
					want += 50
				}
				if math.Abs(e.Phi[i]-want) > 5*e.StdErr[i]+1e-6 {
					t.Errorf("%s of %d players: player %d gets %v -+ %v, want %v", m, n, i, e.Phi[i], e.StdErr[i], want)
				}
			}
		}
	}
}

func TestStopping(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	noise := make([]float64, 1<<6)
	for c := range noise {
		noise[c] = r.NormFloat64()
		for i := range 6 {
			noise[c] += float64(10 * i * (c >> i & 1))
		}
	}
	v := func(c uint64) float64 { return noise[c] }
	for _, m := range Methods {
		estimate := func(rule Rule) Estimate {
			s, err := NewSampler(m, 6, rule)
			if err != nil {
				t.Fatal(err)
			}
			return s.Estimate(v, rand.New(rand.NewPCG(2, 2)))
		}
		e := estimate(Rule{Evaluations: 1 << 20, StdErr: 0.02})
		if e.Stop != StopStdErr || slices.Max(e.StdErr) > 0.02 || e.Evaluations > 1<<17 {
			t.Errorf("%s: stopped by %s at a standard error of %v after %d evaluations", m, e.Stop, e.StdErr, e.Evaluations)
		}
		if e := estimate(Rule{Evaluations: 1 << 20, Ranked: true}); e.Stop != StopRanked || !slices.IsSorted(e.Phi) || e.Evaluations > 5000 {
			t.Errorf("%s: stopped by %s with %v after %d evaluations", m, e.Stop, e.Phi, e.Evaluations)
		}
		if e := estimate(Rule{Evaluations: 1 << 30, Time: time.Millisecond}); e.Stop != StopTime {
			t.Errorf("%s: stopped by %s after %d evaluations", m, e.Stop, e.Evaluations)
		}
		if _, err := NewSampler(m, 6, Rule{Evaluations: LeastEvaluations(m, 6) - 1}); err == nil {
			t.Errorf("%s: too small a budget is taken", m)
		}
		if e := estimate(Rule{Evaluations: LeastEvaluations(m, 6)}); e.Evaluations < LeastEvaluations(m, 6) {
			t.Errorf("%s: %d evaluations of the least budget %d", m, e.Evaluations, LeastEvaluations(m, 6))
		}
	}
	if _, err := NewSampler("best", 2, Rule{Evaluations: 100}); err == nil {
		t.Error("an unknown estimator is taken")
	}
}

// TestStudentQuantile holds the expansion to the tables (NIST/SEMATECH e-Handbook, 1.3.6.7.2).
func TestStudentQuantile(t *testing.T) {
	for freedom, want := range map[int]float64{5: 2.571, 7: 2.365, 10: 2.228, 30: 2.042, 100: 1.984, 1000: 1.962} {
		if got := studentQuantile(freedom); math.Abs(got-want) > 0.002 {
			t.Errorf("%d degrees of freedom: got %v, want %v", freedom, got, want)
		}
	}
}
