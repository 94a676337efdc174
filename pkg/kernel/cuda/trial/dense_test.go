//go:build mmcuda && cgo && linux

package trial

import (
	"fmt"
	"math"
	"testing"
)

// product is a b in float64, rounded once, and what its rounding errors are measured by. a (m,k) is given by a(i,t), b (k,n) by b(t,j).
func product(m, n, k int, a, b func(i, j int) float32) (c []float32, size []float64) {
	for i := range m {
		for j := range n {
			sum, magnitude := 0.0, 0.0
			for t := range k {
				term := float64(a(i, t)) * float64(b(t, j))
				sum += term
				magnitude += math.Abs(term)
			}
			c, size = append(c, float32(sum)), append(size, magnitude)
		}
	}
	return c, size
}

// at reads a matrix of rows of n elements; turned reads its transpose.
func at(x []float32, n int) func(i, j int) float32 {
	return func(i, j int) float32 { return x[i*n+j] }
}

func turned(x []float32, n int) func(i, j int) float32 {
	return func(i, j int) float32 { return x[j*n+i] }
}

// Sums of up to a few hundred terms in float32 are off by less than that.
const rounding = 1e-6

var productShapes = [][3]int{
	{0, 5, 3}, {1, 1, 1}, {1, 31, 70}, {5, 3, 0}, {33, 35, 37}, {64, 64, 64}, {64, 31, 200}, {130, 68, 36}, {20, 140, 17}, {129, 129, 9},
}

func TestProducts(t *testing.T) {
	for _, tile := range []string{"", "_narrow", "_wide", "_tf32", "_bf16"} {
		t.Run("tile"+tile, func(t *testing.T) {
			shifts(t, func(t *testing.T, shift int) {
				if shift != 0 && tile != "" {
					return // all tiles load alike
				}
				for _, s := range productShapes {
					m, n, k := s[0], s[1], s[2]
					r := newRig(t, shift, m, n, k)
					r.coarse = tile == "_tf32" || tile == "_bf16" // exact there too
					x, w, dy := r.uniform(m*k), r.uniform(n*k), r.uniform(m*n)
					in, weights, above := r.floats(x), r.floats(w), r.floats(dy)

					y, b := r.output(m*n), r.uniform(n)
					r.launch("mm_linear"+tile, tiles, y, in, weights, Memory{}, m, n, k, false)
					want, size := product(m, n, k, at(x, k), turned(w, k))
					near(t, fmt.Sprintf("%v: y", s), y.Floats(), want, size, rounding)
					r.launch("mm_linear"+tile, tiles, y, in, weights, r.floats(b), m, n, k, true)
					for i := range want {
						want[i] = max(0, want[i]+b[i%n])
						size[i]++
					}
					near(t, fmt.Sprintf("%v: y with bias", s), y.Floats(), want, size, rounding)

					dw := r.output(n * k)
					r.launch("mm_linear_grad_weight"+tile, tiles, dw, above, in, m, n, k)
					want, size = product(n, k, m, turned(dy, n), at(x, k))
					near(t, fmt.Sprintf("%v: dw", s), dw.Floats(), want, size, rounding)

					dx := r.output(m * k)
					r.launch("mm_linear_grad_input"+tile, tiles, dx, above, weights, m, n, k)
					want, size = product(m, k, n, at(dy, n), at(w, k))
					near(t, fmt.Sprintf("%v: dx", s), dx.Floats(), want, size, rounding)
				}
			})
		})
	}
}

// What tensor cores multiply is rounded to the nearest of 10 and 7 bits behind the point, and no further.
func TestTensorRounding(t *testing.T) {
	const m, n, k = 3, 2, 50
	for name, bits := range map[string]int{"mm_linear_tf32": 10, "mm_linear_bf16": 7} {
		r := newRig(t, 0)
		x, w := r.uniform(m*k), r.uniform(n*k)
		y := r.output(m * n)
		r.launch(name, tiles, y, r.floats(x), r.floats(w), Memory{}, m, n, k, false)
		round := func(x []float32) []float32 {
			y := make([]float32, len(x))
			for i, v := range x {
				fraction, exponent := math.Frexp(float64(v))
				y[i] = float32(math.Ldexp(math.RoundToEven(math.Ldexp(fraction, bits+1)), exponent-bits-1))
			}
			return y
		}
		want, size := product(m, n, k, at(round(x), k), turned(round(w), k))
		near(t, name, y.Floats(), want, size, rounding)
	}
}

// A NaN of the input is in its row of the result, with ReLU too, and nowhere else.
func TestLinearKeepsNaN(t *testing.T) {
	const m, n, k = 70, 66, 40
	for _, tile := range []string{"", "_narrow", "_wide", "_tf32", "_bf16"} {
		r := newRig(t, 0)
		x := r.uniform(m * k)
		x[33*k+39] = float32(math.NaN())
		y := r.output(m * n)
		r.launch("mm_linear"+tile, tiles, y, r.floats(x), r.floats(r.uniform(n*k)), r.floats(r.uniform(n)), m, n, k, true)
		for i, v := range y.Floats() {
			if (v != v) != (i/n == 33) {
				t.Fatalf("mm_linear%s: element (%d,%d) is %v", tile, i/n, i%n, v)
			}
		}
	}
}

func TestBias(t *testing.T) {
	shifts(t, func(t *testing.T, shift int) {
		for _, n := range []int{29, 32} { // what is a multiple of 4 is taken by fours, where it is aligned
			const m = 37
			r := newRig(t, shift, n)
			y, b := r.uniform(m*n), r.uniform(n)
			y[5] = float32(math.NaN())
			plain, relu := make([]float32, m*n), make([]float32, m*n)
			for i, v := range y {
				plain[i] = v + b[i%n]
				relu[i] = max(0, plain[i])
			}
			bias := r.floats(b)
			for _, test := range []struct {
				name string
				b    Memory
				relu bool
				want []float32
			}{{"bias", bias, false, plain}, {"bias, ReLU", bias, true, relu}, {"nothing", Memory{}, false, y}} {
				got := r.floats(y)
				r.launch("mm_bias", elements, got, test.b, m, n, test.relu)
				same(t, fmt.Sprintf("%s, %d columns", test.name, n), got.Floats(), test.want)
			}
		}
	})
}

func TestSumRows(t *testing.T) {
	d := host(t)
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range [][2]int{{0, 5}, {1, 1}, {7, 33}, {64, 31}, {100, 65}} {
			m, n := s[0], s[1]
			r := newRig(t, shift, m, n)
			x := r.uniform(m * n)
			want := on(t, d, make([]float32, n))
			d.SumRows(want, on(t, d, x), m, n)
			y := r.output(n)
			r.launch("mm_sum_rows", elements, y, r.floats(x), m, n)
			near(t, fmt.Sprint(s), y.Floats(), values(want), nil, 1e-7)
		}
	})
}
