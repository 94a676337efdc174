package dnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"unsafe"

	"mmtools/pkg/kernel"
)

// shorts views memory as bfloat16.
func shorts(m []float32) []uint16 {
	return unsafe.Slice((*uint16)(unsafe.Pointer(unsafe.SliceData(m))), 2*len(m))
}

// keep returns blocked maps as the engine holds them.
func (e namedEngine) keep(x []float32) []float32 {
	if !e.Narrow() {
		return slices.Clone(x)
	}
	rounded, m := make([]float32, len(x)), memory(len(x))
	kernel.RoundBF16(rounded, x)
	for i, v := range rounded {
		shorts(m)[i] = uint16(math.Float32bits(v) >> 16)
	}
	return m
}

// read is the inverse of keep for n values.
func (e namedEngine) read(m []float32, n int) []float32 {
	if !e.Narrow() {
		return m[:n]
	}
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(uint32(shorts(m)[i]) << 16)
	}
	return x
}

// nearMaps is near for maps, of which half a place is lost where they are bfloat16.
func (e namedEngine) nearMaps(t *testing.T, what string, got, want []float64) {
	t.Helper()
	if !e.Narrow() {
		near(t, e.name+": "+what, got, want, convTolerance)
		return
	}
	largest := 0.0
	for _, w := range want {
		largest = max(largest, math.Abs(w))
	}
	for i, w := range want {
		if d := math.Abs(got[i] - w); !(d <= math.Abs(w)/256+convTolerance*largest) {
			t.Fatalf("%s: %s: element %d: got %g, want %g", e.name, what, i, got[i], w)
		}
	}
}

// narrowEngines returns narrow engines, and one of the same code that is not. They are none where the engine is in Go.
func narrowEngines(t *testing.T) (narrow []namedEngine, wide Engine) {
	t.Helper()
	wide = openOrSkip(t, Options{Threads: 2})
	for _, o := range []Options{{Threads: 1}, {Threads: 2}, {Threads: 3, Portable: true}} {
		o.BF16 = true
		narrow = append(narrow, namedEngine{fmt.Sprintf("threads %d, portable %t", o.Threads, o.Portable), openOrSkip(t, o)})
	}
	return narrow, wide
}

// What is no convolution gives, of maps in bfloat16, what it gives of the same numbers in float32, rounded once: to half a place, and
// where float32 rounds otherwise, to one.
func TestNarrowMaps(t *testing.T) {
	engines, wide := narrowEngines(t)
	r := rand.New(rand.NewPCG(21, 22))
	step := kernel.NormStep{Momentum: 0.1, Epsilon: 1e-5}
	for _, m := range []struct {
		n int
		i kernel.Image
	}{{3, kernel.Image{C: 32, H: 9, W: 7}}, {5, kernel.Image{C: 16, H: 1, W: 1}}, {2, kernel.Image{C: 48, H: 110, W: 100}}} {
		size := m.n * m.i.Size()
		pool := kernel.Pool{In: m.i, Window: kernel.Square(3, 2, 1)}
		small := m.n * pool.Out().Size()
		norms := newNorm(r, m.i.C)
		plain := namedEngine{"wide", wide}
		sets := make([][]float32, 4)
		for i := range sets {
			sets[i] = engines[0].read(engines[0].keep(narrow(random(r, size))), size) // numbers that are bfloat16
		}
		run := func(e namedEngine) map[string][]float32 {
			x, residual, dy, y := e.keep(sets[0]), e.keep(sets[1]), e.keep(sets[2]), memory(size)
			got := map[string][]float32{}
			note := func(name string, m []float32, n int) { got[name] = slices.Clone(e.read(m, n)) }
			for _, relu := range []bool{false, true} {
				for _, add := range [][]float32{nil, residual} {
					key, p := fmt.Sprint(relu, add != nil), norms.vectors()
					e.BatchNorm(y, x, add, p, m.n, m.i, step, relu)
					note("batch norm "+key, y, size)
					got["statistics "+key] = slices.Concat(p.Mean, p.InvStd, p.RunningMean, p.RunningVar)
					dx, dadd, dgamma, dbeta := memory(size), []float32(nil), memory(m.i.C), memory(m.i.C)
					if add != nil {
						dadd = memory(size)
					}
					e.BatchNormGrad(dx, dadd, dgamma, dbeta, dy, x, y, p, m.n, m.i, relu)
					note("gradient "+key, dx, size)
					if add != nil {
						note("residual's gradient "+key, dadd, size)
					}
					got["gradients of the parameters "+key] = slices.Concat(dgamma, dbeta)
					e.Affine(y, x, p.Mean, p.InvStd, add, m.n, m.i, relu)
					note("affine "+key, y, size)
				}
			}
			pooled, index, dx := memory(small), memory(pool.Indices(m.n)), memory(size)
			e.MaxPool(pooled, index, x, m.n, pool)
			note("max pool", pooled, small)
			got["index"] = index
			e.MaxPoolGrad(dx, pooled, index, m.n, pool)
			note("max pool's gradient", dx, size)
			mean := memory(m.n * m.i.C)
			e.AveragePool(mean, x, m.n, 1, m.i)
			got["average"] = mean
			e.AveragePoolGrad(dx, narrow(random(rand.New(rand.NewPCG(1, 1)), len(mean))), m.n, 1, m.i)
			note("average's gradient", dx, size)
			e.Arrange(dx, sets[3], m.n, m.i)
			note("arrange", dx, size)
			back := memory(size)
			e.ArrangePlain(back, dx, m.n, m.i)
			got["back"] = back
			if e.Narrow() {
				e.AddMaps(dx, x, residual, size)
				note("sum", dx, size)
				e.ReLUGradMaps(dx, dy, residual, size)
				note("ReLU's gradient", dx, size)
			}
			return got
		}
		want := run(plain)
		want["sum"], want["ReLU's gradient"] = make([]float32, size), make([]float32, size)
		for i := range size {
			want["sum"][i] = sets[0][i] + sets[1][i]
			if sets[1][i] > 0 {
				want["ReLU's gradient"][i] = sets[2][i]
			}
		}
		for _, e := range engines {
			for name, g := range run(e) {
				for i, v := range g {
					w := want[name][i]
					if math.Float32bits(v) == math.Float32bits(w) { // indices are no numbers
						continue
					}
					if d := math.Abs(float64(v - w)); name == "index" || !(d <= math.Abs(float64(w))/128+1e-6) {
						t.Fatalf("%v, %s: %s: element %d: got %g, want %g", m.i, e.name, name, i, v, w)
					}
				}
			}
		}
	}
}
