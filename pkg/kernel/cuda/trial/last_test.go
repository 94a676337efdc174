//go:build mmcuda && cgo && linux

package trial

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"testing"

	"mmtools/pkg/kernel"
)

// kept is how feature maps channels last are kept.
type kept struct{ narrow bool }

// kinds runs a test for maps in float32 and in bfloat16.
func kinds(t *testing.T, test func(t *testing.T, k kept)) {
	t.Helper()
	for _, narrow := range []bool{false, true} {
		t.Run(fmt.Sprintf("bf16=%t", narrow), func(t *testing.T) { test(t, kept{narrow}) })
	}
}

func (k kept) kernel(name string) string {
	if k.narrow {
		return name + "_bf16"
	}
	return name
}

// rounded returns x as it is kept.
func (k kept) rounded(x []float32) []float32 {
	x = slices.Clone(x)
	if k.narrow {
		kernel.RoundBF16(x, x)
	}
	return x
}

// swapped returns (n,a,b) as (n,b,a).
func swapped(x []float32, n, a, b int) []float32 {
	y := make([]float32, len(x))
	for i := range n {
		for p := range a {
			for q := range b {
				y[(i*b+q)*a+p] = x[(i*a+p)*b+q]
			}
		}
	}
	return y
}

// maps returns memory that holds (n,C,H,W), channels last.
func (k kept) maps(r *rig, x []float32, n int, i kernel.Image) Memory {
	return k.memory(r, swapped(x, n, i.C, i.H*i.W))
}

func (k kept) memory(r *rig, x []float32) Memory {
	if !k.narrow {
		return r.floats(x)
	}
	m := r.bytes(2 * len(x))
	for i, v := range k.rounded(x) {
		binary.LittleEndian.PutUint16(m.Bytes()[2*i:], uint16(math.Float32bits(v)>>16))
	}
	return m
}

// output is rig.output, of maps.
func (k kept) output(r *rig, n int) Memory {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(math.NaN())
	}
	return k.memory(r, x)
}

func (k kept) values(m Memory) []float32 {
	if !k.narrow {
		return m.Floats()
	}
	x := make([]float32, len(m.Bytes())/2)
	for i := range x {
		x[i] = math.Float32frombits(uint32(binary.LittleEndian.Uint16(m.Bytes()[2*i:])) << 16)
	}
	return x
}

// plain returns what maps hold as (n,C,H,W).
func (k kept) plain(m Memory, n int, i kernel.Image) []float32 {
	return swapped(k.values(m), n, i.H*i.W, i.C)
}

var last = []struct {
	n, runs int
	i       kernel.Image
}{
	{1, 1, kernel.Image{C: 16, H: 1, W: 1}},
	{3, 2, kernel.Image{C: 16, H: 7, W: 9}},  // runs of 95 rows
	{2, 3, kernel.Image{C: 48, H: 5, W: 8}},  // 12 threads across, 4 over
	{2, 1, kernel.Image{C: 272, H: 3, W: 2}}, // a second group, of few
	{9, 40, kernel.Image{C: 32, H: 5, W: 5}}, // runs with nothing in them
}

func TestLastBatchNorm(t *testing.T) {
	p := images(t)
	step := kernel.NormStep{Momentum: 0.1, Epsilon: 1e-5}
	kinds(t, func(t *testing.T, k kept) {
		for _, with := range []struct{ residual, relu bool }{{false, false}, {false, true}, {true, true}, {true, false}} {
			for _, s := range last {
				size, c, rows := s.n*s.i.Size(), s.i.C, s.n*s.i.H*s.i.W
				what := fmt.Sprintf("%+v, %d of %v", with, s.n, s.i)
				r := newRig(t, 0, s.n, c)
				x, dy := k.rounded(r.uniform(size)), k.rounded(r.uniform(size))
				for i := range x {
					x[i] += 4 // a mean that is not 0
				}
				x = k.rounded(x)
				q := r.norm(c)
				var residual []float32
				var res, dres Memory
				if with.residual {
					residual = k.rounded(r.uniform(size))
					res, dres = k.maps(r, residual, s.n, s.i), k.output(r, size)
					residual = arranged(p, residual, s.n, s.i)
				}
				hx, hy := arranged(p, x, s.n, s.i), make([]float32, size)
				p.BatchNorm(hy, hx, residual, q.host, s.n, s.i, step, with.relu)

				in, y, partial := k.maps(r, x, s.n, s.i), k.output(r, size), r.doubles(2*c*s.runs+c)
				r.launch(k.kernel("mm_last_statistics"), elements, partial, in, rows, c, s.runs)
				r.launch("mm_last_keep_statistics", elements, q.mean, q.invStd, q.runningMean, q.runningVar, partial, rows, c, s.runs,
					float64(step.Momentum), float64(step.Epsilon))
				near(t, what+": mean", q.mean.Floats(), q.host.Mean, nil, 1e-6)
				near(t, what+": 1/std", q.invStd.Floats(), q.host.InvStd, nil, 1e-5)
				near(t, what+": running mean", q.runningMean.Floats(), q.host.RunningMean, sizes(c, 1), 1e-6)
				near(t, what+": running variance", q.runningVar.Floats(), q.host.RunningVar, sizes(c, 1), 1e-6)
				// The next kernels get the same statistics, so that they give the same signs.
				copy(q.mean.Floats(), q.host.Mean)
				copy(q.invStd.Floats(), q.host.InvStd)
				r.launch(k.kernel("mm_last_batch_norm"), elements, y, in, res, q.gamma, q.beta, q.mean, q.invStd, rows, c, s.runs, with.relu)
				near(t, what+": y", k.plain(y, s.n, s.i), k.rounded(plain(p, hy, s.n, s.i)), nil, 0)

				hdx, hdres, hdgamma, hdbeta := make([]float32, size), make([]float32, size), make([]float32, c), make([]float32, c)
				if !with.residual {
					hdres = nil
				}
				p.BatchNormGrad(hdx, hdres, hdgamma, hdbeta, arranged(p, dy, s.n, s.i), hx, hy, q.host, s.n, s.i, with.relu)
				result := Memory{}
				if with.residual {
					result = y
				}
				dgamma, dbeta, dx := r.output(c), r.output(c), k.maps(r, dy, s.n, s.i)
				r.launch(k.kernel("mm_last_grad_sums"), elements, partial, dx, in, result, q.gamma, q.beta, q.mean, q.invStd, rows, c, s.runs, with.relu)
				r.launch("mm_last_keep_grad_sums", elements, dgamma, dbeta, partial, q.invStd, c, s.runs)
				near(t, what+": dbeta", dbeta.Floats(), hdbeta, sizes(c, rows), 1e-6)
				near(t, what+": dgamma", dgamma.Floats(), hdgamma, sizes(c, 2*rows), 1e-6)
				r.launch(k.kernel("mm_last_batch_norm_grad"), elements, dx, dres, dgamma, dbeta, dx, in, result, q.gamma, q.beta, q.mean, q.invStd,
					rows, c, s.runs, with.relu)
				steep := make([]float64, size)
				want := plain(p, hdx, s.n, s.i)
				for i := range steep { // of float32, or rounded to 8 bits after being as much off
					steep[i] = float64(q.host.InvStd[i/(s.i.H*s.i.W)%c])
					if k.narrow {
						steep[i] = 1e6/256*math.Abs(float64(want[i])) + 2*steep[i]
					}
				}
				near(t, what+": dx", k.plain(dx, s.n, s.i), want, steep, 1e-6)
				if with.residual {
					same(t, what+": dresidual", k.plain(dres, s.n, s.i), plain(p, hdres, s.n, s.i))
				}
			}
		}
	})
}

func TestLastAffine(t *testing.T) {
	p := images(t)
	kinds(t, func(t *testing.T, k kept) {
		for _, s := range last {
			size, c := s.n*s.i.Size(), s.i.C
			r := newRig(t, 0, s.n, c)
			x, residual, scale, shift := k.rounded(r.uniform(size)), k.rounded(r.uniform(size)), r.uniform(c), r.uniform(c)
			x[0] = float32(math.NaN())
			hy := make([]float32, size)
			p.Affine(hy, arranged(p, x, s.n, s.i), scale, shift, arranged(p, residual, s.n, s.i), s.n, s.i, true)
			y := k.maps(r, x, s.n, s.i)
			r.launch(k.kernel("mm_last_affine"), elements, y, y, r.floats(scale), r.floats(shift), k.maps(r, residual, s.n, s.i), s.n*s.i.H*s.i.W, c, s.runs, true)
			same(t, fmt.Sprintf("%d of %v", s.n, s.i), k.plain(y, s.n, s.i), k.rounded(plain(p, hy, s.n, s.i)))
		}
	})
}

func TestLastMaxPool(t *testing.T) {
	p := images(t)
	kinds(t, func(t *testing.T, k kept) {
		for _, s := range []struct {
			n int
			p kernel.Pool
		}{
			{1, kernel.Pool{In: kernel.Image{C: 16, H: 1, W: 1}, Window: kernel.Square(1, 1, 0)}},
			{2, kernel.Pool{In: kernel.Image{C: 32, H: 9, W: 8}, Window: kernel.Square(3, 2, 1)}},
			{3, kernel.Pool{In: kernel.Image{C: 16, H: 7, W: 11}, Window: kernel.Square(2, 3, 0)}}, // pixels that no window sees
			{2, kernel.Pool{In: kernel.Image{C: 48, H: 1, W: 20}, Window: kernel.Window{KH: 1, KW: 5, StrideH: 1, StrideW: 1, PadW: 4}}},
		} {
			in, out := s.p.In, s.p.Out()
			r := newRig(t, 0, s.n, in.C)
			m := newPooled(p, r, s.n, s.p, k.rounded)
			y, index, dx := k.output(r, len(m.y)), r.bytes(len(m.y)), k.output(r, len(m.x))
			r.launch(k.kernel("mm_last_max_pool"), elements, slices.Concat([]any{y, index, k.maps(r, m.x, s.n, in)}, m.window)...)
			r.launch(k.kernel("mm_last_max_pool_grad"), elements, slices.Concat([]any{dx, k.maps(r, m.dy, s.n, out), index}, m.window)...)
			same(t, fmt.Sprintf("%+v: y", s), k.plain(y, s.n, out), m.y)
			same(t, fmt.Sprintf("%+v: dx", s), k.plain(dx, s.n, in), m.dx)
		}
	})
}

func TestLastAveragePool(t *testing.T) {
	p := images(t)
	kinds(t, func(t *testing.T, k kept) {
		for _, s := range []struct {
			n, frames int
			i         kernel.Image
		}{
			{1, 1, kernel.Image{C: 16, H: 1, W: 1}},
			{3, 2, kernel.Image{C: 16, H: 7, W: 7}},
			{2, 3, kernel.Image{C: 272, H: 3, W: 1}},
			{0, 3, kernel.Image{C: 16, H: 3, W: 1}},
		} {
			size, pixels := s.n*s.frames*s.i.Size(), s.frames*s.i.H*s.i.W
			r := newRig(t, 0, s.n, s.i.C)
			x, dy := k.rounded(r.uniform(size)), r.uniform(s.n*s.i.C)
			hy, hdx := make([]float32, len(dy)), make([]float32, size)
			p.AveragePool(hy, arranged(p, x, s.n*s.frames, s.i), s.n, s.frames, s.i)
			p.AveragePoolGrad(hdx, dy, s.n, s.frames, s.i)
			y, dx := r.output(len(dy)), k.output(r, size)
			r.launch(k.kernel("mm_last_average_pool"), elements, y, k.maps(r, x, s.n*s.frames, s.i), s.n, pixels, s.i.C)
			r.launch(k.kernel("mm_last_average_pool_grad"), elements, dx, r.floats(dy), s.n, pixels, s.i.C)
			near(t, fmt.Sprintf("%+v: y", s), y.Floats(), hy, sizes(len(dy), 1), 1e-7)
			same(t, fmt.Sprintf("%+v: dx", s), k.plain(dx, s.n*s.frames, s.i), k.rounded(plain(p, hdx, s.n*s.frames, s.i)))
		}
	})
}

func TestTranspose(t *testing.T) {
	kinds(t, func(t *testing.T, k kept) {
		to, back := "mm_transpose", "mm_transpose"
		if k.narrow {
			to, back = "mm_transpose_narrow", "mm_transpose_wide"
		}
		for _, s := range [][3]int{{2, 3, 50}, {3, 40, 9}, {2, 33, 70}, {1, 64, 32}, {5, 20, 17}, {1, 1, 1}} {
			n, a, b := s[0], s[1], s[2]
			r := newRig(t, 0, n, a)
			x := r.uniform(n * a * b)
			x[len(x)-1] = float32(math.NaN())
			y, z := k.output(r, len(x)), r.output(len(x))
			r.launch(to, elements, y, r.floats(x), n, a, b)
			same(t, fmt.Sprint(s), k.values(y), k.rounded(swapped(x, n, a, b)))
			r.launch(back, elements, z, y, n, b, a)
			same(t, fmt.Sprint(s, " and back"), z.Floats(), k.rounded(x))
		}
	})
}

func TestMapsInBF16(t *testing.T) {
	k := kept{narrow: true}
	for _, n := range []int{16, 4096 + 48} {
		r := newRig(t, 0, n)
		a, b := k.rounded(r.uniform(n)), k.rounded(r.uniform(n))
		sum, grad := make([]float32, n), make([]float32, n)
		for i := range a {
			sum[i] = a[i] + b[i]
			if b[i] > 0 {
				grad[i] = a[i]
			}
		}
		y, dx := k.memory(r, a), k.memory(r, a)
		r.launch("mm_add_maps", elements, y, y, k.memory(r, b), n)
		r.launch("mm_relu_grad_maps", elements, dx, dx, k.memory(r, b), n)
		same(t, "sum", k.values(y), k.rounded(sum))
		same(t, "gradient", k.values(dx), grad)
	}
}
