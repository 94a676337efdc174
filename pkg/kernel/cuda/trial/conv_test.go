//go:build mmcuda && cgo && linux

package trial

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/dnn"
)

// images is the engine in Go, to which the convolution kernels are held.
func images(tb testing.TB) *dnn.Plain {
	tb.Helper()
	p, err := dnn.NewPlain(dnn.Options{Threads: 1})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { p.Close() })
	return p
}

// arranged returns feature maps (N,C,H,W) as the CPU lays them; plain is its inverse.
func arranged(p *dnn.Plain, x []float32, n int, i kernel.Image) []float32 {
	y := make([]float32, len(x))
	p.Arrange(y, x, n, i)
	return y
}

func plain(p *dnn.Plain, x []float32, n int, i kernel.Image) []float32 {
	y := make([]float32, len(x))
	p.ArrangePlain(y, x, n, i)
	return y
}

func numbers(x ...int) (all []any) {
	for _, v := range x {
		all = append(all, v)
	}
	return all
}

func shape(c kernel.Conv) []any {
	return numbers(c.In.C, c.In.H, c.In.W, c.K, c.KH, c.KW, c.StrideH, c.StrideW, c.PadH, c.PadW)
}

type convolution struct {
	n int
	c kernel.Conv
}

var convolutions = []convolution{
	{1, kernel.Conv{In: kernel.Image{C: 1, H: 1, W: 1}, K: 1, Window: kernel.Square(1, 1, 0)}},
	{2, kernel.Conv{In: kernel.Image{C: 3, H: 15, W: 17}, K: 16, Window: kernel.Square(7, 2, 3)}}, // a stem
	{3, kernel.Conv{In: kernel.Image{C: 16, H: 6, W: 5}, K: 32, Window: kernel.Square(3, 1, 1)}},
	{2, kernel.Conv{In: kernel.Image{C: 16, H: 7, W: 6}, K: 20, Window: kernel.Square(3, 2, 1)}},
	{5, kernel.Conv{In: kernel.Image{C: 20, H: 5, W: 4}, K: 66, Window: kernel.Square(1, 2, 0)}}, // pixels that nothing sees
	{33, kernel.Conv{In: kernel.Image{C: 5, H: 1, W: 9}, K: 7, Window: kernel.Window{KH: 1, KW: 5, StrideH: 1, StrideW: 3, PadW: 2}}},
	{40, kernel.Conv{In: kernel.Image{C: 33, H: 2, W: 2}, K: 65, Window: kernel.Square(2, 1, 0)}}, // one place an image
}

// sizes are what the rounding errors of sums of so many terms in [-1,1] are measured by.
func sizes(n int, terms int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = math.Sqrt(float64(terms))
	}
	return s
}

func TestConvolution(t *testing.T) {
	p := images(t)
	for _, tile := range []string{"", "_narrow", "_tf32", "_bf16"} {
		t.Run("tile"+tile, func(t *testing.T) {
			shifts(t, func(t *testing.T, shift int) {
				if shift != 0 && tile != "" {
					return // all tiles load alike
				}
				for _, test := range convolutions {
					n, c := test.n, test.c
					in, out, depth := c.In, c.Out(), c.Weights()/c.K
					r := newRig(t, shift, n, c.In.C, c.K)
					r.coarse = tile == "_tf32" || tile == "_bf16" // exact there too
					x, w, dy := r.uniform(n*in.Size()), r.uniform(c.Weights()), r.uniform(n*out.Size())
					dx, dw, dres := r.floats(x), r.floats(w), r.floats(dy)
					hx, hdy := arranged(p, x, n, in), arranged(p, dy, n, out)

					want, y := make([]float32, n*out.Size()), r.output(n*out.Size())
					p.Conv(want, hx, w, n, c)
					r.launch("mm_conv"+tile, tiles, append([]any{y, dx, dw, n}, shape(c)...)...)
					near(t, fmt.Sprintf("%v: y", test), y.Floats(), plain(p, want, n, out), sizes(len(want), depth), rounding)

					scale, shift := r.uniform(c.K), r.uniform(c.K)
					p.ConvAffine(want, hx, w, scale, shift, hdy, n, c, true)
					r.launch("mm_conv_affine"+tile, tiles, slices.Concat([]any{dres, dx, dw, r.floats(scale), r.floats(shift), dres, n}, shape(c), []any{true})...)
					near(t, fmt.Sprintf("%v: y with all", test), dres.Floats(), plain(p, want, n, out), sizes(len(want), depth), rounding)
					p.ConvAffine(want, hx, w, scale, shift, nil, n, c, false)
					r.launch("mm_conv_affine"+tile, tiles, slices.Concat([]any{y, dx, dw, r.floats(scale), r.floats(shift), Memory{}, n}, shape(c), []any{false})...)
					near(t, fmt.Sprintf("%v: y with scale and shift", test), y.Floats(), plain(p, want, n, out), sizes(len(want), depth), rounding)

					want, gx := make([]float32, n*in.Size()), r.output(n*in.Size())
					p.ConvGradInput(want, hdy, w, n, c)
					r.launch("mm_conv_grad_input"+tile, tiles, append([]any{gx, r.floats(dy), dw, n}, shape(c)...)...)
					near(t, fmt.Sprintf("%v: dx", test), gx.Floats(), plain(p, want, n, in), sizes(len(want), c.K*c.KH*c.KW), rounding)
				}
			})
		})
	}
}

func TestConvGradWeight(t *testing.T) {
	p := images(t)
	for _, tile := range []string{"", "_tf32", "_bf16"} {
		t.Run("tile"+tile, func(t *testing.T) {
			shifts(t, func(t *testing.T, shift int) {
				if shift != 0 && tile != "" {
					return // all tiles load alike
				}
				for i, test := range convolutions {
					n, c, splits := test.n, test.c, 1+i%3
					in, out := c.In, c.Out()
					r := newRig(t, shift, n, c.In.C, c.K)
					r.coarse = tile != ""
					x, dy := r.uniform(n*in.Size()), r.uniform(n*out.Size())
					want, partial, dw := make([]float32, c.Weights()), r.output(splits*c.Weights()), r.output(c.Weights())
					p.ConvGradWeight(want, arranged(p, dy, n, out), arranged(p, x, n, in), n, c)
					r.launch("mm_conv_grad_weight"+tile, []Grid{{1, 1, 1}, {2, 2, splits}}, slices.Concat([]any{partial, r.floats(dy), r.floats(x), n}, shape(c), []any{splits})...)
					r.launch("mm_sum_splits", elements, dw, partial, c.Weights(), splits)
					near(t, fmt.Sprintf("%v in %d", test, splits), dw.Floats(), want, sizes(len(want), n*out.H*out.W), rounding)
				}
			})
		})
	}
}
