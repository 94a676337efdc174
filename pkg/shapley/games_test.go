package shapley

import (
	"math"
	"math/bits"
	"math/rand/v2"
	"testing"
)

// analytic is a game whose values are known.
type analytic struct {
	name string
	n    int
	v    Game
	phi  []float64
	beta []float64 // Banzhaf; nil where the test does not say
}

// analyticGames are textbook games (G. Owen, Game Theory, 1995, chapters XI and XII).
func analyticGames() []analytic {
	constant := func(n int, x float64) []float64 {
		out := make([]float64, n)
		for i := range out {
			out[i] = x
		}
		return out
	}
	size := func(c uint64) float64 { return float64(bits.OnesCount64(c)) }
	worth := []float64{3, -1, 0.5, 2, 0, 7}
	costs := []float64{1, 2, 4, 7, 7} // of runways, by the length that each needs
	// airport: the cost of each piece is shared by those who need it
	airport, below := make([]float64, len(costs)), 0.0
	share := 0.0
	for i, cost := range costs {
		share += (cost - below) / float64(len(costs)-i)
		below, airport[i] = cost, share
	}
	return []analytic{
		{"majority of 5", 5, func(c uint64) float64 {
			if size(c) >= 3 {
				return 1
			}
			return 0
		}, constant(5, 1./5), constant(5, 6./16)}, // a swing where 2 of the other 4 are in
		{"additive", 6, func(c uint64) (sum float64) {
			for i, w := range worth {
				if c>>i&1 == 1 {
					sum += w
				}
			}
			return sum
		}, worth, worth},
		{"unanimity of players 0, 2 and 3", 5, func(c uint64) float64 {
			if c&0b01101 == 0b01101 {
				return 6
			}
			return 0
		}, []float64{2, 0, 2, 2, 0}, []float64{1.5, 0, 1.5, 1.5, 0}}, // the other two are in with probability 1/4
		{"airport", 5, func(c uint64) float64 {
			if c == 0 {
				return 0
			}
			return costs[bits.Len64(c)-1]
		}, airport, nil},
		{"gloves, one left and two right", 3, func(c uint64) float64 {
			return float64(min(c&1, uint64(bits.OnesCount64(c>>1))))
		}, []float64{2. / 3, 1. / 6, 1. / 6}, []float64{3. / 4, 1. / 4, 1. / 4}},
		{"symmetric, squares", 7, func(c uint64) float64 { return size(c) * size(c) }, constant(7, 7), constant(7, 7)},
		{"a value without anyone", 4, func(c uint64) float64 { return 10 + math.Sqrt(size(c)) }, constant(4, 0.5), nil},
		{"one player", 1, func(c uint64) float64 { return 2 + 3*float64(c) }, []float64{3}, []float64{3}},
	}
}

func (g analytic) values() []float64 {
	values := make([]float64, 1<<g.n)
	for c := range values {
		values[c] = g.v(uint64(c))
	}
	return values
}

func near(a, b, tolerance float64) bool { return math.Abs(a-b) <= tolerance }

func TestAnalyticGamesExactly(t *testing.T) {
	for _, g := range analyticGames() {
		s := NewSolver(g.n)
		got := make([]float64, g.n)
		s.Exact(g.values(), got)
		for i, want := range g.phi {
			if !near(got[i], want, 1e-12) {
				t.Errorf("%s: player %d: got %v, want %v", g.name, i, got[i], want)
			}
		}
		s.Banzhaf(g.values(), got)
		for i, want := range g.beta {
			if !near(got[i], want, 1e-12) {
				t.Errorf("%s: Banzhaf value of player %d: got %v, want %v", g.name, i, got[i], want)
			}
		}
	}
}

// TestBanzhafAndInteractionsByDefinition holds both to the sums that define them.
func TestBanzhafAndInteractionsByDefinition(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for n := 1; n <= 8; n++ {
		values := make([]float64, 1<<n)
		for c := range values {
			values[c] = r.NormFloat64()
		}
		s := NewSolver(n)
		beta, index := make([]float64, n), make([]float64, n*(n-1)/2)
		s.Banzhaf(values, beta)
		s.Interactions(values, index)
		for i := range n {
			want := 0.0
			for c := range values {
				if c>>i&1 == 0 {
					want += (values[c|1<<i] - values[c]) / float64(int(1)<<(n-1))
				}
			}
			if !near(beta[i], want, 1e-12) {
				t.Errorf("n=%d: Banzhaf value of player %d: got %v, want %v", n, i, beta[i], want)
			}
		}
		for j := 1; j < n; j++ {
			for i := range j {
				want := 0.0
				for c := range values {
					if c>>i&1 == 0 && c>>j&1 == 0 {
						k := bits.OnesCount(uint(c))
						w := math.Exp(lgamma(k) + lgamma(n-k-2) - lgamma(n-1))
						want += w * (values[c|1<<i|1<<j] - values[c|1<<i] - values[c|1<<j] + values[c])
					}
				}
				if got := index[j*(j-1)/2+i]; !near(got, want, 1e-11) {
					t.Errorf("n=%d: interaction of %d and %d: got %v, want %v", n, i, j, got, want)
				}
			}
		}
		// efficiency of the index with the singletons' Shapley values has no simple form; of two players it is the dividend
		if n == 2 && !near(index[0], Cooperation(values), 1e-12) {
			t.Errorf("the interaction of two players %v is not their cooperation %v", index[0], Cooperation(values))
		}
	}
}

func lgamma(k int) float64 {
	x, _ := math.Lgamma(float64(k + 1))
	return x
}

func TestCooperation(t *testing.T) {
	for _, g := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"additive with a value of none", []float64{1, 3, 0, 2}, 0},
		{"unanimity", []float64{0, 0, 0, 0, 0, 0, 0, 5}, 5},
		{"either would do", []float64{0, 1, 1, 1}, -1},
		{"one player", []float64{2, 9}, 0},
	} {
		if got := Cooperation(g.values); got != g.want {
			t.Errorf("%s: got %v, want %v", g.name, got, g.want)
		}
	}
}
