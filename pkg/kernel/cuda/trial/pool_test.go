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

// pooled is a max pooling and its gradient by the CPU, of maps (N,C,H,W), and what tells a kernel its window.
type pooled struct {
	x, dy, y, dx []float32
	window       []any
}

// newPooled pools n maps of pixels some of which are equal, and one no number. keep rounds gradients as they are kept.
func newPooled(p *dnn.Plain, r *rig, n int, pool kernel.Pool, keep func([]float32) []float32) pooled {
	in, out := pool.In, pool.Out()
	x, dy := r.uniform(n*in.Size()), keep(r.uniform(n*out.Size()))
	for i := range x {
		x[i] = float32(math.Round(float64(x[i] * 3)))
	}
	x[len(x)/2] = float32(math.NaN())
	y, index, dx := make([]float32, len(dy)), make([]float32, pool.Indices(n)), make([]float32, len(x))
	p.MaxPool(y, index, arranged(p, x, n, in), n, pool)
	p.MaxPoolGrad(dx, arranged(p, dy, n, out), index, n, pool)
	return pooled{x, dy, plain(p, y, n, out), keep(plain(p, dx, n, in)),
		numbers(n, in.C, in.H, in.W, pool.KH, pool.KW, pool.StrideH, pool.StrideW, pool.PadH, pool.PadW)}
}

func TestMaxPool(t *testing.T) {
	p := images(t)
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range []struct {
			n int
			p kernel.Pool
		}{
			{1, kernel.Pool{In: kernel.Image{C: 1, H: 1, W: 1}, Window: kernel.Square(1, 1, 0)}},
			{2, kernel.Pool{In: kernel.Image{C: 16, H: 9, W: 8}, Window: kernel.Square(3, 2, 1)}},
			{3, kernel.Pool{In: kernel.Image{C: 5, H: 7, W: 11}, Window: kernel.Square(2, 3, 0)}}, // pixels that no window sees
			{2, kernel.Pool{In: kernel.Image{C: 3, H: 1, W: 40}, Window: kernel.Window{KH: 1, KW: 5, StrideH: 1, StrideW: 1, PadW: 4}}},
			{1, kernel.Pool{In: kernel.Image{C: 2, H: 17, W: 16}, Window: kernel.Square(16, 1, 0)}},
		} {
			r := newRig(t, shift, s.n, s.p.In.C)
			m := newPooled(p, r, s.n, s.p, slices.Clone[[]float32])
			y, index, dx := r.output(len(m.y)), r.bytes(len(m.y)), r.output(len(m.x))
			r.launch("mm_max_pool", elements, slices.Concat([]any{y, index, r.floats(m.x)}, m.window)...)
			r.launch("mm_max_pool_grad", elements, slices.Concat([]any{dx, r.floats(m.dy), index}, m.window)...)
			same(t, fmt.Sprintf("%+v: y", s), y.Floats(), m.y)
			same(t, fmt.Sprintf("%+v: dx", s), dx.Floats(), m.dx)
		}
	})
}

func TestAveragePool(t *testing.T) {
	p := images(t)
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range []struct {
			n, frames int
			i         kernel.Image
		}{
			{1, 1, kernel.Image{C: 1, H: 1, W: 1}},
			{3, 2, kernel.Image{C: 16, H: 7, W: 7}},
			{5, 3, kernel.Image{C: 9, H: 3, W: 1}},
			{0, 3, kernel.Image{C: 9, H: 3, W: 1}},
		} {
			size := s.n * s.frames * s.i.Size()
			r := newRig(t, shift, s.n, s.i.C)
			x, dy := r.uniform(size), r.uniform(s.n*s.i.C)
			hy, hdx := make([]float32, len(dy)), make([]float32, size)
			p.AveragePool(hy, arranged(p, x, s.n*s.frames, s.i), s.n, s.frames, s.i)
			p.AveragePoolGrad(hdx, dy, s.n, s.frames, s.i)
			extent := numbers(s.n, s.frames, s.i.C, s.i.H*s.i.W)
			y, dx := r.output(len(dy)), r.output(size)
			r.launch("mm_average_pool", elements, append([]any{y, r.floats(x)}, extent...)...)
			r.launch("mm_average_pool_grad", elements, append([]any{dx, r.floats(dy)}, extent...)...)
			near(t, fmt.Sprintf("%+v: y", s), y.Floats(), hy, sizes(len(dy), 1), 1e-7)
			same(t, fmt.Sprintf("%+v: dx", s), dx.Floats(), plain(p, hdx, s.n*s.frames, s.i))
		}
	})
}
