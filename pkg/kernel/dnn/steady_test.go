package dnn

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/kernel"
)

// network is one of everything, on memory that is there.
type network struct {
	n                                  int
	c                                  kernel.Conv
	p                                  kernel.Pool
	x, w, y, dy, dx, dw, scale, shift  []float32
	pooled, index, mean, dmean, dgamma []float32
	norm                               Norm
}

func newNetwork(c kernel.Conv, n int) *network {
	r := rand.New(rand.NewPCG(14, 15))
	out := c.Out()
	p := kernel.Pool{In: out, Window: kernel.Square(3, 2, 1)}
	s := n * out.Size()
	return &network{
		n: n, c: c, p: p, x: narrow(random(r, n*c.In.Size())), w: narrow(random(r, c.Weights())), y: memory(s), dy: narrow(random(r, s)),
		dx: memory(n * c.In.Size()), dw: memory(c.Weights()), scale: memory(c.K), shift: memory(c.K), pooled: memory(n * p.Out().Size()),
		index: memory(p.Indices(n)), mean: memory(n * c.K), dmean: memory(s), dgamma: memory(c.K), norm: newNorm(r, c.K).vectors(),
	}
}

// step runs every kernel.
func (v *network) step(e Engine) {
	s, out := kernel.NormStep{Momentum: 0.1, Epsilon: 1e-5}, v.c.Out()
	e.Conv(v.y, v.x, v.w, v.n, v.c)
	e.BatchNorm(v.y, v.y, v.dy, v.norm, v.n, out, s, true)
	e.MaxPool(v.pooled, v.index, v.y, v.n, v.p)
	e.AveragePool(v.mean, v.y, v.n, 1, out)
	e.AveragePoolGrad(v.dmean, v.mean, v.n, 1, out)
	e.MaxPoolGrad(v.dmean, v.pooled, v.index, v.n, v.p)
	e.BatchNormGrad(v.dmean, nil, v.dgamma, v.shift, v.dmean, v.y, v.y, v.norm, v.n, out, false)
	e.ConvGradInput(v.dx, v.dmean, v.w, v.n, v.c)
	e.ConvGradWeight(v.dw, v.dmean, v.x, v.n, v.c)
	e.FoldNorm(v.scale, v.shift, v.norm, v.c.K, s)
	e.Affine(v.y, v.dmean, v.scale, v.shift, nil, v.n, out, false)
	e.ConvAffine(v.dmean, v.x, v.w, v.scale, v.shift, v.y, v.n, v.c, true)
	e.ArrangePlain(v.y, v.dmean, v.n, out)
	e.Arrange(v.dmean, v.y, v.n, out)
}

var networks = []kernel.Conv{
	{In: kernel.Image{C: 3, H: 11, W: 9}, K: 5, Window: kernel.Square(3, 2, 1)},
	{In: kernel.Image{C: 32, H: 16, W: 17}, K: 64, Window: kernel.Square(3, 1, 1)},
	{In: kernel.Image{C: 64, H: 9, W: 9}, K: 48, Window: kernel.Square(1, 2, 0)},
}

// kept returns v with its maps as the engine holds them.
func (v *network) kept(e Engine) *network {
	n := namedEngine{Engine: e}
	if v.c.In.Blocked() {
		v.x = n.keep(v.x)
	}
	if v.c.Out().Blocked() {
		v.dy = n.keep(v.dy)
	}
	return v
}

func TestNothingAllocated(t *testing.T) {
	each(t, nothingAllocated)
	t.Run("bf16", func(t *testing.T) {
		e, err := Open(Options{Threads: 2, BF16: true})
		if err != nil {
			t.Fatal(err)
		}
		defer e.Close()
		nothingAllocated(t, e)
	})
}

func nothingAllocated(t *testing.T, e Engine) {
	for _, c := range networks {
		v := newNetwork(c, 8).kept(e)
		v.step(e)
		if n := testing.AllocsPerRun(5, func() { v.step(e) }); n != 0 {
			t.Errorf("%v: a step allocated %g times after the first", c.In, n)
		}
	}
}

// The same calls give the same bytes, in a new engine too.
func TestDeterministic(t *testing.T) {
	for _, threads := range []int{1, 2, 3} {
		for _, c := range networks {
			var want *network
			for range 3 {
				e, err := Open(Options{Threads: threads})
				if err != nil {
					t.Fatal(err)
				}
				v := newNetwork(c, 8)
				for range 3 {
					v.step(e)
				}
				e.Close()
				if want == nil {
					want = v
				}
				compare(t, c.In.String(), v, want)
			}
		}
	}
}

func compare(t *testing.T, key string, a, b *network) {
	t.Helper()
	for _, s := range []struct {
		name string
		a, b []float32
	}{{"y", a.dmean, b.dmean}, {"dx", a.dx, b.dx}, {"dw", a.dw, b.dw}, {"running variance", a.norm.RunningVar, b.norm.RunningVar}} {
		if !slices.EqualFunc(s.a, s.b, func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }) { // what holds bfloat16 may be no number
			t.Errorf("%s: %s differs from run to run", key, s.name)
		}
	}
}

// What follows the convolution does not depend on the number of threads, nor does the convolution, but for its weights' gradient where
// it is the library's.
func TestThreadsDoNotMatter(t *testing.T) {
	for _, bf16 := range []bool{false, true} {
		for _, c := range networks {
			var want *network
			for _, threads := range []int{1, 2, 5} {
				e, err := Open(Options{Threads: threads, BF16: bf16})
				if err != nil {
					t.Fatal(err)
				}
				v := newNetwork(c, 8).kept(e)
				v.step(e)
				wide := strings.Contains(e.Name(), "AVX-512")
				ours := wide && c.Window == kernel.Square(3, 1, 1)
				if !wide && !c.In.Blocked() && e.Name() == "oneDNN" {
					t.Logf("%v: convolutions of few channels are the library's matrix products here, which are cut by threads", c.In)
					e.Close()
					continue
				}
				e.Close()
				if want == nil {
					want = v
					continue
				}
				if !ours {
					v.dw, want.dw = nil, nil
				}
				compare(t, c.In.String(), v, want)
			}
		}
	}
}
