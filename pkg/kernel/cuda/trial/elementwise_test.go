//go:build mmcuda && cgo && linux

package trial

import (
	"fmt"
	"math"
	"testing"

	"mmtools/pkg/kernel"
)

var lengths = []int{0, 1, 3, 4, 255, 1027, 3001}

func TestOfTwo(t *testing.T) {
	d := host(t)
	for _, test := range []struct {
		name      string
		reference func(y, a, b kernel.Buffer, n int)
		tolerance float64
	}{
		{"mm_add", d.Add, 0},
		{"mm_mul", d.Mul, 0},
		{"mm_relu_grad", d.ReLUGrad, 0},
		{"mm_tanh_grad", d.TanhGrad, 3e-7},
		{"mm_sigmoid_grad", d.SigmoidGrad, 3e-7},
	} {
		t.Run(test.name, func(t *testing.T) {
			shifts(t, func(t *testing.T, shift int) {
				for _, n := range lengths {
					r := newRig(t, shift, n)
					a, b := r.uniform(n), r.uniform(n)
					if n > 3 {
						a[1], b[2], b[3] = float32(math.NaN()), float32(math.NaN()), 0
					}
					want := on(t, d, make([]float32, n))
					test.reference(want, on(t, d, a), on(t, d, b), n)
					what := fmt.Sprintf("%d elements", n)
					y := r.output(n)
					r.launch(test.name, elements, y, r.floats(a), r.floats(b), n)
					// 1 - y^2 loses digits near 1, and a processor that fuses products loses others: of the operands, not of what is left.
					size := make([]float64, n)
					for i := range size {
						size[i] = math.Abs(float64(a[i])) + math.Abs(float64(b[i]))
					}
					near(t, what, y.Floats(), values(want), size, test.tolerance)
					x := r.floats(a) // in place
					r.launch(test.name, elements, x, x, r.floats(b), n)
					near(t, what+" in place", x.Floats(), values(want), size, test.tolerance)
				}
			})
		})
	}
}

func TestOfOne(t *testing.T) {
	d := host(t)
	scale := func(y, x kernel.Buffer, n int) { d.Scale(y, x, n, -2.5) }
	for _, test := range []struct {
		name      string
		reference func(y, x kernel.Buffer, n int)
		more      []any
	}{
		{"mm_tanh", d.Tanh, nil}, {"mm_sigmoid", d.Sigmoid, nil}, {"mm_scale", scale, []any{-2.5}},
	} {
		t.Run(test.name, func(t *testing.T) {
			shifts(t, func(t *testing.T, shift int) {
				for _, n := range lengths {
					r := newRig(t, shift, n)
					x := r.uniform(n)
					for i := range x { // all magnitudes
						x[i] *= float32(math.Pow(10, float64(i%16-12)))
					}
					if n > 100 {
						copy(x, []float32{0, float32(math.Inf(1)), float32(math.Inf(-1)), float32(math.NaN()), 88, -88, 104, -104, 800, -800, 1e30, -1e30})
					}
					want := on(t, d, make([]float32, n))
					test.reference(want, on(t, d, x), n)
					y := r.output(n)
					r.launch(test.name, elements, append([]any{y, r.floats(x), n}, test.more...)...)
					near(t, fmt.Sprintf("%d elements", n), y.Floats(), values(want), nil, 2e-7)
				}
			})
		})
	}
}

func TestFill(t *testing.T) {
	shifts(t, func(t *testing.T, shift int) {
		for _, n := range lengths {
			r := newRig(t, shift, n)
			y := r.output(n)
			r.launch("mm_fill", elements, y, 1.5, n)
			for i, v := range y.Floats() {
				if v != 1.5 {
					t.Fatalf("%d elements: element %d is %v", n, i, v)
				}
			}
		}
	})
}

func TestStandardize(t *testing.T) {
	d := host(t)
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range [][3]int{{0, 5, 1}, {1, 1, 1}, {7, 33, 1}, {64, 20, 1}, {3, 2, 35}, {2, 1, 1200}} {
			m, n, pixels := s[0], s[1], s[2]
			r := newRig(t, shift, m, n, pixels)
			x, mean, scale := r.uniform(m*n*pixels), r.uniform(n), r.uniform(n)
			want := on(t, d, make([]float32, len(x)))
			d.Standardize(want, on(t, d, x), on(t, d, mean), on(t, d, scale), m, n, pixels)
			y := r.output(len(x))
			r.launch("mm_standardize", elements, y, r.floats(x), r.floats(mean), r.floats(scale), m, n, pixels)
			near(t, fmt.Sprint(s), y.Floats(), values(want), nil, 3e-7)
		}
	})
}
