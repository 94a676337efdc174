package cpu

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"mmtools/internal/fixture"
	"mmtools/pkg/kernel"
	"mmtools/pkg/rng"
)

// bf16Engines returns a device for each way that this build has to compute products, in bf16.
func bf16Engines(tb testing.TB, threads int) []*Device {
	devices := engines(tb, threads)
	for _, d := range devices {
		d.bf16 = true
	}
	return devices
}

// bfloat16 rounds to 8 significant bits, to even.
func bfloat16(x []float32) []float32 {
	y := make([]float32, len(x))
	for i, v := range x {
		fraction, exponent := math.Frexp(float64(v))
		y[i] = float32(math.Ldexp(math.RoundToEven(fraction*256), exponent-8))
	}
	return y
}

// In bf16 a product multiplies what is rounded, and sums in float32: it is as near the definition over rounded numbers as float32
// is over those that are not, which are up to a thousand times as far: 2^-7 of the sum of the terms' magnitudes, for both factors
// lose up to 2^-8.
func TestProductsBF16(t *testing.T) {
	var devices []*Device
	for _, threads := range threadCounts {
		devices = append(devices, bf16Engines(t, threads)...)
	}
	const lost = 1.01 / 128
	for _, s := range []shape{{64, 31, 1024}, {1, 1, 1}, {63, 64, 240}, {33, 17, 15}, {3, 5, 513}, {600, 17, 70}} { // grows and shrinks
		r := rng.Stream(1, "bf16", s.m, s.n, s.k)
		x, w, b, dy := uniform(r, s.m*s.k), uniform(r, s.n*s.k), uniform(r, s.n), uniform(r, s.m*s.n)
		rx, rw, rdy := bfloat16(x), bfloat16(w), bfloat16(dy)
		for _, p := range []struct {
			name  string
			n     int
			run   func(d *Device, to kernel.Buffer)
			exact func(x, w, dy []float32) (want, size []float64)
		}{
			{"y", s.m * s.n, func(d *Device, to kernel.Buffer) {
				d.Linear(to, upload(t, d, x), upload(t, d, w), upload(t, d, b), s.m, s.n, s.k, true)
			}, func(x, w, dy []float32) ([]float64, []float64) { return refLinear(x, w, b, s.m, s.n, s.k, true) }},
			{"dw", s.n * s.k, func(d *Device, to kernel.Buffer) {
				d.LinearGradWeight(to, upload(t, d, dy), upload(t, d, x), s.m, s.n, s.k)
			}, func(x, w, dy []float32) ([]float64, []float64) { return refGradWeight(dy, x, s.m, s.n, s.k) }},
			{"dx", s.m * s.k, func(d *Device, to kernel.Buffer) {
				d.LinearGradInput(to, upload(t, d, dy), upload(t, d, w), s.m, s.n, s.k)
			}, func(x, w, dy []float32) ([]float64, []float64) { return refGradInput(dy, w, s.m, s.n, s.k) }},
		} {
			want, size := p.exact(rx, rw, rdy)
			whole, wholeSize := p.exact(x, w, dy)
			for _, d := range devices {
				to := output(t, d, p.n)
				p.run(d, to)
				what := fmt.Sprintf("%+v, %d threads, %s: %s", s, d.Threads(), d.Engine(), p.name)
				near(t, what, download(d, to), want, size, rounding)
				near(t, what+" before rounding", download(d, to), whole, wholeSize, lost)
			}
		}
	}
}

// Rounding to bfloat16 is to even, keeps infinities and signs, overflows to infinity, and lets nothing that is no number become one.
func TestRoundBF16(t *testing.T) {
	bits := []uint32{0x3f800000, 0x3f808000, 0x3f808001, 0x3f818000, 0x80000000, 0x7f7fffff, 0x7f800000, 0xff800000, 0x00000001, 0x00018000}
	want := []uint32{0x3f800000, 0x3f800000, 0x3f810000, 0x3f820000, 0x80000000, 0x7f800000, 0x7f800000, 0xff800000, 0x00000000, 0x00020000}
	none := []uint32{0x7f800001, 0x7fffffff, 0xffc00000, 0xffffffff}
	var x, w []float32
	for i, b := range bits {
		x, w = append(x, math.Float32frombits(b)), append(w, math.Float32frombits(want[i]))
	}
	for _, b := range none {
		x = append(x, math.Float32frombits(b))
	}
	for _, d := range engines(t, 1) {
		y, plain := output(t, d, len(x)), make([]float32, len(x))
		d.round(y, upload(t, d, x), len(x))
		kernel.RoundBF16(plain, x)
		for _, got := range [][]float32{download(d, y), plain} {
			same(t, d.Engine(), got[:len(w)], w)
			for i, v := range got[len(w):] {
				if v == v {
					t.Errorf("%s: %x became %v", d.Engine(), none[i], v)
				}
			}
		}
	}
}

func TestProductsBF16DoNotAllocate(t *testing.T) {
	for _, d := range bf16Engines(t, 2) {
		s := newStep(t, d, 70, 96, 200, 7)
		if n := testing.AllocsPerRun(20, s.run); n != 0 {
			t.Errorf("%s: a step allocates %v times, want 0", d.Engine(), n)
		}
	}
}

// The same numbers for any number of threads, as in float32, and but for OpenBLAS.
func TestThreadsChangeNothingBF16(t *testing.T) {
	if strings.Contains(open(t, 1).Engine(), "OpenBLAS") {
		t.Skip("OpenBLAS sums in an order that follows the shape")
	}
	want := train(t, bf16Engines(t, 1)[0])
	for _, threads := range []int{2, 3} {
		same(t, fmt.Sprintf("threads %d", threads), train(t, bf16Engines(t, threads)[0]), want)
	}
}

// Against PyTorch's float32: logits within 0.01 of the largest, the loss within 0.005, and gradients at an angle of a cosine of at
// least 0.99 and as long within 0.02 (element by element they are not near: where a ReLU's input is nearly 0, its sign changes).
func TestTorchBF16(t *testing.T) {
	c, err := fixture.Load(filepath.Join("..", "..", "train", "testdata", "torch", "concat-512.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range bf16Engines(t, 2) {
		m := newLateFusion(t, d, c)
		m.pass()
		nearTensor(t, "logits", download(d, m.logits), c.Float32.Logits, 0.01)
		nearTensor(t, "loss", download(d, m.loss), c.Float32.Loss, 0.005)
		for name, g := range c.Float32.Gradients {
			var dot, a, b float64
			for i, v := range download(d, m.grads[name]) {
				w := g.Values()[i]
				dot, a, b = dot+float64(v)*w, a+float64(v)*float64(v), b+w*w
			}
			cosine, ratio := dot/math.Sqrt(a*b), math.Sqrt(a/b)
			if !(cosine >= 0.99) || !(math.Abs(ratio-1) <= 0.02) {
				t.Errorf("gradient of %s: cosine %.4f to PyTorch's, %.4f times as long", name, cosine, ratio)
			}
		}
	}
}
