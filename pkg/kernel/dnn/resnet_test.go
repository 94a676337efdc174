package dnn

import (
	"fmt"
	"math"
	"testing"

	"mmtools/pkg/kernel"
)

// resnet is the kernels of a ResNet-18 in training, on memory as a planner would lay it out at its simplest.
type resnet struct {
	n      int
	stem   *unit
	pool   kernel.Pool
	pooled []float32
	index  []float32
	blocks []*block
	mean   []float32
	grads  [3][]float32 // of feature maps, as large as the largest
}

// unit is a convolution and its batch normalisation: x -> z -> y.
type unit struct {
	c             kernel.Conv
	w, dw, z, y   []float32
	norm          Norm
	dgamma, dbeta []float32
}

type block struct{ one, two, skip *unit }

func newUnit(n int, c kernel.Conv) *unit {
	u := &unit{c: c, w: noise(c.Weights()), dw: memory(c.Weights()), z: memory(n * c.Out().Size()), y: memory(n * c.Out().Size()), dgamma: memory(c.K), dbeta: memory(c.K)}
	scale := float32(math.Sqrt(12 * 2 / float64(c.Weights()/c.K))) // He et al. 2015, from uniform numbers of variance 1/12
	for i := range u.w {
		u.w[i] *= scale
	}
	u.norm = Norm{memory(c.K), memory(c.K), memory(c.K), memory(c.K), memory(c.K), memory(c.K)}
	for i := range c.K {
		u.norm.Gamma[i] = 1
	}
	return u
}

func newResNet(n int, in kernel.Image) *resnet {
	r := &resnet{n: n, stem: newUnit(n, kernel.Conv{In: in, K: 64, Window: kernel.Square(7, 2, 3)})}
	r.pool = kernel.Pool{In: r.stem.c.Out(), Window: kernel.Square(3, 2, 1)}
	r.pooled, r.index = memory(n*r.pool.Out().Size()), memory(r.pool.Indices(n))
	at := r.pool.Out()
	for _, k := range []int{64, 128, 256, 512} {
		for j := range 2 {
			stride := 1
			if j == 0 && k > 64 {
				stride = 2
			}
			b := &block{one: newUnit(n, kernel.Conv{In: at, K: k, Window: kernel.Square(3, stride, 1)})}
			if stride > 1 {
				b.skip = newUnit(n, kernel.Conv{In: at, K: k, Window: kernel.Square(1, stride, 0)})
			}
			at = b.one.c.Out()
			b.two = newUnit(n, kernel.Conv{In: at, K: k, Window: kernel.Square(3, 1, 1)})
			r.blocks = append(r.blocks, b)
		}
	}
	r.mean = memory(n * 512)
	for i := range r.grads {
		r.grads[i] = memory(n * r.stem.c.Out().Size())
	}
	return r
}

func (u *unit) forward(e Engine, n int, x, residual []float32, relu bool) []float32 {
	e.Conv(u.z, x, u.w, n, u.c)
	e.BatchNorm(u.y, u.z, residual, u.norm, n, u.c.Out(), kernel.NormStep{Momentum: 0.1, Epsilon: 1e-5}, relu)
	return u.y
}

// backward writes dx, where that is not nil, and turns dy into the gradient of z, or with a residual into its gradient.
func (u *unit) backward(e Engine, n int, dx, dy, dz, x []float32, residual, relu bool) {
	var dresidual []float32
	if residual {
		dresidual = dy
	} else {
		dz = dy
	}
	e.BatchNormGrad(dz, dresidual, u.dgamma, u.dbeta, dy, u.z, u.y, u.norm, n, u.c.Out(), relu)
	e.ConvGradWeight(u.dw, dz, x, n, u.c)
	if dx != nil {
		e.ConvGradInput(dx, dz, u.w, n, u.c)
	}
}

func (r *resnet) forward(e Engine, x []float32) {
	e.MaxPool(r.pooled, r.index, r.stem.forward(e, r.n, x, nil, true), r.n, r.pool)
	in := r.pooled
	for _, b := range r.blocks {
		identity := in
		if b.skip != nil {
			identity = b.skip.forward(e, r.n, in, nil, false)
		}
		in = b.two.forward(e, r.n, b.one.forward(e, r.n, in, nil, true), identity, true)
	}
	e.AveragePool(r.mean, in, r.n, 1, r.blocks[7].two.c.Out())
}

func (r *resnet) backward(e Engine, x []float32) {
	dy, a, b := r.grads[0], r.grads[1], r.grads[2]
	e.AveragePoolGrad(dy, r.mean, r.n, 1, r.blocks[7].two.c.Out())
	for j := 7; j >= 0; j-- {
		k, in := r.blocks[j], r.pooled
		if j > 0 {
			in = r.blocks[j-1].two.y
		}
		k.two.backward(e, r.n, b, dy, a, k.one.y, true, true) // dy becomes the identity's gradient
		k.one.backward(e, r.n, a, b, nil, in, false, true)
		if k.skip != nil {
			k.skip.backward(e, r.n, b, dy, nil, in, false, false)
			dy, b = b, dy
		}
		add(dy[:r.n*k.one.c.In.Size()], a)
	}
	e.MaxPoolGrad(a, dy, r.index, r.n, r.pool)
	r.stem.backward(e, r.n, nil, a, nil, x, false, true)
}

// add stands for kernel.Dense's Add, which is not this package's.
func add(y, x []float32) {
	for i := range y {
		y[i] += x[i]
	}
}

// BenchmarkResNet18 runs the audio-visual network's backbones: 16 spectrograms, and 3 frames of 16 samples.
func BenchmarkResNet18(b *testing.B) {
	for _, exact := range []bool{false, true} {
		for _, c := range []struct {
			name string
			n    int
			in   kernel.Image
		}{{"audio", 16, kernel.Image{C: 1, H: 257, W: 188}}, {"visual", 48, kernel.Image{C: 3, H: 224, W: 224}}} {
			for _, backward := range []bool{false, true} {
				b.Run(fmt.Sprintf("%s/backward=%v/exact=%v", c.name, backward, exact), func(b *testing.B) {
					e := benchmarkEngine(b, Options{Threads: 2, Exact: exact})
					r, x := newResNet(c.n, c.in), noise(c.n*c.in.Size())
					measure(b, 1e9*float64(c.n), "images/s", func() {
						r.forward(e, x)
						if backward {
							r.backward(e, x)
						}
					})
				})
			}
		}
	}
}
