package shapley

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// MaxSampled is the largest number of players of a game whose values are sampled.
const MaxSampled = 64

// Game is a game whose values are computed when they are asked for: v of a coalition, bit i for player i.
type Game func(coalition uint64) float64

// Method names an estimator of Shapley values from a sample of coalitions.
type Method string

// The estimators. Permutation is unbiased; the bias of Owen and Kernel falls with the number of draws and is well below their errors.
const (
	Permutation Method = "permutation"
	Owen        Method = "owen"
	Kernel      Method = "kernel"
)

// Methods lists every Method.
var Methods = []Method{Permutation, Owen, Kernel}

// Rule says when to stop sampling: at the first of what is set. A rule that looks at the estimates (StdErr, Ranked) stops
// early where they look good by chance, so that intervals hold a little less often than without. Ranked allows for that in what it
// says of the order.
type Rule struct {
	Evaluations int           // of the game, at most; required
	StdErr      float64       // stop where no standard error is above; 0 never
	Ranked      bool          // stop where the order of phi is told: of players who are alike in 5 estimates of 100 at most
	Time        time.Duration // stop after; 0 never. It makes estimates depend on the machine's speed
}

// Stop says why sampling stopped.
type Stop string

// The reasons.
const (
	StopBudget Stop = "budget"
	StopStdErr Stop = "stderr"
	StopRanked Stop = "ranked"
	StopTime   Stop = "time"
)

// Estimate is what sampling found; its slices are borrowed from the Sampler until its next estimate.
type Estimate struct {
	Phi, StdErr []float64 // (n)
	Freedom     []float64 // (n): degrees of freedom of StdErr, 3 or more
	Draws       int       // independent ones: of pairs of orders, of pairs of sets, ...
	Evaluations int       // of the game
	Stop        Stop
}

// Interval returns the interval in which phi_i lies in 95 of 100 estimates: phi_i -+ t(0.975, Freedom_i) StdErr_i. That holds from
// about 30 draws on of Permutation, 24 of Owen, and 10 pairs a player of Kernel. With fewer, where a game has few values and so have
// the draws, the share can be anything from 89 to 100; and a player who decides in less than one draw in ten is held more often.
func (e Estimate) Interval(i int) (low, high float64) {
	half := studentQuantile(e.Freedom[i]) * e.StdErr[i]
	return e.Phi[i] - half, e.Phi[i] + half
}

// drawer makes the draws of one method.
type drawer interface {
	cost() int                                             // evaluations of a draw
	least() int                                            // draws without which there is no estimate
	start(game Game, empty, whole float64)                 // begins an estimate
	draw(random *rand.Rand)                                // adds a draw
	estimate(phi, stderr, freedom []float64) (enough bool) // of the draws so far; false where they do not determine phi
	difference(a, b int) float64                           // the standard error of phi_b - phi_a, after an estimate
}

// Sampler estimates the values of games of one number of players, in memory that it keeps. It is used by one goroutine at
// a time.
type Sampler struct {
	n                    int
	rule                 Rule
	drawer               drawer
	phi, stderr, freedom []float64
	order                []int
}

// NewSampler returns a Sampler of games of n players, 1 <= n <= MaxSampled. It returns an error for a rule without a
// budget that the method can do with.
func NewSampler(m Method, n int, rule Rule) (*Sampler, error) {
	if n < 1 || n > MaxSampled {
		panic(fmt.Sprintf("shapley: %d players to sample, want 1 to %d", n, MaxSampled))
	}
	s := &Sampler{n: n, rule: rule, phi: make([]float64, n), stderr: make([]float64, n), freedom: make([]float64, n), order: make([]int, n)}
	switch m {
	case Permutation:
		s.drawer = newPermutation(n)
	case Owen:
		s.drawer = newOwen(n)
	case Kernel:
		s.drawer = newKernel(n)
	default:
		return nil, fmt.Errorf("estimator %q: want permutation, owen or kernel", string(m))
	}
	if least := LeastEvaluations(m, n); rule.Evaluations < least {
		return nil, fmt.Errorf("coalitions %d: the %s estimator of %d players wants %d or more", rule.Evaluations, m, n, least)
	}
	if !(rule.StdErr >= 0) || rule.Time < 0 {
		return nil, fmt.Errorf("stopping at a standard error of %v or after %v: want 0 or more", rule.StdErr, rule.Time)
	}
	return s, nil
}

// LeastEvaluations returns the smallest budget with which a method estimates a game of n players and its errors.
func LeastEvaluations(m Method, n int) int {
	switch m {
	case Permutation:
		return evaluations(newPermutation(n))
	case Owen:
		return evaluations(newOwen(n))
	case Kernel:
		return evaluations(newKernel(n))
	}
	return 0
}

func evaluations(d drawer) int { return 2 + d.least()*d.cost() }

// growth is how many more draws there are, as a share of those there were, before a rule is held against them again.
const growth = 0.25

// Estimate samples a game. The same game and random numbers give the same estimate, unless Rule.Time stops it.
func (s *Sampler) Estimate(game Game, random *rand.Rand) Estimate {
	begun := time.Now()
	empty, whole := game(0), game(1<<s.n-1) // 1<<64 is 0, so that 64 players are all ones
	d := s.drawer
	d.start(game, empty, whole)
	e := Estimate{Phi: s.phi, StdErr: s.stderr, Freedom: s.freedom, Evaluations: 2, Stop: StopBudget}
	if s.n == 1 { // the only order there is
		s.phi[0], s.stderr[0], s.freedom[0] = whole-empty, 0, leastFreedom
		return e
	}
	next, most := d.least(), s.rule.Evaluations
	if s.rule.StdErr == 0 && !s.rule.Ranked && s.rule.Time == 0 {
		next = most // nothing but the budget stops it
	}
	var enough bool
	for look := 1; ; look++ {
		for e.Draws < next && e.Evaluations+d.cost() <= most {
			d.draw(random)
			e.Draws++
			e.Evaluations += d.cost()
		}
		enough = d.estimate(s.phi, s.stderr, s.freedom)
		switch {
		case e.Evaluations+d.cost() > most && enough:
			return e
		case e.Evaluations+d.cost() > most: // only Kernel, whose draws may all lie in a plane: it takes what it needs
			most += d.cost()
		case enough && s.rule.StdErr > 0 && slices.Max(s.stderr) <= s.rule.StdErr:
			e.Stop = StopStdErr
			return e
		case enough && s.rule.Ranked && s.ranked(look):
			e.Stop = StopRanked
			return e
		case enough && s.rule.Time > 0 && time.Since(begun) >= s.rule.Time:
			e.Stop = StopTime
			return e
		}
		next = e.Draws + max(1, int(growth*float64(e.Draws)))
	}
}

// studentQuantile returns the 0.975 quantile of Student's t of a number of degrees of freedom, by the expansion around
// the normal one (Abramowitz and Stegun 1964, 26.7.5); it is good to 1% from 3 degrees on and to 1e-4 from 8.
func studentQuantile(v float64) float64 {
	const z = 1.959963984540054
	const z2 = z * z
	return z + z*(z2+1)/(4*v) + z*((5*z2+16)*z2+3)/(96*v*v) + z*(((3*z2+19)*z2+17)*z2-15)/(384*v*v*v) +
		z*((((79*z2+776)*z2+1482)*z2-1920)*z2-945)/(92160*v*v*v*v)
}
