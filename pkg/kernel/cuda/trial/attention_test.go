//go:build mmcuda && cgo && linux

package trial

import (
	"fmt"
	"math"
	"testing"

	"mmtools/pkg/kernel"
)

func TestAttention(t *testing.T) {
	d := host(t)
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range []struct {
			m int
			a kernel.Attention
		}{
			{0, kernel.Attention{Tokens: 2, Heads: 1, Width: 4}},
			{1, kernel.Attention{Tokens: 1, Heads: 1, Width: 1}},
			{5, kernel.Attention{Tokens: 3, Heads: 2, Width: 10}},
			{9, kernel.Attention{Tokens: 2, Heads: 4, Width: 160}},
			{2, kernel.Attention{Tokens: 19, Heads: 1, Width: 7}}, // more than are taken at a time
			{1, kernel.Attention{Tokens: kernel.MaxTokens, Heads: 1, Width: 2}},
		} {
			r := newRig(t, shift, s.m, s.a.Tokens)
			n := s.m * s.a.Tokens * s.a.Width
			qkv, dy, keep := r.uniform(3*n), r.uniform(n), r.mask(s.m, s.a.Tokens)
			if s.a.Tokens == kernel.MaxTokens { // all pairs would take long
				for i := range keep {
					keep[i] = float32(i % 8 / 7)
				}
			}
			spoil(qkv, keep, 3*s.a.Width, 0, 1)
			spoil(dy, keep, s.a.Width, 0, 1)
			size := make([]float64, 3*n)
			for i := range size {
				size[i] = float64(s.a.Tokens)
			}
			in, mask, above := r.floats(qkv), r.floats(keep), r.floats(dy)

			want, y := on(t, d, make([]float32, n)), r.output(n)
			d.Attend(want, on(t, d, qkv), on(t, d, keep), s.m, s.a)
			r.launch("mm_attend", elements, y, in, mask, s.m, s.a.Tokens, s.a.Heads, s.a.Width)
			near(t, fmt.Sprintf("%v: y", s), y.Floats(), values(want), size[:n], 1e-7)

			want, dqkv := on(t, d, make([]float32, 3*n)), r.output(3*n)
			d.AttendGrad(want, on(t, d, dy), on(t, d, qkv), on(t, d, keep), s.m, s.a)
			r.launch("mm_attend_grad", elements, dqkv, above, in, mask, s.m, s.a.Tokens, s.a.Heads, s.a.Width)
			near(t, fmt.Sprintf("%v: dqkv", s), dqkv.Floats(), values(want), size, 2e-7)
		}
	})
}

// A score that is no number, or infinite, makes its row's results NaN and no others.
func TestAttentionKeepsNaN(t *testing.T) {
	d := host(t)
	a := kernel.Attention{Tokens: 2, Heads: 1, Width: 4}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		r := newRig(t, 0)
		qkv, keep := r.uniform(3*24), []float32{1, 1, 1, 1, 0, 1}
		qkv[24+1] = float32(bad) // a query of row 1
		want, y := on(t, d, make([]float32, 24)), r.output(24)
		d.Attend(want, on(t, d, qkv), on(t, d, keep), 3, a)
		r.launch("mm_attend", elements, y, r.floats(qkv), r.floats(keep), 3, a.Tokens, a.Heads, a.Width)
		near(t, fmt.Sprint(bad), y.Floats(), values(want), nil, 1e-6)
		if v := y.Floats()[8]; v == v {
			t.Errorf("%v: y is %v, want NaN", bad, v)
		}
	}
}

func TestMaskedMean(t *testing.T) {
	d := host(t)
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range [][3]int{{0, 2, 3}, {1, 1, 1}, {7, 3, 5}, {33, 2, 40}} {
			m, tokens, n := s[0], s[1], s[2]
			r := newRig(t, shift, m, tokens, n)
			x, dy, keep := r.uniform(m*tokens*n), r.uniform(m*n), r.mask(m, tokens)
			spoil(x, keep, n, 0, 1)
			size := make([]float64, m*tokens*n)
			for i := range size {
				size[i] = 1
			}
			want, y := on(t, d, make([]float32, m*n)), r.output(m*n)
			d.MaskedMean(want, on(t, d, x), on(t, d, keep), m, tokens, n)
			r.launch("mm_masked_mean", elements, y, r.floats(x), r.floats(keep), m, tokens, n)
			near(t, fmt.Sprintf("%v: y", s), y.Floats(), values(want), size[:m*n], 1e-7)

			want, dx := on(t, d, make([]float32, m*tokens*n)), r.output(m*tokens*n)
			d.MaskedMeanGrad(want, on(t, d, dy), on(t, d, keep), m, tokens, n)
			r.launch("mm_masked_mean_grad", elements, dx, r.floats(dy), r.floats(keep), m, tokens, n)
			near(t, fmt.Sprintf("%v: dx", s), dx.Floats(), values(want), size, 1e-7)
		}
	})
}
