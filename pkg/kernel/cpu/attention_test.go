package cpu

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"mmtools/pkg/kernel"
	"mmtools/pkg/rng"
)

// attentionCase is a batch of tokens with a mask. What is absent is not finite, so that it shows where it is looked at.
type attentionCase struct {
	kernel.Attention
	m         int
	qkv, keep []float32 // (M,T,3,Width), (M,T)
	dy        []float32 // (M,T,Width)
}

func attentionCases() []attentionCase {
	var cases []attentionCase
	r := rng.Stream(1, "attention")
	for _, a := range []kernel.Attention{{Tokens: 1, Heads: 1, Width: 1}, {Tokens: 2, Heads: 2, Width: 6}, {Tokens: 3, Heads: 1, Width: 35},
		{Tokens: 5, Heads: 4, Width: 64}, {Tokens: kernel.MaxTokens, Heads: 2, Width: 4}} {
		for _, m := range []int{1, 2, 13} {
			if m > 2 && a.Tokens == kernel.MaxTokens {
				continue // the reference is slow
			}
			n := m * a.Tokens
			c := attentionCase{Attention: a, m: m, qkv: uniform(r, 3*n*a.Width), dy: uniform(r, n*a.Width), keep: make([]float32, n)}
			for i := range c.qkv {
				c.qkv[i] *= 2
			}
			for i := range c.keep {
				c.keep[i] = float32(min(1, r.IntN(4)))
				if i/a.Tokens == 1 {
					c.keep[i] = 0 // a row of no tokens
				}
				if c.keep[i] == 0 {
					c.spoil(c.qkv[i*3*a.Width:][:3*a.Width])
					c.spoil(c.dy[i*a.Width:][:a.Width])
				}
			}
			cases = append(cases, c)
		}
	}
	return cases
}

func (attentionCase) spoil(x []float32) {
	for i := range x {
		x[i] = []float32{float32(math.NaN()), float32(math.Inf(1)), 3}[i%3]
	}
}

// at returns element k of head h of the query (0), key (1) or value (2) of token i of row r.
func (c attentionCase) at(r, i, which, h, k int) int {
	return ((r*c.Tokens+i)*3+which)*c.Width + h*c.Width/c.Heads + k
}

// reference is Attend by its formula, with qkv in float64; it gives (M,T,Width).
func (c attentionCase) reference(qkv []float64) []float64 {
	y, d := make([]float64, c.m*c.Tokens*c.Width), c.Width/c.Heads
	for r := range c.m {
		for h := range c.Heads {
			for i := range c.Tokens {
				weights, sum := make([]float64, c.Tokens), 0.0
				for j := range c.Tokens {
					if c.keep[r*c.Tokens+i] == 0 || c.keep[r*c.Tokens+j] == 0 {
						continue
					}
					score := 0.0
					for k := range d {
						score += qkv[c.at(r, i, 0, h, k)] * qkv[c.at(r, j, 1, h, k)]
					}
					weights[j] = math.Exp(score / math.Sqrt(float64(d)))
					sum += weights[j]
				}
				for j, w := range weights {
					for k := 0; w > 0 && k < d; k++ {
						y[(r*c.Tokens+i)*c.Width+h*d+k] += w / sum * qkv[c.at(r, j, 2, h, k)]
					}
				}
			}
		}
	}
	return y
}

func eachAttention(t *testing.T, test func(t *testing.T, d *Device, c attentionCase)) {
	for _, threads := range threadCounts {
		d := open(t, threads)
		for _, c := range attentionCases() {
			t.Run(fmt.Sprintf("threads %d M%d %+v", threads, c.m, c.Attention), func(t *testing.T) { test(t, d, c) })
		}
	}
}

func TestAttend(t *testing.T) {
	eachAttention(t, func(t *testing.T, d *Device, c attentionCase) {
		want := c.reference(doubles(c.qkv))
		y := output(t, d, len(want))
		d.Attend(y, upload(t, d, c.qkv), upload(t, d, c.keep), c.m, c.Attention)
		near(t, "y", download(d, y), want, slices.Repeat([]float64{2}, len(want)), 1e-6) // no value is above 2
	})
}

// The gradient is that of sum dy y, by central differences of the reference in float64.
func TestAttendGrad(t *testing.T) {
	if testing.Short() {
		t.Skip("differences of every element take a while")
	}
	wants := map[string][]float64{}
	eachAttention(t, func(t *testing.T, d *Device, c attentionCase) {
		key := fmt.Sprint(c.m, c.Attention)
		if wants[key] == nil {
			wants[key] = c.differences()
		}
		dqkv := output(t, d, len(c.qkv))
		d.AttendGrad(dqkv, upload(t, d, c.dy), upload(t, d, c.qkv), upload(t, d, c.keep), c.m, c.Attention)
		near(t, "dqkv", download(d, dqkv), wants[key], slices.Repeat([]float64{math.Sqrt(float64(c.Tokens))}, len(c.qkv)), 3e-6)
	})
}

func (c attentionCase) differences() []float64 {
	const step = 1e-5
	qkv, want := doubles(c.qkv), make([]float64, len(c.qkv))
	for i := range qkv {
		r := i / (c.Tokens * 3 * c.Width)
		row := c.row(r)
		from := r * c.Tokens * 3 * c.Width
		here := slices.Clone(qkv[from:][:c.Tokens*3*c.Width])
		old := here[i-from]
		if c.keep[i/(3*c.Width)] == 0 {
			continue // nothing depends on what is absent
		}
		here[i-from] = old + step
		up := row.sum(here)
		here[i-from] = old - step
		want[i] = (up - row.sum(here)) / (2 * step)
	}
	return want
}

// row returns the case of one row.
func (c attentionCase) row(r int) attentionCase {
	n := c.Tokens
	return attentionCase{Attention: c.Attention, m: 1, keep: c.keep[r*n:][:n], dy: c.dy[r*n*c.Width:][:n*c.Width]}
}

func (c attentionCase) sum(qkv []float64) (sum float64) {
	for i, y := range c.reference(qkv) {
		if c.keep[i/c.Width] != 0 {
			sum += float64(c.dy[i]) * y
		}
	}
	return sum
}

// A score that is not finite shows in the result, as PyTorch's softmax shows it.
func TestAttendKeepsNaN(t *testing.T) {
	d := open(t, 1)
	for _, bad := range []float32{canary, float32(math.Inf(1))} {
		y, qkv := output(t, d, 2), upload(t, d, []float32{1, bad, 1, 1, 1, 1})
		d.Attend(y, qkv, upload(t, d, []float32{1, 1}), 1, kernel.Attention{Tokens: 2, Heads: 1, Width: 1})
		for i, v := range download(d, y) {
			if v == v {
				t.Errorf("a key of %v gives y_%d = %v, want NaN", bad, i, v)
			}
		}
	}
}

func TestMaskedMean(t *testing.T) {
	eachAttention(t, func(t *testing.T, d *Device, c attentionCase) {
		n := c.Width
		want, wantGrad := make([]float64, c.m*n), make([]float64, c.m*c.Tokens*n)
		dy := uniform(rng.Stream(1, "masked mean"), c.m*n)
		for r := range c.m {
			present := 0.0
			for _, k := range c.keep[r*c.Tokens:][:c.Tokens] {
				present += float64(k)
			}
			for i := range c.Tokens {
				for k := 0; k < n && c.keep[r*c.Tokens+i] == 1; k++ {
					want[r*n+k] += float64(c.dy[(r*c.Tokens+i)*n+k]) / present
					wantGrad[(r*c.Tokens+i)*n+k] = float64(dy[r*n+k]) / present
				}
			}
		}
		y, dx, keep := output(t, d, len(want)), output(t, d, len(wantGrad)), upload(t, d, c.keep)
		d.MaskedMean(y, upload(t, d, c.dy), keep, c.m, c.Tokens, n)
		near(t, "y", download(d, y), want, slices.Repeat([]float64{1}, len(want)), 1e-6)
		d.MaskedMeanGrad(dx, upload(t, d, dy), keep, c.m, c.Tokens, n)
		near(t, "dx", download(d, dx), wantGrad, nil, 3*rounded)
	})
}

func TestAttentionChecks(t *testing.T) {
	for name, a := range map[string]kernel.Attention{"no tokens": {Heads: 1, Width: 1}, "too many tokens": {Tokens: 65, Heads: 1, Width: 1},
		"no heads": {Tokens: 1, Width: 1}, "no width": {Tokens: 1, Heads: 1}, "heads do not divide": {Tokens: 2, Heads: 3, Width: 8}} {
		if a.Check() == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if err := (kernel.Attention{Tokens: 64, Heads: 4, Width: 8}).Check(); err != nil {
		t.Error(err)
	}
}
