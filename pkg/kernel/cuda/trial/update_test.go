//go:build mmcuda && cgo && linux

package trial

import (
	"fmt"
	"math"
	"testing"

	"mmtools/pkg/kernel"
)

func TestClipScale(t *testing.T) {
	d := host(t)
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range []struct {
			n, parts int
			most     float64
		}{{0, 4, 1}, {1, 3, 0.01}, {5, 7, 100}, {3001, 5, 1}, {3001, 64, 1}} {
			r := newRig(t, shift, s.n)
			g := r.uniform(s.n)
			want, scale, partial := on(t, d, make([]float32, 1)), r.output(1), r.doubles(s.parts)
			d.ClipScale(want, on(t, d, g), s.n, float32(s.most))
			r.launch("mm_square_sums", blocks(s.parts, 1, 1), partial, r.floats(g), s.n)
			r.launch("mm_clip_scale", blocks(1, 1, 1), scale, partial, s.parts, float64(float32(s.most)))
			near(t, fmt.Sprint(s), scale.Floats(), values(want), nil, 1e-7)
		}
	})
}

func TestClipScaleKeepsNaN(t *testing.T) {
	r := newRig(t, 0)
	scale, partial := r.output(1), r.doubles(2)
	copy(partial.Ints(), []int64{int64(math.Float64bits(1)), int64(math.Float64bits(math.NaN()))})
	scale.Floats()[0] = 0
	r.launch("mm_clip_scale", blocks(1, 1, 1), scale, partial, 2, 1.0)
	if v := scale.Floats()[0]; v == v {
		t.Errorf("scale is %v, want NaN", v)
	}
}

func TestAdam(t *testing.T) {
	d := host(t)
	for _, decoupled := range []bool{false, true} {
		shifts(t, func(t *testing.T, shift int) {
			for _, n := range lengths {
				r := newRig(t, shift, n)
				p, g, m, v, scale := r.uniform(n), r.uniform(n), make([]float32, n), make([]float32, n), []float32{0.5}
				hp, hg, hm, hv, hs := on(t, d, p), on(t, d, g), on(t, d, m), on(t, d, v), on(t, d, scale)
				dp, dg, dm, dv, ds := r.floats(p), r.floats(g), r.floats(m), r.floats(v), r.floats(scale)
				o := kernel.Adam{Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8, WeightDecay: 1e-2, Decoupled: decoupled}
				for step := int64(1); step <= 3; step++ {
					rates := o.Rates(step, 1e-3)
					if step == 2 {
						hs, ds = nil, Memory{}
						d.Adam(hp, hg, hm, hv, nil, on(t, d, rates[:]), n, o)
					} else {
						hs, ds = on(t, d, scale), r.floats(scale)
						d.Adam(hp, hg, hm, hv, hs, on(t, d, rates[:]), n, o)
					}
					r.launch("mm_adam", elements, dp, dg, dm, dv, ds, r.floats(rates[:]), n, o.Beta1, o.Beta2, o.Epsilon, o.WeightDecay, decoupled)
				}
				size := make([]float64, n) // of what the steps add up: a parameter near 0 is the difference of larger ones
				for i, v := range p {
					size[i] = math.Abs(float64(v)) + 1e-3
				}
				near(t, fmt.Sprintf("%d: p", n), dp.Floats(), values(hp), size, 3e-6)
				moments := make([]float64, n)
				for i, v := range g {
					moments[i] = math.Abs(float64(v)) + 1e-2*size[i]
				}
				near(t, fmt.Sprintf("%d: m", n), dm.Floats(), values(hm), moments, 1e-6)
				near(t, fmt.Sprintf("%d: v", n), dv.Floats(), values(hv), nil, 1e-5)
			}
		})
	}
}

func TestSGD(t *testing.T) {
	d := host(t)
	for _, momentum := range []float64{0, 0.9} {
		shifts(t, func(t *testing.T, shift int) {
			for _, n := range lengths {
				r := newRig(t, shift, n)
				p, g, scale := r.uniform(n), r.uniform(n), []float32{0.5}
				hp, hg, hs, hb := on(t, d, p), on(t, d, g), on(t, d, scale), on(t, d, make([]float32, n))
				dp, dg, ds, buf := r.floats(p), r.floats(g), r.floats(scale), Memory{}
				if momentum != 0 {
					buf = r.floats(r.uniform(n)) // the first step may not use it
				}
				o := kernel.SGD{Momentum: momentum, WeightDecay: 1e-2}
				for step := int64(1); step <= 3; step++ {
					rates := o.Rates(step, 0.1)
					d.SGD(hp, hg, hb, hs, on(t, d, rates[:]), n, o)
					r.launch("mm_sgd", elements, dp, dg, buf, ds, r.floats(rates[:]), n, o.WeightDecay)
				}
				size := make([]float64, n)
				for i := range size {
					size[i] = 1
				}
				near(t, fmt.Sprintf("%d: p", n), dp.Floats(), values(hp), size, 3e-7)
			}
		})
	}
}
