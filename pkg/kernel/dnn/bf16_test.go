package dnn

import (
	"math"
	"math/rand/v2"
	"testing"

	"mmtools/pkg/kernel"
)

// bfloat16 rounds to 8 significant bits, to even.
func bfloat16(x []float64) []float64 {
	y := make([]float64, len(x))
	for i, v := range x {
		fraction, exponent := math.Frexp(v)
		y[i] = math.Ldexp(math.RoundToEven(fraction*256), exponent-8)
	}
	return y
}

type namedEngine struct {
	name string
	Engine
}

// bf16Engines opens every engine that computes convolutions in bfloat16.
func bf16Engines(t *testing.T) []namedEngine {
	t.Helper()
	plain, err := NewPlain(Options{Threads: 2, BF16: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { plain.Close() })
	engines := []namedEngine{{"Go", plain}}
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"rounded", Options{Threads: 2}},
		{"rounded, exact", Options{Threads: 2, Exact: true}},
		{"rounded, portable", Options{Threads: 3, Portable: true}},
		{"library", Options{Threads: 2, LibraryBF16: true}},
	} {
		c.o.BF16 = true
		e, err := Open(c.o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { e.Close() })
		engines = append(engines, namedEngine{c.name, e})
	}
	return engines
}

// In bfloat16 convolutions multiply what is rounded, and sum in float32: held to the definition over rounded numbers, from
// which the definition over the numbers themselves is a hundred times as far as the tolerance. Where maps are bfloat16, half a place of
// theirs is added to that.
func TestConvBF16(t *testing.T) {
	engines := bf16Engines(t)
	r := rand.New(rand.NewPCG(11, 12))
	for _, s := range convolutions {
		if !s.c.In.Blocked() || !s.c.Out().Blocked() || testing.Short() && s.c.Flops(s.n) > 1e7 {
			continue
		}
		t.Run(name(s.n, s.c), func(t *testing.T) {
			in, out := s.n*s.c.In.Size(), s.n*s.c.Out().Size()
			x, w, dy := random(r, in), random(r, s.c.Weights()), random(r, out)
			rx, rw, rdy := bfloat16(x), bfloat16(w), bfloat16(dy)
			wantY, wantDX, wantDW := make([]float64, out), make([]float64, in), make([]float64, len(w))
			eachProduct(s.n, s.c, func(weight, in, out int) {
				wantY[out] += rw[weight] * rx[in]
				wantDX[in] += rw[weight] * rdy[out]
				wantDW[weight] += rdy[out] * rx[in]
			})
			px, pw, pdy := put(x, s.c.In), narrow(w), put(dy, s.c.Out())
			scale, shift := make([]float64, s.c.K), random(r, s.c.K)
			for k := range scale {
				scale[k] = math.Ldexp(1, k%3-1) // a power of two rounds nothing
			}
			wantAffine, wantUnrounded := make([]float64, out), make([]float64, out) // the residual is a map
			for j, v := range wantY {
				k := channelOf(s.c.Out(), j)
				wantAffine[j] = rectify(scale[k]*v+shift[k]+rdy[j], true)
				wantUnrounded[j] = rectify(scale[k]*v+shift[k]+dy[j], true)
			}
			for _, e := range engines {
				y, dx, dw := memory(out), memory(in), memory(len(w))
				x, dy := e.keep(px), e.keep(pdy)
				e.Conv(y, x, pw, s.n, s.c)
				e.ConvGradInput(dx, dy, pw, s.n, s.c)
				e.ConvGradWeight(dw, dy, x, s.n, s.c)
				e.nearMaps(t, "y", get(e.read(y, out), s.c.Out()), wantY)
				e.nearMaps(t, "dx", get(e.read(dx, in), s.c.In), wantDX)
				near(t, e.name+": dw", widen(dw), wantDW, convTolerance)
				want := wantAffine
				if !e.Narrow() {
					want = wantUnrounded
				}
				e.ConvAffine(y, x, pw, narrow(scale), narrow(shift), dy, s.n, s.c, true)
				e.nearMaps(t, "affine", get(e.read(y, out), s.c.Out()), want)
			}
		})
	}
}

// What is no number or infinite stays so when it is rounded.
func TestConvBF16KeepsNaN(t *testing.T) {
	c := kernel.Conv{In: kernel.Image{C: 16, H: 1, W: 1}, K: 16, Window: kernel.Square(1, 1, 0)}
	w, y := memory(c.Weights()), memory(16)
	for i := range w {
		w[i] = 1
	}
	for _, e := range bf16Engines(t) {
		x := memory(16)
		for _, bits := range []uint32{0x7f800001, 0x7fffffff, 0xffc00000} {
			x[3] = math.Float32frombits(bits)
			if e.Conv(y, e.keep(x), w, 1, c); e.read(y, 1)[0] == e.read(y, 1)[0] {
				t.Errorf("%s: %x: got %g, want NaN", e.name, bits, y[0])
			}
		}
		x[3] = float32(math.Inf(-1))
		if e.Conv(y, e.keep(x), w, 1, c); !math.IsInf(float64(e.read(y, 1)[0]), -1) {
			t.Errorf("%s: got %g, want -Inf", e.name, y[0])
		}
	}
}
