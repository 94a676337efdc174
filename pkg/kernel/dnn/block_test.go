package dnn

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"testing"

	"mmtools/pkg/kernel"
)

// The network of scripts/reference/conv.py.
const (
	samples = 4
	frames  = 2
	images  = samples * frames
)

var (
	stem  = kernel.Conv{In: kernel.Image{C: 3, H: 61, W: 61}, K: 16, Window: kernel.Square(7, 2, 3)}
	pool3 = kernel.Pool{In: stem.Out(), Window: kernel.Square(3, 2, 1)}
	conv1 = kernel.Conv{In: pool3.Out(), K: 32, Window: kernel.Square(3, 2, 1)}
	conv2 = kernel.Conv{In: conv1.Out(), K: 32, Window: kernel.Square(3, 1, 1)}
	skip  = kernel.Conv{In: pool3.Out(), K: 32, Window: kernel.Square(1, 2, 0)}
)

// values computes what the script's function of that name does.
func values(name string, n int, scale, offset float32) []float32 {
	var seed uint32
	for _, b := range []byte(name) {
		seed = seed*31 + uint32(b)
	}
	v := memory(n)
	for i := range v {
		mixed := uint64(uint32((uint64(i) + uint64(seed)) * 2654435761))
		mixed = uint64(uint32((mixed ^ mixed>>15) * 2246822519))
		v[i] = (float32(mixed>>8)/(1<<24)*2-1)*scale + offset
	}
	return v
}

// layer is a convolution, the batch normalisation after it, and what backward needs.
type layer struct {
	c             kernel.Conv
	conv, bn      string // names
	w, dw         []float32
	norm          Norm
	dgamma, dbeta []float32
	z             []float32 // what the convolution gives; y and dz are the caller's
}

func newLayer(c kernel.Conv, conv, bn string) *layer {
	l := &layer{c: c, conv: conv, bn: bn, dw: memory(c.Weights()), dgamma: memory(c.K), dbeta: memory(c.K), z: memory(images * c.Out().Size())}
	l.w = values(conv+".weight", c.Weights(), float32(math.Sqrt(3/float64(c.Weights()/c.K))), 0)
	l.norm = Norm{values(bn+".weight", c.K, 0.5, 1), values(bn+".bias", c.K, 0.5, 0), memory(c.K), memory(c.K), memory(c.K), memory(c.K)}
	for i := range l.norm.RunningVar {
		l.norm.RunningVar[i] = 1
	}
	return l
}

func (l *layer) forward(e Engine, x, residual []float32, relu bool) (y []float32) {
	y = memory(len(l.z))
	e.Conv(l.z, x, l.w, images, l.c)
	e.BatchNorm(y, l.z, residual, l.norm, images, l.c.Out(), kernel.NormStep{Momentum: 0.1, Epsilon: 1e-5}, relu)
	return y
}

// backward returns the gradient of x, and of the residual where there was one.
func (l *layer) backward(e Engine, dy, y, x []float32, residual, relu bool) (dx, dresidual []float32) {
	out := l.c.Out()
	dz := memory(len(l.z))
	dx = memory(images * l.c.In.Size())
	if residual {
		dresidual = memory(len(l.z))
	}
	e.BatchNormGrad(dz, dresidual, l.dgamma, l.dbeta, dy, l.z, y, l.norm, images, out, relu)
	e.ConvGradInput(dx, dz, l.w, images, l.c)
	e.ConvGradWeight(l.dw, dz, x, images, l.c)
	return dx, dresidual
}

func (l *layer) check(t *testing.T, want map[string][]float64) {
	t.Helper()
	near(t, l.conv+".weight.grad", widen(l.dw), want[l.conv+".weight.grad"], torchTolerance)
	near(t, l.bn+".weight.grad", widen(l.dgamma), want[l.bn+".weight.grad"], torchTolerance)
	near(t, l.bn+".bias.grad", widen(l.dbeta), want[l.bn+".bias.grad"], torchTolerance)
	near(t, l.bn+".running_mean", widen(l.norm.RunningMean), want[l.bn+".running_mean"], torchTolerance)
	near(t, l.bn+".running_var", widen(l.norm.RunningVar), want[l.bn+".running_var"], torchTolerance)
}

// Both sides compute in float32, in different orders: measured differences are below 1e-5 of the largest.
const torchTolerance = 2e-5

func TestBlockEqualsPyTorch(t *testing.T) {
	want := fixture(t)
	each(t, func(t *testing.T, e Engine) {
		first, one := newLayer(stem, "conv1", "bn1"), newLayer(conv1, "layer1.conv1", "layer1.bn1")
		two, down := newLayer(conv2, "layer1.conv2", "layer1.bn2"), newLayer(skip, "layer1.downsample.0", "layer1.downsample.1")
		x, dy := values("x", images*stem.In.Size(), 1, 0), values("dy", samples*conv2.K, 1, 0)

		a := first.forward(e, x, nil, true)
		features, index := memory(images*pool3.Out().Size()), memory(pool3.Indices(images))
		e.MaxPool(features, index, a, images, pool3)
		identity := down.forward(e, features, nil, false)
		b := one.forward(e, features, nil, true)
		c := two.forward(e, b, identity, true)
		y := memory(len(dy))
		e.AveragePool(y, c, samples, frames, conv2.Out())

		dc := memory(len(c))
		e.AveragePoolGrad(dc, dy, samples, frames, conv2.Out())
		db, didentity := two.backward(e, dc, c, b, true, true)
		dfeatures, _ := one.backward(e, db, b, features, false, true)
		dskip, _ := down.backward(e, didentity, identity, features, false, false)
		for i, v := range dskip {
			dfeatures[i] += v
		}
		da := memory(len(a))
		e.MaxPoolGrad(da, dfeatures, index, images, pool3)
		first.backward(e, da, a, x, false, true)

		near(t, "y", widen(y), want["y"], torchTolerance)
		near(t, "features.grad", get(dfeatures, pool3.Out()), want["features.grad"], torchTolerance)
		for _, l := range []*layer{first, one, two, down} {
			l.check(t, want)
		}
	})
}

func fixture(t *testing.T) map[string][]float64 {
	t.Helper()
	text, err := os.ReadFile("testdata/block.json")
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("testdata/block.f32")
	if err != nil {
		t.Fatal(err)
	}
	var index struct {
		Tensors []struct {
			Name         string
			Offset, Size int
		}
	}
	if err := json.Unmarshal(text, &index); err != nil {
		t.Fatal(err)
	}
	tensors := map[string][]float64{}
	for _, s := range index.Tensors {
		v := make([]float64, s.Size)
		for i := range v {
			v[i] = float64(math.Float32frombits(binary.LittleEndian.Uint32(data[4*(s.Offset+i):])))
		}
		tensors[s.Name] = v
	}
	return tensors
}
