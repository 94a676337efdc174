package cpu

import (
	"fmt"
	"math"
	"testing"
	"time"

	"mmtools/internal/fixture"
	"mmtools/pkg/kernel"
	"mmtools/pkg/rng"
)

// BenchmarkKernels prints the rates of the kernels of a late-fusion training step, two modalities of 512 inputs, 512 hidden
// and 31 classes: GFLOP/s of the products, GB/s of what is bound by memory.
func BenchmarkKernels(b *testing.B) {
	d := open(b, 0)
	for _, m := range []int{64, 1024} {
		for _, layer := range []struct {
			name string
			n, k int
		}{{"hidden", 512, 512}, {"head", 31, 1024}} {
			n, k := layer.n, layer.k
			x, dx, w, dw := fill(b, d, m*k), fill(b, d, m*k), fill(b, d, n*k), fill(b, d, n*k)
			y, dy, bias := fill(b, d, m*n), fill(b, d, m*n), fill(b, d, n)
			gflop := 2 * float64(m*n*k) * 1e-9
			name := fmt.Sprintf("%s/M%d/", layer.name, m)
			rate(b, name+"Linear", "GFLOP/s", gflop, func() { d.Linear(y, x, w, bias, m, n, k, true) })
			rate(b, name+"LinearGradWeight", "GFLOP/s", gflop, func() { d.LinearGradWeight(dw, dy, x, m, n, k) })
			rate(b, name+"LinearGradInput", "GFLOP/s", gflop, func() { d.LinearGradInput(dx, dy, w, m, n, k) })
		}
		benchmarkStreams(b, d, m)
	}
	n := 2*(512*512+512) + 1024*31 + 31
	p, g, mom, v := fill(b, d, n), fill(b, d, n), fill(b, d, n), fill(b, d, n)
	scale, step := fill(b, d, 1), rates(b, d, adamSettings.Rates(100, 1e-3))
	rate(b, "Adam", "GB/s", 28e-9*float64(n), func() { d.Adam(p, g, mom, v, nil, step, n, adamSettings) })
	rate(b, "SGD", "GB/s", 20e-9*float64(n), func() { d.SGD(p, g, mom, nil, step, n, kernel.SGD{Momentum: 0.9}) })
	rate(b, "ClipScale", "GB/s", 4e-9*float64(n), func() { d.ClipScale(scale, g, n, 1) })
}

func benchmarkStreams(b *testing.B, d *Device, m int) {
	const n, c = 512, 31
	x, y, z := fill(b, d, m*n), fill(b, d, m*n), fill(b, d, 2*m*n)
	logits, grad, label, one, sum := fill(b, d, m*c), fill(b, d, m*c), zeros(b, d, m), zeros(b, d, m), zeros(b, d, n)
	keep := zeros(b, d, 2*m)
	gb := 4e-9 * float64(m*n)
	name := fmt.Sprintf("M%d/", m)
	features, widths := []kernel.Buffer{x, y}, []int{n, n}
	rate(b, name+"MaskedConcat", "GB/s", 4*gb, func() { d.MaskedConcat(z, features, widths, keep, m) })
	rate(b, name+"MaskedSlice", "GB/s", 2*gb, func() { d.MaskedSlice(x, z, keep, nil, m, 2*n, n, n, 1, 2) })
	rate(b, name+"ReLUGrad", "GB/s", 3*gb, func() { d.ReLUGrad(x, x, y, m*n) })
	rate(b, name+"SumRows", "GB/s", gb, func() { d.SumRows(sum, x, m, n) })
	rate(b, name+"SoftmaxCrossEntropy", "Mrow/s", 1e-6*float64(m), func() { d.SoftmaxCrossEntropy(sum, logits, label, one, m, c) })
	rate(b, name+"SoftmaxCrossEntropyGrad", "Mrow/s", 1e-6*float64(m), func() {
		d.SoftmaxCrossEntropyGrad(grad, logits, label, one, sum, m, c)
	})
}

// rate times f, which does amount of unit's numerator a call.
func rate(b *testing.B, name, unit string, amount float64, f func()) {
	b.Run(name, func(b *testing.B) {
		for b.Loop() {
			f()
		}
		b.ReportMetric(amount*float64(b.N)/b.Elapsed().Seconds(), unit)
	})
}

// BenchmarkStep is a whole training step of that model, kernels alone: what is left to the graph, the machine and the gathering
// of a minibatch is the difference to BenchmarkLateFusion of pkg/train. It also gives the best single step, which other work
// on the machine disturbs least.
func BenchmarkStep(b *testing.B) {
	const inputs, hidden, classes = 512, 512, 31
	for _, rows := range []int{64, 1024} {
		b.Run(fmt.Sprintf("batch=%d", rows), func(b *testing.B) {
			d, r := open(b, 0), rng.Stream(1, "step")
			random := func(shape ...int) fixture.Tensor {
				n := 1
				for _, s := range shape {
					n *= s
				}
				// As wide as PyTorch draws a layer's weights; wider ones would make a softmax that no training has.
				x := uniform(r, n)
				for i := range x {
					x[i] /= float32(math.Sqrt(float64(shape[len(shape)-1])))
				}
				return fixture.Tensor{Shape: shape, Float32: x}
			}
			c := &fixture.Training{Rows: rows, Classes: classes, X: map[string]fixture.Tensor{}, Keep: random(rows, 2),
				Label: fixture.Tensor{Int32: make([]int32, rows)}, Weight: random(rows)}
			c.Parameters = map[string]fixture.Tensor{"head.weight": random(classes, 2*hidden), "head.bias": random(classes)}
			for _, name := range []string{"audio", "visual"} {
				c.Modalities = append(c.Modalities, fixture.Modality{Name: name, Size: inputs})
				c.X[name] = random(rows, inputs)
				c.Parameters["backbones."+name+".0.weight"], c.Parameters["backbones."+name+".0.bias"] = random(hidden, inputs), random(hidden)
			}
			m := newLateFusion(b, d, c)
			n := 2*(inputs*hidden+hidden) + 2*hidden*classes + classes
			p, g, first, second := fill(b, d, n), fill(b, d, n), zeros(b, d, n), zeros(b, d, n)
			step, best := rates(b, d, adamSettings.Rates(100, 1e-3)), time.Duration(math.MaxInt64)
			for b.Loop() {
				start := time.Now()
				m.pass()
				d.Adam(p, g, first, second, nil, step, n, adamSettings)
				best = min(best, time.Since(start))
			}
			b.ReportMetric(float64(rows)*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
			b.ReportMetric(float64(rows)/best.Seconds(), "best-samples/s")
		})
	}
}
