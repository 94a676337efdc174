package dnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"mmtools/pkg/kernel"
)

var maps = []struct {
	n int
	i kernel.Image
}{
	{1, kernel.Image{C: 1, H: 1, W: 5}},
	{3, kernel.Image{C: 5, H: 3, W: 7}},
	{7, kernel.Image{C: 16, H: 1, W: 1}},
	{3, kernel.Image{C: 16, H: 9, W: 5}},
	{5, kernel.Image{C: 96, H: 3, W: 11}},
	{2, kernel.Image{C: 64, H: 56, W: 56}},
	{16, kernel.Image{C: 512, H: 7, W: 7}},
}

type norm struct{ gamma, beta, mean, variance []float64 }

func newNorm(r *rand.Rand, c int) norm {
	p := norm{random(r, c), random(r, c), random(r, c), random(r, c)}
	for i := range p.variance {
		p.variance[i] = float64(float32(math.Abs(p.variance[i]) + 0.1))
	}
	return p
}

func (p norm) vectors() Norm {
	c := len(p.gamma)
	return Norm{narrow(p.gamma), narrow(p.beta), memory(c), memory(c), narrow(p.mean), narrow(p.variance)}
}

// Inputs lie far from zero: a variance taken as a difference of squares would lose 3 digits.
func away(x []float64) []float64 {
	for i := range x {
		x[i] = float64(float32(x[i] + 30))
	}
	return x
}

func TestBatchNorm(t *testing.T) {
	step := kernel.NormStep{Momentum: 0.1, Epsilon: 1e-5}
	each(t, func(t *testing.T, e Engine) {
		for _, m := range maps {
			if testing.Short() && m.n*m.i.Size() > 1e5 {
				continue
			}
			for _, how := range []struct {
				name                    string
				relu, residual, inPlace bool
			}{{"plain", false, false, false}, {"relu", true, false, false}, {"residual", false, true, false}, {"both", true, true, false}, {"in place", true, true, true}} {
				t.Run(fmt.Sprintf("%dx%v/%s", m.n, m.i, how.name), func(t *testing.T) {
					r := rand.New(rand.NewPCG(5, uint64(m.i.C)))
					x, res, dy, p := away(random(r, m.n*m.i.Size())), random(r, m.n*m.i.Size()), random(r, m.n*m.i.Size()), newNorm(r, m.i.C)
					w := normReference(x, res, dy, p, m.n, m.i, step, how.relu, how.residual)
					v, y, in := p.vectors(), memory(len(x)), put(x, m.i)
					var add, dadd []float32
					if how.residual {
						add, dadd = put(res, m.i), memory(len(x))
					}
					if how.inPlace {
						y = add
					}
					e.BatchNorm(y, in, add, v, m.n, m.i, step, how.relu)
					near(t, "y", get(y, m.i), w.y, 1e-5)
					near(t, "running mean", widen(v.RunningMean), w.runningMean, 1e-6)
					near(t, "running variance", widen(v.RunningVar), w.runningVar, 1e-5)

					grad, dx := put(dy, m.i), memory(len(x))
					if how.inPlace {
						dx, dadd = memory(len(x)), grad
					}
					dgamma, dbeta := memory(m.i.C), memory(m.i.C)
					e.BatchNormGrad(dx, dadd, dgamma, dbeta, grad, in, y, v, m.n, m.i, how.relu)
					near(t, "dbeta", widen(dbeta), w.dbeta, 1e-5)
					near(t, "dgamma", widen(dgamma), w.dgamma, 3e-5)
					near(t, "dx", get(dx, m.i), w.dx, 3e-5)
					if how.residual {
						near(t, "dresidual", get(dadd, m.i), w.g, 0)
					}
					if !how.inPlace {
						e.BatchNormGrad(grad, dadd, dgamma, dbeta, grad, in, y, v, m.n, m.i, how.relu)
						near(t, "dx in place", get(grad, m.i), get(dx, m.i), 0)
					}
				})
			}
		}
	})
}

// A large map is written past the cache, where AVX-512 is and the map is no input's: that changes no bit, nor what is not a number.
func TestLargeBatchNorm(t *testing.T) {
	n, i, step := 6, kernel.Image{C: 64, H: 56, W: 56}, kernel.NormStep{Momentum: 0.1, Epsilon: 1e-5}
	r := rand.New(rand.NewPCG(7, 8))
	x, residual, p := put(random(r, n*i.Size()), i), put(random(r, n*i.Size()), i), newNorm(r, i.C)
	residual[5], residual[1000] = float32(math.NaN()), float32(math.Inf(1))
	for _, o := range []Options{{Threads: 2}, {Threads: 3}, {Threads: 2, BF16: true}, {Threads: 2, Portable: true}} {
		opened, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		e := namedEngine{"", opened}
		for _, relu := range []bool{false, true} {
			for _, add := range [][]float32{nil, residual} {
				if add != nil {
					add = e.keep(add)
				}
				y, want := memory(len(x)), e.keep(x)
				e.BatchNorm(y, e.keep(x), add, p.vectors(), n, i, step, relu)
				e.BatchNorm(want, want, add, p.vectors(), n, i, step, relu)
				got, in := e.read(y, len(x)), e.read(want, len(x))
				for j, v := range got {
					if math.Float32bits(v) != math.Float32bits(in[j]) {
						t.Fatalf("relu %t, %+v: element %d is %v, want %v", relu, o, j, v, in[j])
					}
				}
			}
		}
		e.Close()
	}
}

type normResult struct{ y, runningMean, runningVar, g, dx, dgamma, dbeta []float64 }

func normReference(x, residual, dy []float64, p norm, n int, i kernel.Image, s kernel.NormStep, relu, add bool) normResult {
	mean, variance := moments(x, n, i)
	count, m := float64(n*i.H*i.W), float64(s.Momentum)
	w := normResult{make([]float64, len(x)), make([]float64, i.C), make([]float64, i.C), make([]float64, len(x)), make([]float64, len(x)), make([]float64, i.C), make([]float64, i.C)}
	std := make([]float64, i.C)
	for c := range i.C {
		std[c] = math.Sqrt(variance[c] + float64(s.Epsilon))
		w.runningMean[c] = (1-m)*p.mean[c] + m*mean[c]
		w.runningVar[c] = (1-m)*p.variance[c] + m*variance[c]*count/max(1, count-1)
	}
	for j := range x {
		c := channelOf(i, j)
		normal := (x[j] - mean[c]) / std[c]
		v := p.gamma[c]*normal + p.beta[c]
		if add {
			v += residual[j]
		}
		w.y[j] = rectify(v, relu)
		if !relu || v > 0 {
			w.g[j] = dy[j]
		}
		w.dbeta[c] += w.g[j]
		w.dgamma[c] += w.g[j] * normal
	}
	for j := range x {
		c := channelOf(i, j)
		w.dx[j] = p.gamma[c] / std[c] * (w.g[j] - w.dbeta[c]/count - (x[j]-mean[c])/std[c]*w.dgamma[c]/count)
	}
	return w
}

func TestFoldedNorm(t *testing.T) {
	step := kernel.NormStep{Momentum: 0.1, Epsilon: 1e-3}
	each(t, func(t *testing.T, e Engine) {
		for _, m := range maps {
			if testing.Short() && m.n*m.i.Size() > 1e5 {
				continue
			}
			r := rand.New(rand.NewPCG(6, uint64(m.i.C)))
			x, res, p := random(r, m.n*m.i.Size()), random(r, m.n*m.i.Size()), newNorm(r, m.i.C)
			v, scale, shift := p.vectors(), memory(m.i.C), memory(m.i.C)
			e.FoldNorm(scale, shift, v, m.i.C, step)
			for _, relu := range []bool{false, true} {
				for _, add := range []bool{false, true} {
					want := make([]float64, len(x))
					for j := range x {
						c := channelOf(m.i, j)
						want[j] = p.gamma[c]*(x[j]-p.mean[c])/math.Sqrt(p.variance[c]+1e-3) + p.beta[c]
						if add {
							want[j] += res[j]
						}
						want[j] = rectify(want[j], relu)
					}
					y, residual := memory(len(x)), []float32(nil)
					if add {
						residual = put(res, m.i)
					}
					e.Affine(y, put(x, m.i), scale, shift, residual, m.n, m.i, relu)
					near(t, fmt.Sprintf("%dx%v", m.n, m.i), get(y, m.i), want, 1e-5)
				}
			}
		}
	})
}
