//go:build mmcuda && cgo && linux

package trial

import (
	"fmt"
	"math"
	"testing"

	"mmtools/pkg/kernel"
)

// mask draws which of the players of m rows are present.
func (r *rig) mask(m, players int) []float32 {
	keep := make([]float32, m*players)
	for i := range keep {
		keep[i] = float32(r.random.IntN(2))
	}
	return keep
}

// spoil makes masked features NaN: they may not reach a result.
func spoil(x, keep []float32, n, p, players int) {
	for i := range x {
		if keep[i/n*players+p] == 0 {
			x[i] = float32(math.NaN())
		}
	}
}

func TestMasked(t *testing.T) {
	d := host(t)
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range []struct {
			m      int
			widths []int
		}{{0, []int{3}}, {1, []int{1}}, {5, []int{8, 0, 4}}, {33, []int{20, 31}}, {64, []int{64, 32, 16}}} {
			players, total := len(s.widths), 0
			r := newRig(t, shift, s.m, players)
			keep := r.mask(s.m, players)
			var x []kernel.Buffer
			var features []Memory
			for p, n := range s.widths {
				v := r.uniform(s.m * n)
				spoil(v, keep, max(1, n), p, players)
				x, features = append(x, on(t, d, v)), append(features, r.floats(v))
				total += n
			}
			want, y, mask := on(t, d, make([]float32, s.m*total)), r.output(s.m*total), r.floats(keep)
			d.MaskedConcat(want, x, s.widths, on(t, d, keep), s.m)
			from, parts := 0, []any{y, mask, s.m, total, players}
			for p := range 4 {
				if p >= players {
					parts = append(parts, 0, 0, 0, 0)
					continue
				}
				parts = append(parts, features[p], from, s.widths[p], p)
				from += s.widths[p]
			}
			r.launch("mm_masked_concat", []Grid{{1, players, 1}, {3, players, 1}}, parts...)
			same(t, fmt.Sprintf("%v: concat", s), y.Floats(), values(want))

			above, from := r.uniform(s.m*total), 0
			dy := r.floats(above)
			for p, n := range s.widths {
				want, dx := on(t, d, make([]float32, s.m*n)), r.output(s.m*n)
				d.MaskedSlice(want, on(t, d, above), on(t, d, keep), nil, s.m, total, from, n, p, players)
				r.launch("mm_masked_slice", elements, dx, dy, mask, Memory{}, s.m, total, from, n, p, players)
				same(t, fmt.Sprintf("%v: slice %d", s, p), dx.Floats(), values(want))

				y := r.uniform(s.m * n)
				for i := 0; i < len(y); i += 5 {
					y[i] = []float32{0, float32(math.NaN()), float32(math.Copysign(0, -1))}[i%3]
				}
				both := on(t, d, make([]float32, s.m*n))
				d.ReLUGrad(want, want, on(t, d, y), s.m*n)
				d.MaskedSlice(both, on(t, d, above), on(t, d, keep), on(t, d, y), s.m, total, from, n, p, players)
				same(t, fmt.Sprintf("%v: slice %d behind a ReLU on the host", s, p), values(both), values(want))
				r.launch("mm_masked_slice", elements, dx, dy, mask, r.floats(y), s.m, total, from, n, p, players)
				same(t, fmt.Sprintf("%v: slice %d behind a ReLU", s, p), dx.Floats(), values(want))
				from += n
			}
		}
	})
}

func TestMaskedSum(t *testing.T) {
	d := host(t)
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range [][3]int{{0, 3, 2}, {1, 1, 1}, {5, 7, 3}, {33, 64, 2}} {
			m, n, players := s[0], s[1], s[2]
			r := newRig(t, shift, m, n, players)
			keep := r.mask(m, players)
			mask, y := r.floats(keep), r.output(m*n)
			var x []kernel.Buffer
			for p := range players {
				v := r.uniform(m * n)
				spoil(v, keep, n, p, players)
				x = append(x, on(t, d, v))
				r.launch("mm_masked_sum_part", elements, y, r.floats(v), mask, m, n, p, players, p == 0)
			}
			want := on(t, d, make([]float32, m*n))
			d.MaskedSum(want, x, on(t, d, keep), m, n)
			same(t, fmt.Sprint(s), y.Floats(), values(want))
		}
	})
}

func TestModulation(t *testing.T) {
	d := host(t)
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range [][2]int{{0, 3}, {1, 1}, {5, 7}, {33, 64}} {
			m, n := s[0], s[1]
			r := newRig(t, shift, m, n)
			modulator, x, dy := r.uniform(2*m*n), r.uniform(m*n), r.uniform(m*n)
			size := make([]float64, m*n)
			for i := range size {
				size[i] = 2
			}

			want, y := on(t, d, make([]float32, m*n)), r.floats(x)
			d.Modulate(want, on(t, d, modulator), on(t, d, x), m, n)
			r.launch("mm_modulate", elements, y, r.floats(modulator), y, m, n)
			near(t, fmt.Sprintf("%v: y", s), y.Floats(), values(want), size, 1e-7)

			dx := r.floats(dy)
			d.ModulateGradInput(want, on(t, d, dy), on(t, d, modulator), m, n)
			r.launch("mm_modulate_grad_input", elements, dx, dx, r.floats(modulator), m, n)
			same(t, fmt.Sprintf("%v: dx", s), dx.Floats(), values(want))

			want, got := on(t, d, make([]float32, 2*m*n)), r.output(2*m*n)
			d.ModulateGradModulator(want, on(t, d, dy), on(t, d, x), m, n)
			r.launch("mm_modulate_grad_modulator", elements, got, r.floats(dy), r.floats(x), m, n)
			same(t, fmt.Sprintf("%v: dmodulator", s), got.Floats(), values(want))
		}
	})
}
