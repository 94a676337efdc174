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

var normed = []struct {
	n int
	i kernel.Image
}{
	{2, kernel.Image{C: 1, H: 1, W: 1}},
	{3, kernel.Image{C: 5, H: 3, W: 7}},
	{40, kernel.Image{C: 16, H: 2, W: 4}},
	{1, kernel.Image{C: 2, H: 41, W: 52}},
}

// norm is a batch normalisation of c channels on both devices.
type norm struct {
	host                                               dnn.Norm
	gamma, beta, mean, invStd, runningMean, runningVar Memory
}

func (r *rig) norm(c int) norm {
	h := dnn.Norm{Gamma: r.uniform(c), Beta: r.uniform(c), Mean: r.uniform(c), InvStd: r.uniform(c), RunningMean: r.uniform(c), RunningVar: r.uniform(c)}
	for i := range h.RunningVar {
		h.RunningVar[i]++
	}
	return norm{h, r.floats(h.Gamma), r.floats(h.Beta), r.floats(h.Mean), r.floats(h.InvStd), r.floats(h.RunningMean), r.floats(h.RunningVar)}
}

func TestBatchNorm(t *testing.T) {
	p := images(t)
	step := kernel.NormStep{Momentum: 0.1, Epsilon: 1e-5}
	for _, with := range []struct{ residual, relu bool }{{false, false}, {false, true}, {true, true}, {true, false}} {
		t.Run(fmt.Sprintf("%+v", with), func(t *testing.T) {
			shifts(t, func(t *testing.T, shift int) {
				for _, s := range normed {
					size, c := s.n*s.i.Size(), s.i.C
					r := newRig(t, shift, s.n, c)
					x, dy := r.uniform(size), r.uniform(size)
					for i := range x {
						x[i] += 100 // a mean that the squares would drown in
					}
					q, extent := r.norm(c), numbers(s.n, c, s.i.H*s.i.W)
					what := fmt.Sprintf("%d of %v", s.n, s.i)

					var residual []float32
					var res, dres Memory
					if with.residual {
						residual = r.uniform(size)
						res, dres = r.floats(residual), r.output(size)
						residual = arranged(p, residual, s.n, s.i)
					}
					hx, hy := arranged(p, x, s.n, s.i), make([]float32, size)
					p.BatchNorm(hy, hx, residual, q.host, s.n, s.i, step, with.relu)
					in, y := r.floats(x), r.output(size)
					r.launch("mm_batch_norm_stats", elements, slices.Concat([]any{q.mean, q.invStd, q.runningMean, q.runningVar, in}, extent,
						[]any{float64(step.Momentum), float64(step.Epsilon)})...)
					near(t, what+": mean", q.mean.Floats(), q.host.Mean, nil, 1e-7)
					near(t, what+": 1/std", q.invStd.Floats(), q.host.InvStd, nil, 1e-6)
					near(t, what+": running mean", q.runningMean.Floats(), q.host.RunningMean, nil, 1e-6)
					near(t, what+": running variance", q.runningVar.Floats(), q.host.RunningVar, nil, 1e-6)
					// The next kernels get the same statistics, so that they give the same signs.
					copy(q.mean.Floats(), q.host.Mean)
					copy(q.invStd.Floats(), q.host.InvStd)
					r.launch("mm_batch_norm", elements, slices.Concat([]any{y, in, res, q.gamma, q.beta, q.mean, q.invStd}, extent, []any{with.relu})...)
					same(t, what+": y", y.Floats(), plain(p, hy, s.n, s.i))

					hdx, hdres, hdgamma, hdbeta := make([]float32, size), make([]float32, size), make([]float32, c), make([]float32, c)
					if !with.residual {
						hdres = nil
					}
					p.BatchNormGrad(hdx, hdres, hdgamma, hdbeta, arranged(p, dy, s.n, s.i), hx, hy, q.host, s.n, s.i, with.relu)
					result := Memory{}
					if with.residual {
						result = y
					}
					dgamma, dbeta, dx := r.output(c), r.output(c), r.floats(dy)
					r.launch("mm_batch_norm_grad_sums", elements, slices.Concat([]any{dgamma, dbeta, dx, in, result, q.gamma, q.beta, q.mean, q.invStd}, extent, []any{with.relu})...)
					r.launch("mm_batch_norm_grad", elements, slices.Concat([]any{dx, dres, dgamma, dbeta, dx, in, result, q.gamma, q.beta, q.mean, q.invStd}, extent, []any{with.relu})...)
					count := make([]float64, c)
					steep := make([]float64, size)
					for i := range count {
						count[i] = math.Sqrt(float64(s.n * s.i.H * s.i.W))
					}
					for i := range steep {
						steep[i] = float64(q.host.InvStd[i/(s.i.H*s.i.W)%c])
					}
					near(t, what+": dgamma", dgamma.Floats(), hdgamma, count, 1e-6)
					near(t, what+": dbeta", dbeta.Floats(), hdbeta, count, 1e-6)
					near(t, what+": dx", dx.Floats(), plain(p, hdx, s.n, s.i), steep, 1e-6)
					if with.residual {
						same(t, what+": dresidual", dres.Floats(), plain(p, hdres, s.n, s.i))
					}
				}
			})
		})
	}
}

// A channel of one value has no variance; where the running ones are moved, nothing is divided by zero.
func TestBatchNormOfConstants(t *testing.T) {
	r := newRig(t, 0)
	x := []float32{1e8, 1e8, 1e8, 1e8}
	q := r.norm(1)
	r.launch("mm_batch_norm_stats", blocks(1, 1, 1), q.mean, q.invStd, q.runningMean, q.runningVar, r.floats(x), 4, 1, 1, 1.0, 1e-5)
	same(t, "mean", q.mean.Floats(), []float32{1e8})
	same(t, "running variance", q.runningVar.Floats(), []float32{0})
	near(t, "1/std", q.invStd.Floats(), []float32{float32(1 / math.Sqrt(1e-5))}, nil, 1e-6)
}

func TestAffine(t *testing.T) {
	p := images(t)
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range normed {
			size, c := s.n*s.i.Size(), s.i.C
			r := newRig(t, shift, s.n, c)
			q, scale, offset := r.norm(c), r.output(c), r.output(c)
			hscale, hshift := make([]float32, c), make([]float32, c)
			p.FoldNorm(hscale, hshift, q.host, c, kernel.NormStep{Epsilon: 1e-5})
			r.launch("mm_fold_norm", elements, scale, offset, q.gamma, q.beta, q.runningMean, q.runningVar, c, float64(float32(1e-5)))
			same(t, "scale", scale.Floats(), hscale)
			same(t, "shift", offset.Floats(), hshift)

			x, residual := r.uniform(size), r.uniform(size)
			x[0] = float32(math.NaN())
			hy := make([]float32, size)
			p.Affine(hy, arranged(p, x, s.n, s.i), hscale, hshift, arranged(p, residual, s.n, s.i), s.n, s.i, true)
			y := r.floats(x)
			r.launch("mm_affine", elements, append([]any{y, y, scale, offset, r.floats(residual)}, append(numbers(s.n, c, s.i.H*s.i.W), true)...)...)
			same(t, fmt.Sprintf("%d of %v", s.n, s.i), y.Floats(), plain(p, hy, s.n, s.i))
		}
	})
}
