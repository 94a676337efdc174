package dnn

import (
	"math"
	"testing"

	"mmtools/pkg/kernel"
)

// TestWinogradInANetwork compares a whole ResNet-18, forward and backward, with Winograd's algorithm and without. The activations
// differ by float32's rounding; one that is nearly zero may then fall on the other side of ReLU, which changes a gradient by its
// whole contribution. Two ways to sum the same products do the same (the engine in Go against oneDNN's direct convolutions):
// Winograd's gradients must not be off by more than a few times as much.
func TestWinogradInANetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a ResNet-18 three times")
	}
	fast, direct, other := openOrSkip(t, Options{Threads: 2}), openOrSkip(t, Options{Threads: 2, Exact: true}), plainEngine(t)
	in := kernel.Image{C: 3, H: 96, W: 96}
	x := noise(4 * in.Size())
	var nets []*resnet
	for _, e := range []Engine{fast, direct, other} {
		r := newResNet(4, in)
		r.forward(e, x)
		r.backward(e, x)
		nets = append(nets, r)
	}
	a, b, c := nets[0], nets[1], nets[2]
	if d := distance(a.mean, b.mean); !(d <= 1e-5) {
		t.Errorf("features: differ by %.1e of their norm, want at most 1e-5", d)
	}
	t.Logf("features: %.1e, rounding alone %.1e", distance(a.mean, b.mean), distance(c.mean, b.mean))
	for i := range a.blocks {
		d, rounding := distance(a.blocks[i].two.dw, b.blocks[i].two.dw), distance(c.blocks[i].two.dw, b.blocks[i].two.dw)
		t.Logf("gradient of the weights of block %d: %.1e, rounding alone %.1e", i, d, rounding)
		if !(d <= 3*rounding+2e-3) {
			t.Errorf("gradient of the weights of block %d: differs by %.1e of its norm, rounding alone by %.1e", i, d, rounding)
		}
	}
}

func openOrSkip(t *testing.T, o Options) Engine {
	t.Helper()
	e, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	if _, plain := e.(*Plain); plain {
		t.Skip("this program was built with the engine in Go, which has no Winograd")
	}
	return e
}

func plainEngine(t *testing.T) Engine {
	t.Helper()
	e, err := NewPlain(Options{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { e.Close() })
	return e
}

// distance returns the norm of a - b over that of b.
func distance(a, b []float32) float64 {
	var d, s float64
	for i := range a {
		e := float64(a[i]) - float64(b[i])
		d += e * e
		s += float64(b[i]) * float64(b[i])
	}
	return math.Sqrt(d / s)
}
