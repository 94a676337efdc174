package resample

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// chiSquare returns the standardised distance of counts from what probabilities make expected, about standard normal
// where they agree (Wilson and Hilferty 1931). Cells expecting fewer than 10 are pooled.
func chiSquare(counts []int64, probabilities []float64, trials int64) float64 {
	x, cells := 0.0, 0
	restCount, rest := float64(trials), float64(trials)
	for k, p := range probabilities {
		if want := p * float64(trials); want >= 10 {
			d := float64(counts[k]) - want
			x += d * d / want
			restCount, rest = restCount-float64(counts[k]), rest-want
			cells++
		}
	}
	if rest >= 1 {
		x += (restCount - rest) * (restCount - rest) / rest
		cells++
	}
	f := float64(cells - 1)
	return (math.Cbrt(x/f) - (1 - 2/(9*f))) / math.Sqrt(2/(9*f))
}

// binomialProbabilities returns P(0), ..., P(n).
func binomialProbabilities(n int, p float64) []float64 {
	out := make([]float64, n+1)
	all, _ := math.Lgamma(float64(n + 1))
	for k := range out {
		a, _ := math.Lgamma(float64(k + 1))
		b, _ := math.Lgamma(float64(n - k + 1))
		out[k] = math.Exp(all - a - b + float64(k)*math.Log(p) + float64(n-k)*math.Log1p(-p))
	}
	return out
}

func TestBinomialFitsItsDistribution(t *testing.T) {
	const trials = 200_000
	for _, c := range []struct {
		n int
		p float64
	}{
		{1, 0.5}, {3, 0.2}, {7, 0.9}, {200, 0.001}, {500, 0.0199}, // inversion
		{20, 0.5}, {30, 0.7}, {100, 0.11}, {1000, 0.3}, {5000, 0.5}, // transformed rejection
	} {
		random := rand.New(rand.NewPCG(uint64(c.n), 11))
		counts := make([]int64, c.n+1)
		for range trials {
			counts[binomial(random, int64(c.n), c.p)]++
		}
		if z := chiSquare(counts, binomialProbabilities(c.n, c.p), trials); z > 4 {
			t.Errorf("binomial(%d, %v): chi-square is %.1f deviations off", c.n, c.p, z)
		}
	}
}

func TestBinomialOfManyTrials(t *testing.T) {
	const trials = 20_000
	for _, c := range []struct{ n, p float64 }{{1e12, 0.37}, {1e15, 1e-9}, {1e12, 3e-12}} {
		random := rand.New(rand.NewPCG(5, uint64(c.n)))
		sum, squares, variance := 0.0, 0.0, c.n*c.p*(1-c.p)
		for range trials {
			d := float64(binomial(random, int64(c.n), c.p)) - c.n*c.p
			sum += d
			squares += d * d
		}
		if z := sum / math.Sqrt(variance*trials); math.Abs(z) > 4 {
			t.Errorf("binomial(%v, %v): the mean is off by %.1f standard errors", c.n, c.p, z)
		}
		if got := squares / trials / variance; math.Abs(got-1) > 0.06 {
			t.Errorf("binomial(%v, %v): variance is %.3f of what it should be", c.n, c.p, got)
		}
	}
}

// TestDrawsAreMultinomial compares the joint outcome of 5 draws from 4 rows with the multinomial distribution.
func TestDrawsAreMultinomial(t *testing.T) {
	const rows, draws, trials = 4, 5, 300_000
	counts := make([]int64, 6*6*6*6)
	random := rand.New(rand.NewPCG(1, 9))
	for range trials {
		d := NewDraws(draws, rows, random)
		cell, total := 0, int64(0)
		for range rows {
			k := d.Next()
			cell = cell*6 + int(k)
			total += k
		}
		if total != draws {
			t.Fatalf("%d draws, want %d", total, draws)
		}
		counts[cell]++
	}
	probabilities := make([]float64, len(counts))
	for outcome := range 1 << (2 * draws) { // every list of 5 draws is as likely
		var times [rows]int
		for k := range draws {
			times[outcome>>(2*k)&3]++
		}
		cell := 0
		for _, k := range times {
			cell = cell*6 + k
		}
		probabilities[cell] += 1. / (1 << (2 * draws))
	}
	if z := chiSquare(counts, probabilities, trials); z > 4 {
		t.Errorf("chi-square is %.1f deviations off", z)
	}
}

func TestDrawsByRow(t *testing.T) {
	for _, c := range []struct{ draws, rows int64 }{
		{0, 10}, {1, 1}, {9, 1}, {2000, 10_000}, {10_000, 10_000}, {50_000, 100}, {1_000_000, 7},
	} {
		t.Run(fmt.Sprint(c.draws, " of ", c.rows), func(t *testing.T) {
			d := NewDraws(c.draws, c.rows, rand.New(rand.NewPCG(uint64(c.draws), uint64(c.rows))))
			counts := make([]int64, c.rows)
			total := int64(0)
			uniform := make([]float64, c.rows)
			for k := range counts {
				counts[k] = d.Next()
				total += counts[k]
				uniform[k] = 1 / float64(c.rows)
			}
			if total != c.draws || d.Next() != 0 {
				t.Errorf("%d draws, want %d", total, c.draws)
			}
			if c.draws >= 10*c.rows && c.rows > 1 {
				if z := chiSquare(counts, uniform, c.draws); math.Abs(z) > 4 {
					t.Errorf("chi-square is %.1f deviations off", z)
				}
			}
			if c.draws == c.rows && c.rows > 1000 { // about Poisson of mean 1
				byTimes := make([]int64, 12)
				for _, k := range counts {
					byTimes[k]++
				}
				p := binomialProbabilities(int(c.draws), 1/float64(c.rows))[:12]
				if z := chiSquare(byTimes, p, c.rows); z > 4 {
					t.Errorf("multiplicities: chi-square is %.1f deviations off", z)
				}
			}
		})
	}
}

func TestDrawsPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("draws among no rows do not panic")
		}
	}()
	NewDraws(1, 0, nil)
}
