package shapley

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// binomialBounds returns the bounds outside of which a binomial number of trials falls with at most probability/2 either side.
func binomialBounds(trials int, p, probability float64) (least, most int) {
	cumulative, least := 0.0, -1
	all, _ := math.Lgamma(float64(trials + 1))
	for k := range trials + 1 {
		a, _ := math.Lgamma(float64(k + 1))
		b, _ := math.Lgamma(float64(trials - k + 1))
		cumulative += math.Exp(all - a - b + float64(k)*math.Log(p) + float64(trials-k)*math.Log1p(-p))
		if least < 0 && cumulative > probability/2 {
			least = k
		}
		if cumulative >= 1-probability/2 {
			return least, k
		}
	}
	return least, trials
}

// TestCoverage holds that the 95% interval holds the value in 95% of estimates: 1000 seeds, every analytic game, a small and a
// large budget. How often it holds a player's value is binomial: 917 to 977 of 1000 with all but a probability of 1e-5, which
// makes 3e-3 of all the counts together; the seeds are the same every time. Players whom the draws tell nothing of in more than
// one estimate of fifty, and exact estimates, may be held more often.
func TestCoverage(t *testing.T) {
	const seeds = 1000
	least, most := binomialBounds(seeds, 0.95, 1e-5)
	games := append(analyticGames(), securityCouncil())
	for m, budgets := range map[Method]func(n int) [2]int{ // draws
		Permutation: func(int) [2]int { return [2]int{30, 240} },
		Owen:        func(int) [2]int { return [2]int{24, 96} },
		Kernel:      func(n int) [2]int { return [2]int{10 * n, 40 * n} },
	} {
		for _, g := range games {
			for _, draws := range budgets(g.n) {
				s, err := NewSampler(m, g.n, Rule{Evaluations: 1 << 20})
				if err != nil {
					t.Fatal(err)
				}
				s.rule.Evaluations = 2 + draws*s.drawer.cost()
				held, unknown, bias, spread := make([]int, g.n), make([]int, g.n), make([]float64, g.n), make([]float64, g.n)
				for seed := range seeds {
					e := s.Estimate(g.v, rand.New(rand.NewPCG(uint64(seed), 17)))
					for i, phi := range g.phi {
						low, high := e.Interval(i)
						if phi >= low-1e-9 && phi <= high+1e-9 {
							held[i]++
						}
						if e.Freedom[i] == leastFreedom {
							unknown[i]++
						}
						bias[i] += (e.Phi[i] - phi) / seeds
						spread[i] += (e.Phi[i] - phi) * (e.Phi[i] - phi) / seeds
					}
				}
				for i, h := range held {
					if exact := spread[i] < 1e-18; exact && h != seeds || h < least || h > most && !exact && unknown[i] <= seeds/50 {
						t.Errorf("%s, %d draws of %s: the intervals of player %d hold the value in %d estimates of %d, want %d to %d; %d with few degrees of freedom",
							m, draws, g.name, i, h, seeds, least, most, unknown[i])
					}
					// the mean of 1000 estimates is off by a 32nd of what one is
					if math.Abs(bias[i]) > 4.5*math.Sqrt(spread[i]/seeds)+1e-9 {
						t.Errorf("%s, %d draws of %s: the mean estimate of player %d is %v away, one by %v", m, draws, g.name, i, bias[i], math.Sqrt(spread[i]))
					}
				}
			}
		}
	}
}

// securityCouncil is the game of the United Nations' council of 15: nine have to agree, all of the five permanent members among
// them. One of the others decides in 4 orders of 2145 (L. S. Shapley and M. Shubik, A method for evaluating the distribution of
// power in a committee system, American Political Science Review 48, 1954, for the council of their day, of 11).
func securityCouncil() analytic {
	g := analytic{name: "security council", n: 15, v: func(c uint64) float64 {
		if c&0b11111 == 0b11111 && bits.OnesCount64(c) >= 9 {
			return 1
		}
		return 0
	}}
	for i := range g.n {
		if i < 5 {
			g.phi = append(g.phi, 421./2145)
		} else {
			g.phi = append(g.phi, 4./2145)
		}
	}
	return g
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
		if want := v(1<<n-1) - v(0); math.Abs(sum-want) > 1e-9 {
			t.Fatalf("%s: the values sum to %v, want %v", m, sum, want)
		}
		if m != Kernel && math.Abs(phi[null]) > 1e-12 { // a regression meets it in expectation alone
			t.Fatalf("%s: a null player gets %v", m, phi[null])
		}
		if e.Evaluations > 400 || e.Stop != StopBudget {
			t.Fatalf("%s: %d evaluations of 400, stopped by %s", m, e.Evaluations, e.Stop)
		}
		// by the same draws: estimates of games that are scaled and moved are scaled, and those of sums are sums; Owen's coefficients
		// are a game's own
		times, by := rapid.Float64Range(-3, 3).Draw(t, "times"), rapid.Float64Range(-3, 3).Draw(t, "by")
		sampled := func(v Game) (phi, stderr []float64) {
			e := s.Estimate(v, rand.New(rand.NewPCG(seed, 1)))
			return slices.Clone(e.Phi), slices.Clone(e.StdErr)
		}
		scaled, scaledErr := sampled(func(c uint64) float64 { return times*v(c) + by })
		other := rapid.SliceOfN(rapid.Float64Range(-5, 5), 1<<n, 1<<n).Draw(t, "another game's values")
		w := func(c uint64) float64 { return other[c] }
		ofW, _ := sampled(w)
		both, _ := sampled(func(c uint64) float64 { return v(c) + w(c) })
		for i, x := range phi {
			if math.Abs(scaled[i]-times*x) > 1e-7 || math.Abs(scaledErr[i]-math.Abs(times)*stderr[i]) > 1e-7 {
				t.Fatalf("%s: player %d of %v v + %v gets %v -+ %v, of v %v -+ %v", m, i, times, by, scaled[i], scaledErr[i], x, stderr[i])
			}
			if m != Owen && math.Abs(both[i]-x-ofW[i]) > 1e-9 {
				t.Fatalf("%s: player %d of a sum of games gets %v, of the games %v and %v", m, i, both[i], x, ofW[i])
			}
		}
	})
}

// TestPairs holds what the second half of a draw is for: in the game of squared sizes a player who comes k-th brings 2k+1, and in the
// reverse order, to the complement, or over the complement what makes it the same for all; so every draw is exact.
func TestPairs(t *testing.T) {
	const n = 7
	for _, m := range Methods {
		s, err := NewSampler(m, n, Rule{Evaluations: 600})
		if err != nil {
			t.Fatal(err)
		}
		e := s.Estimate(func(c uint64) float64 { k := float64(bits.OnesCount64(c)); return k * k }, rand.New(rand.NewPCG(4, 4)))
		for i := range n {
			if math.Abs(e.Phi[i]-n) > 1e-9 || e.StdErr[i] > 1e-9 {
				t.Errorf("%s: player %d gets %v -+ %v, want %d by every draw", m, i, e.Phi[i], e.StdErr[i], n)
			}
		}
	}
}

// nearlyAlike is a game of six players that are far apart but for the last two, which are gap apart.
func nearlyAlike(gap float64) Game {
	r := rand.New(rand.NewPCG(6, 6))
	noise := make([]float64, 1<<6)
	for c := range noise {
		noise[c] = r.NormFloat64()
	}
	return func(c uint64) float64 {
		swapped := c&^(3<<4) | c>>4&1<<5 | c>>5&1<<4
		sum := noise[c] + noise[swapped] // the same for both
		for i, worth := range []float64{-60, -40, -20, 0, 20, 20 + gap} {
			sum += worth * float64(c>>i&1)
		}
		return sum
	}
}

// TestRanked holds that of players who are alike an order is found no more often than Ranked says, however long one looks; that those
// who are not are put in order, rightly but for as few; and that it takes the longer, the less they are apart.
func TestRanked(t *testing.T) {
	const seeds = 200
	_, most := binomialBounds(seeds, misranked, 1e-4)
	for _, m := range Methods {
		looked := map[float64]int{}
		for _, gap := range []float64{0, 0.5, 20} {
			s, err := NewSampler(m, 6, Rule{Evaluations: 4000, Ranked: true})
			if err != nil {
				t.Fatal(err)
			}
			game, ranked, wrong := nearlyAlike(gap), 0, 0
			for seed := range uint64(seeds) {
				e := s.Estimate(game, rand.New(rand.NewPCG(seed, 2)))
				looked[gap] += e.Evaluations
				if e.Stop == StopRanked {
					ranked++
					if !slices.IsSorted(e.Phi) {
						wrong++
					}
				}
			}
			if gap == 0 && ranked > most || wrong > most || gap > 0 && ranked < seeds/2 {
				t.Errorf("%s, %v apart: %d of %d estimates are ranked, %d of them wrongly, want %d at most", m, gap, ranked, seeds, wrong, most)
			}
		}
		if looked[0.5] <= 2*looked[20] {
			t.Errorf("%s: %d evaluations for players 0.5 apart, %d for 20", m, looked[0.5], looked[20])
		}
	}
}

// TestDifference holds the standard errors of differences to how much the differences deviate, over many estimates.
func TestDifference(t *testing.T) {
	const seeds = 1000
	game := nearlyAlike(0)
	for _, m := range Methods {
		s, err := NewSampler(m, 6, Rule{Evaluations: 1500})
		if err != nil {
			t.Fatal(err)
		}
		var errs, is, squares [3]float64
		pairs := [3][2]int{{4, 5}, {0, 5}, {1, 2}}
		for seed := range uint64(seeds) {
			e := s.Estimate(game, rand.New(rand.NewPCG(seed, 5)))
			for k, p := range pairs {
				d := e.Phi[p[1]] - e.Phi[p[0]]
				is[k], squares[k] = is[k]+d/seeds, squares[k]+d*d/seeds
				errs[k] += s.drawer.difference(p[0], p[1]) / seeds
			}
		}
		for k, p := range pairs {
			deviation := math.Sqrt(squares[k] - is[k]*is[k])
			if r := errs[k] / deviation; r < 0.93 || r > 1.1 {
				t.Errorf("%s: the difference of players %d and %d deviates by %v, its error is %v", m, p[0], p[1], deviation, errs[k])
			}
		}
	}
}

// TestSymmetricPlayers holds that players who can stand in for each other get the same over many estimates, by every estimator: each
// of three pairs of a game of seven, to four errors of the mean difference.
func TestSymmetricPlayers(t *testing.T) {
	const n, seeds = 7, 600
	v := func(c uint64) float64 { // what a pair brings depends on how many of it are in; player 6 counts alone
		sum := 0.0
		for p := range 3 {
			k := float64(bits.OnesCount64(c >> (2 * p) & 3))
			sum += float64(p+1) * k * k * (1 + float64(c>>6&1))
		}
		return math.Sqrt(sum)
	}
	for _, m := range Methods {
		s, err := NewSampler(m, n, Rule{Evaluations: 600})
		if err != nil {
			t.Fatal(err)
		}
		sum, squares := [3]float64{}, [3]float64{}
		for seed := range uint64(seeds) {
			e := s.Estimate(v, rand.New(rand.NewPCG(seed, 3)))
			for p := range sum {
				d := e.Phi[2*p] - e.Phi[2*p+1]
				sum[p] += d
				squares[p] += d * d
			}
		}
		for p := range sum {
			if squares[p] == 0 || math.Abs(sum[p]) > 4*math.Sqrt(squares[p]) {
				t.Errorf("%s: players %d and %d differ by %v on average, one estimate's by %v", m, 2*p, 2*p+1, sum[p]/seeds, math.Sqrt(squares[p]/seeds))
			}
		}
	}
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
	for freedom, want := range map[float64]float64{5: 2.571, 7: 2.365, 10: 2.228, 30: 2.042, 100: 1.984, 1000: 1.962} {
		if got := studentQuantile(freedom); math.Abs(got-want) > 0.002 {
			t.Errorf("%v degrees of freedom: got %v, want %v", freedom, got, want)
		}
		if got := student(freedom, 0.05); math.Abs(got-want) > 0.0005 {
			t.Errorf("%v degrees of freedom, exactly: got %v, want %v", freedom, got, want)
		}
	}
}
