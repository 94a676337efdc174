package shapley

import (
	"math"
	"math/big"
	"math/bits"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// permutationValues is the reference: the marginal contribution of each player averaged over all n! orders, in
// rational numbers.
func permutationValues(n int, v func(c int) *big.Rat) []*big.Rat {
	sum := make([]*big.Rat, n)
	for i := range sum {
		sum[i] = new(big.Rat)
	}
	orders := int64(0)
	var join func(c int, order []int)
	join = func(c int, order []int) {
		if len(order) == n {
			orders++
			joined := 0
			for _, i := range order {
				next := joined | 1<<i
				sum[i].Add(sum[i], new(big.Rat).Sub(v(next), v(joined)))
				joined = next
			}
			return
		}
		for i := range n {
			if c>>i&1 == 0 {
				join(c|1<<i, append(order, i))
			}
		}
	}
	join(0, nil)
	for i := range sum {
		sum[i].Quo(sum[i], new(big.Rat).SetInt64(orders))
	}
	return sum
}

func intGame(values []int64) func(int) *big.Rat {
	return func(c int) *big.Rat { return new(big.Rat).SetInt64(values[c]) }
}

func TestExactIntEqualsPermutations(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := 1; n <= 7; n++ {
		games := 6
		if n == 7 {
			games = 1
		}
		for range games {
			values, values32 := make([]int64, 1<<n), make([]int32, 1<<n)
			floats := make([]float64, 1<<n)
			for c := range values {
				values[c] = r.Int64N(2001) - 1000
				values32[c], floats[c] = int32(values[c]), float64(values[c])
			}
			s := NewSolver(n)
			got, got32, phi := make([]int64, n), make([]int64, n), make([]float64, n)
			s.ExactInt(values, got)
			s.ExactInt32(values32, got32)
			s.Exact(floats, phi)
			for i, want := range permutationValues(n, intGame(values)) {
				if big.NewRat(got[i], s.Denominator()).Cmp(want) != 0 || got32[i] != got[i] {
					t.Errorf("n=%d player %d: got %d/%d and %d, want %v", n, i, got[i], s.Denominator(), got32[i], want)
				}
				exact, _ := want.Float64()
				if math.Abs(phi[i]-exact) > 1e-10 {
					t.Errorf("n=%d player %d: got %v, want %v", n, i, phi[i], exact)
				}
			}
		}
	}
}

func TestExactWonEqualsExactInt(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for n := 1; n <= 14; n++ {
		s := NewSolver(n)
		rows := 5
		won, numerators := make([]bool, rows<<n), make([]int64, rows*n)
		for k := range won {
			won[k] = r.IntN(3) == 0
		}
		s.ExactWonBatch(won, numerators)
		values, want := make([]int64, 1<<n), make([]int64, n)
		for row := range rows {
			for c := range values {
				values[c] = 0
				if won[row<<n+c] {
					values[c] = int64(bits.OnesCount(uint(c)))
				}
			}
			s.ExactInt(values, want)
			for i := range want {
				if got := numerators[row*n+i]; got != want[i] {
					t.Errorf("n=%d row %d player %d: got %d, want %d", n, row, i, got, want[i])
				}
				// |phi| bounds of the published value: -(n-1)/2 <= phi <= (n+1)/2.
				if 2*want[i] < -int64(n-1)*s.Denominator() || 2*want[i] > int64(n+1)*s.Denominator() {
					t.Errorf("n=%d: phi %d/%d outside its bounds", n, want[i], s.Denominator())
				}
			}
		}
	}
}

// TestDesignTable holds the two-modality table of docs/design.md.
func TestDesignTable(t *testing.T) {
	for _, row := range []struct {
		all, a, v  bool
		phiA, phiV float64
	}{
		{true, true, true, 1, 1},
		{true, true, false, 1.5, 0.5},
		{true, false, false, 1, 1},
		{false, true, true, 0, 0},
		{false, true, false, 0.5, -0.5},
		{false, false, false, 0, 0},
	} {
		s := NewSolver(2)
		numerators, phi := make([]int64, 2), make([]float64, 2)
		s.ExactWon([]bool{false, row.a, row.v, row.all}, numerators)
		s.Fractions(numerators, phi)
		if phi[0] != row.phiA || phi[1] != row.phiV {
			t.Errorf("%+v: got %v", row, phi)
		}
	}
}

// TestAnalyticGames holds games whose values are known in closed form.
func TestAnalyticGames(t *testing.T) {
	majority := func(c int) float64 { // of 5: symmetric, so 1/5 each
		if bits.OnesCount(uint(c)) >= 3 {
			return 1
		}
		return 0
	}
	gloves := func(c int) float64 { // player 0 has a left glove, 1 and 2 right ones: (2/3, 1/6, 1/6)
		return float64(min(c&1, bits.OnesCount(uint(c>>1))))
	}
	airport := func(c int) float64 { // costs 1, 2, 4, 8 (Littlechild and Owen 1973)
		return float64(uint(1) << bits.Len(uint(c)) >> 1)
	}
	unanimity := func(c int) float64 { // of players 1 and 3 among 5: half each
		if c&0b01010 == 0b01010 {
			return 1
		}
		return 0
	}
	additive := func(c int) float64 {
		sum := 0.0
		for i := range 4 {
			sum += float64(c>>i&1) * float64(3*i-2)
		}
		return sum
	}
	for _, g := range []struct {
		name string
		v    func(int) float64
		want []float64
	}{
		{"majority", majority, []float64{.2, .2, .2, .2, .2}},
		{"gloves", gloves, []float64{2. / 3, 1. / 6, 1. / 6}},
		{"airport", airport, []float64{1. / 4, 1./4 + 1./3, 1./4 + 1./3 + 2./2, 1./4 + 1./3 + 2./2 + 4}},
		{"unanimity", unanimity, []float64{0, .5, 0, .5, 0}},
		{"additive", additive, []float64{-2, 1, 4, 7}},
		{"constant", func(int) float64 { return 7 }, []float64{0, 0, 0}}, // v({}) need not be 0
	} {
		values := make([]float64, 1<<len(g.want))
		for c := range values {
			values[c] = g.v(c)
		}
		for i, got := range Values(values) {
			if math.Abs(got-g.want[i]) > 1e-14 {
				t.Errorf("%s: player %d: got %v, want %v", g.name, i, got, g.want[i])
			}
		}
	}
}

func TestTwentyPlayers(t *testing.T) {
	n := MaxPlayers
	s := NewSolver(n)
	won, numerators := make([]bool, 1<<n), make([]int64, n)
	for c := range won { // weighted majority of an uneven vote: players 0 and 1 count twice
		won[c] = bits.OnesCount(uint(c))+bits.OnesCount(uint(c)&3) > 11
	}
	s.ExactWon(won, numerators)
	sum := int64(0)
	for _, a := range numerators {
		sum += a
	}
	if sum != int64(n)*s.Denominator() { // efficiency: v(N) = 20
		t.Errorf("sum %d, want %d", sum, int64(n)*s.Denominator())
	}
	if numerators[0] != numerators[1] || numerators[2] != numerators[19] || numerators[0] <= numerators[2] {
		t.Errorf("symmetry: %v", numerators)
	}
	floats, phi := make([]float64, 1<<n), make([]float64, n)
	for c := range floats {
		if won[c] {
			floats[c] = float64(bits.OnesCount(uint(c)))
		}
	}
	s.Exact(floats, phi)
	for i := range phi {
		if want := float64(numerators[i]) / float64(s.Denominator()); math.Abs(phi[i]-want) > 1e-10 {
			t.Errorf("player %d: got %v, want %v", i, phi[i], want)
		}
	}
}

// game draws an integer game of n players.
func game(t *rapid.T, n int, label string) []int64 {
	return rapid.SliceOfN(rapid.Int64Range(-1e6, 1e6), 1<<n, 1<<n).Draw(t, label)
}

func solveInt(values []int64) []int64 {
	n := bits.Len(uint(len(values))) - 1
	numerators := make([]int64, n)
	NewSolver(n).ExactInt(values, numerators)
	return numerators
}

func TestEfficiency(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 9).Draw(t, "n")
		v := game(t, n, "v")
		sum := int64(0)
		for _, a := range solveInt(v) {
			sum += a
		}
		if want := Denominator(n) * (v[1<<n-1] - v[0]); sum != want {
			t.Fatalf("sum %d, want %d", sum, want)
		}
	})
}

func TestSymmetry(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 8).Draw(t, "n")
		v := game(t, n, "v")
		i := rapid.IntRange(0, n-1).Draw(t, "i")
		j := rapid.IntRange(0, n-1).Draw(t, "j")
		swap := func(c int) int { // exchanges players i and j
			a, b := c>>i&1, c>>j&1
			return c&^(1<<i|1<<j) | a<<j | b<<i
		}
		w := make([]int64, len(v))
		for c := range v {
			w[swap(c)] = v[c]
		}
		phi, psi := solveInt(v), solveInt(w)
		phi[i], phi[j] = phi[j], phi[i]
		if i == j {
			return
		}
		for k := range phi {
			if phi[k] != psi[k] {
				t.Fatalf("player %d: got %d, want %d", k, psi[k], phi[k])
			}
		}
	})
}

func TestNullPlayer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		v := game(t, n, "v")
		i := rapid.IntRange(0, n-1).Draw(t, "null")
		for c := range v {
			v[c|1<<i] = v[c&^(1<<i)]
		}
		if phi := solveInt(v); phi[i] != 0 {
			t.Fatalf("null player %d has %d", i, phi[i])
		}
	})
}

func TestAdditivity(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 8).Draw(t, "n")
		v, w := game(t, n, "v"), game(t, n, "w")
		sum := make([]int64, len(v))
		for c := range v {
			sum[c] = v[c] + w[c]
		}
		phi, psi := solveInt(v), solveInt(w)
		for i, got := range solveInt(sum) {
			if got != phi[i]+psi[i] {
				t.Fatalf("player %d: got %d, want %d", i, got, phi[i]+psi[i])
			}
		}
	})
}

// TestDenominator holds the identity of Farhi 2009 and the largest value that the package comment states.
func TestDenominator(t *testing.T) {
	for n := 1; n <= MaxPlayers; n++ {
		l := big.NewInt(1)
		for k := range n {
			b := new(big.Int).Binomial(int64(n-1), int64(k))
			l.Mul(l, b).Quo(l, new(big.Int).GCD(nil, nil, new(big.Int).Quo(l, b), b))
		}
		if want := l.Int64() * int64(n); Denominator(n) != want {
			t.Errorf("n=%d: got %d, want %d", n, Denominator(n), want)
		}
	}
	if got := Denominator(20); got != 232792560 {
		t.Errorf("lcm(1..20): got %d", got)
	}
}

func TestInt32Extremes(t *testing.T) {
	values := make([]int32, 1<<MaxPlayers)
	for c := range values {
		values[c] = math.MinInt32
		if c&1 == 1 { // player 0 decides everything
			values[c] = math.MaxInt32
		}
	}
	s := NewSolver(MaxPlayers)
	numerators := make([]int64, MaxPlayers)
	s.ExactInt32(values, numerators)
	if want := s.Denominator() * (math.MaxInt32 - math.MinInt32); numerators[0] != want {
		t.Errorf("got %d, want %d", numerators[0], want)
	}
	for i, a := range numerators[1:] {
		if a != 0 {
			t.Errorf("player %d: got %d, want 0", i+1, a)
		}
	}
}

func TestNoAllocation(t *testing.T) {
	for _, n := range []int{2, 8} {
		s := NewSolver(n)
		won, values, floats := make([]bool, 1<<n), make([]int64, 1<<n), make([]float64, 1<<n)
		numerators, phi := make([]int64, n), make([]float64, n)
		if got := testing.AllocsPerRun(10, func() {
			s.ExactWon(won, numerators)
			s.ExactInt(values, numerators)
			s.Exact(floats, phi)
			s.Fractions(numerators, phi)
		}); got != 0 {
			t.Errorf("n=%d: %v allocations", n, got)
		}
	}
}

func TestPanics(t *testing.T) {
	for name, f := range map[string]func(){
		"no players":    func() { NewSolver(0) },
		"too many":      func() { NewSolver(21) },
		"no values":     func() { Values(nil) },
		"three values":  func() { Values(make([]float64, 3)) },
		"wrong players": func() { NewSolver(2).ExactWon(make([]bool, 4), make([]int64, 3)) },
		"wrong batch":   func() { NewSolver(2).ExactWonBatch(make([]bool, 9), make([]int64, 4)) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			f()
		}()
	}
}
