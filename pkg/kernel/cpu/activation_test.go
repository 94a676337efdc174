package cpu

import (
	"fmt"
	"math"
	"testing"

	"mmtools/pkg/kernel"
	"mmtools/pkg/rng"
)

// wide returns n numbers of every size: of both signs, from 1e-8 to 1e3, with 0, and where there is room infinities and NaN.
func wide(n int) []float32 {
	x, r := make([]float32, n), rng.Stream(1, "wide", n)
	for i := range x {
		x[i] = float32((2*r.Float64() - 1) * math.Pow(10, float64(r.IntN(12)-8)))
	}
	if special := []float32{0, float32(math.Inf(1)), float32(math.Inf(-1)), canary, 1e-4, -1e-4, 9.99e-5}; n > len(special) {
		copy(x, special)
	}
	return x
}

func eachSize(t *testing.T, test func(t *testing.T, d *Device, n int)) {
	for _, threads := range threadCounts {
		d := open(t, threads)
		for _, n := range lengths {
			t.Run(fmt.Sprintf("threads %d N%d", threads, n), func(t *testing.T) { test(t, d, n) })
		}
	}
}

// nearOrNaN is near with the magnitude of want, where a NaN wants a NaN.
func nearOrNaN(t *testing.T, what string, got []float32, want []float64, tolerance float64) {
	t.Helper()
	for i, w := range want {
		g := float64(got[i])
		if g == w || math.IsNaN(w) && math.IsNaN(g) {
			continue
		}
		// Kernels may take what is below the smallest normal float32, 1.18e-38, for zero.
		if !(math.Abs(g-w) <= tolerance*math.Abs(w)+1.2e-38) {
			t.Errorf("%s: element %d is %v, want %v", what, i, g, w)
			return
		}
	}
}

// rounded is what one rounding to float32 may lose.
const rounded = 6.1e-8

func TestFunctions(t *testing.T) {
	for name, f := range map[string]struct {
		run  func(d *Device, y, x kernel.Buffer, n int)
		want func(x float64) float64
	}{
		"tanh":    {(*Device).Tanh, math.Tanh},
		"sigmoid": {(*Device).Sigmoid, func(x float64) float64 { return 1 / (1 + math.Exp(-x)) }},
		"scale":   {func(d *Device, y, x kernel.Buffer, n int) { d.Scale(y, x, n, -0.75) }, func(x float64) float64 { return -0.75 * x }},
	} {
		t.Run(name, func(t *testing.T) {
			eachSize(t, func(t *testing.T, d *Device, n int) {
				x, want := wide(n), make([]float64, n)
				for i, v := range x {
					want[i] = f.want(float64(v))
				}
				y := output(t, d, n)
				f.run(d, y, upload(t, d, x), n)
				nearOrNaN(t, "y", download(d, y), want, rounded)
				in := upload(t, d, x)
				f.run(d, in, in, n)
				same(t, "y in place of x", download(d, in), download(d, y))
			})
		})
	}
}

// The gradients take their function's result y, not x.
func TestFunctionGradients(t *testing.T) {
	for name, f := range map[string]struct {
		run  func(d *Device, dx, dy, y kernel.Buffer, n int)
		want func(y float64) float64
	}{
		"tanh":    {(*Device).TanhGrad, func(y float64) float64 { return 1 - y*y }},
		"sigmoid": {(*Device).SigmoidGrad, func(y float64) float64 { return y * (1 - y) }},
		"mul":     {(*Device).Mul, func(y float64) float64 { return y }},
	} {
		t.Run(name, func(t *testing.T) {
			eachSize(t, func(t *testing.T, d *Device, n int) {
				r := rng.Stream(1, "function gradients", n)
				dy, y := uniform(r, n), uniform(r, n)
				want, size := make([]float64, n), make([]float64, n)
				for i := range want {
					want[i], size[i] = float64(dy[i])*f.want(float64(y[i])), math.Abs(float64(dy[i]))
				}
				dx := output(t, d, n)
				f.run(d, dx, upload(t, d, dy), upload(t, d, y), n)
				near(t, "dx", download(d, dx), want, size, 4*rounded)
				in := upload(t, d, dy)
				f.run(d, in, in, upload(t, d, y), n)
				same(t, "dx in place of dy", download(d, in), download(d, dx))
			})
		})
	}
}

func TestModulation(t *testing.T) {
	for _, threads := range threadCounts {
		d := open(t, threads)
		for _, s := range []shape{{m: 1, n: 1}, {m: 3, n: 5}, {m: 13, n: 33}, {m: 257, n: 512}} {
			t.Run(fmt.Sprintf("threads %d M%d N%d", threads, s.m, s.n), func(t *testing.T) {
				r := rng.Stream(1, "modulation", s.m)
				modulator, x, dy := uniform(r, 2*s.m*s.n), uniform(r, s.m*s.n), uniform(r, s.m*s.n)
				want, wantInput, wantModulator := make([]float64, s.m*s.n), make([]float64, s.m*s.n), make([]float64, 2*s.m*s.n)
				size := make([]float64, s.m*s.n)
				for i := range s.m {
					for j := range s.n {
						at, gamma, beta := i*s.n+j, 2*i*s.n+j, (2*i+1)*s.n+j
						product := float64(modulator[gamma]) * float64(x[at])
						want[at], size[at] = product+float64(modulator[beta]), math.Abs(product)+math.Abs(float64(modulator[beta]))
						wantInput[at] = float64(dy[at]) * float64(modulator[gamma])
						wantModulator[gamma], wantModulator[beta] = float64(dy[at])*float64(x[at]), float64(dy[at])
					}
				}
				y, dx, dm := output(t, d, s.m*s.n), output(t, d, s.m*s.n), output(t, d, 2*s.m*s.n)
				m, in, up := upload(t, d, modulator), upload(t, d, x), upload(t, d, dy)
				d.Modulate(y, m, in, s.m, s.n)
				d.ModulateGradInput(dx, up, m, s.m, s.n)
				d.ModulateGradModulator(dm, up, in, s.m, s.n)
				near(t, "y", download(d, y), want, size, 2*rounded)
				near(t, "dx", download(d, dx), wantInput, nil, rounded)
				near(t, "dmodulator", download(d, dm), wantModulator, nil, rounded)
				d.Modulate(in, m, in, s.m, s.n)
				same(t, "y in place of x", download(d, in), download(d, y))
				d.ModulateGradInput(up, up, m, s.m, s.n)
				same(t, "dx in place of dy", download(d, up), download(d, dx))
			})
		}
	}
}

// A linear layer without bias is one with a bias of zeros.
func TestLinearWithoutBias(t *testing.T) {
	for _, threads := range threadCounts {
		for _, d := range engines(t, threads) {
			for _, s := range []shape{{1, 1, 1}, {5, 33, 7}, {64, 512, 96}, {600, 17, 513}} {
				x, w := fill(t, d, s.m*s.k), fill(t, d, s.n*s.k+1).Slice(1, s.n*s.k+1)
				want, got := zeros(t, d, s.m*s.n), output(t, d, s.m*s.n)
				d.Linear(want, x, w, zeros(t, d, s.n), s.m, s.n, s.k, false)
				d.Linear(got, x, w, nil, s.m, s.n, s.k, false)
				near(t, fmt.Sprintf("%+v", s), download(d, got), doubles(download(d, want)), nil, 0)
			}
		}
	}
}
