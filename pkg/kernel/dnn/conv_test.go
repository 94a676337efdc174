package dnn

import (
	"math/rand/v2"
	"testing"

	"mmtools/pkg/kernel"
)

// convolutions are shapes at the edges (odd sizes, plain and blocked maps mixed, windows and strides that differ, places
// that do not divide by a tile) and layers of ResNet-18.
var convolutions = []struct {
	n int
	c kernel.Conv
}{
	{1, kernel.Conv{In: kernel.Image{C: 1, H: 1, W: 1}, K: 1, Window: kernel.Square(1, 1, 0)}},
	{2, kernel.Conv{In: kernel.Image{C: 3, H: 7, W: 5}, K: 4, Window: kernel.Square(3, 1, 1)}},
	{3, kernel.Conv{In: kernel.Image{C: 2, H: 9, W: 8}, K: 5, Window: kernel.Window{KH: 3, KW: 2, StrideH: 2, StrideW: 3, PadH: 1, PadW: 0}}},
	{2, kernel.Conv{In: kernel.Image{C: 3, H: 19, W: 23}, K: 32, Window: kernel.Square(7, 2, 3)}},
	{2, kernel.Conv{In: kernel.Image{C: 1, H: 33, W: 18}, K: 64, Window: kernel.Square(7, 2, 3)}},
	{2, kernel.Conv{In: kernel.Image{C: 3, H: 10, W: 45}, K: 64, Window: kernel.Square(7, 2, 3)}},
	{3, kernel.Conv{In: kernel.Image{C: 2, H: 9, W: 29}, K: 32, Window: kernel.Window{KH: 7, KW: 7, StrideH: 1, StrideW: 2, PadH: 0, PadW: 3}}},
	{2, kernel.Conv{In: kernel.Image{C: 16, H: 5, W: 6}, K: 3, Window: kernel.Square(3, 1, 1)}},
	{5, kernel.Conv{In: kernel.Image{C: 16, H: 7, W: 7}, K: 48, Window: kernel.Square(1, 2, 0)}},
	{3, kernel.Conv{In: kernel.Image{C: 32, H: 9, W: 13}, K: 32, Window: kernel.Square(3, 2, 1)}},
	{7, kernel.Conv{In: kernel.Image{C: 32, H: 14, W: 13}, K: 80, Window: kernel.Square(3, 1, 1)}},
	{9, kernel.Conv{In: kernel.Image{C: 48, H: 5, W: 8}, K: 32, Window: kernel.Square(3, 1, 1)}},
	{6, kernel.Conv{In: kernel.Image{C: 32, H: 9, W: 6}, K: 48, Window: kernel.Square(3, 1, 1)}},
	{4, kernel.Conv{In: kernel.Image{C: 48, H: 1, W: 37}, K: 32, Window: kernel.Window{KH: 1, KW: 5, StrideH: 1, StrideW: 2, PadH: 0, PadW: 2}}},
	{1, kernel.Conv{In: kernel.Image{C: 64, H: 56, W: 56}, K: 64, Window: kernel.Square(3, 1, 1)}},
	{8, kernel.Conv{In: kernel.Image{C: 128, H: 7, W: 7}, K: 128, Window: kernel.Square(3, 1, 1)}},
	{9, kernel.Conv{In: kernel.Image{C: 32, H: 14, W: 13}, K: 80, Window: kernel.Square(3, 2, 1)}},
	{3, kernel.Conv{In: kernel.Image{C: 48, H: 33, W: 25}, K: 32, Window: kernel.Square(3, 2, 1)}},
	{7, kernel.Conv{In: kernel.Image{C: 32, H: 17, W: 12}, K: 64, Window: kernel.Square(3, 2, 1)}},
	{1, kernel.Conv{In: kernel.Image{C: 32, H: 56, W: 56}, K: 48, Window: kernel.Square(3, 2, 1)}},
}

// Winograd's results are off by 1e-6 to 3e-6 of the largest, the others' by 3e-7.
const convTolerance = 1e-5

func TestConv(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	type want struct{ x, w, dy, y, dx, dw []float64 }
	wants := make([]want, len(convolutions))
	for j, s := range convolutions {
		if err := s.c.Check(); err != nil {
			t.Fatal(err)
		}
		if testing.Short() && s.c.Flops(s.n) > 1e7 {
			continue // the reference is slow
		}
		in, out := s.n*s.c.In.Size(), s.n*s.c.Out().Size()
		v := want{random(r, in), random(r, s.c.Weights()), random(r, out), make([]float64, out), make([]float64, in), make([]float64, s.c.Weights())}
		eachProduct(s.n, s.c, func(weight, in, out int) {
			v.y[out] += v.w[weight] * v.x[in]
			v.dx[in] += v.w[weight] * v.dy[out]
			v.dw[weight] += v.dy[out] * v.x[in]
		})
		wants[j] = v
	}
	each(t, func(t *testing.T, e Engine) {
		for j, s := range convolutions {
			t.Run(name(s.n, s.c), func(t *testing.T) {
				v := wants[j]
				if v.y == nil {
					t.Skip("short: the reference is slow")
				}
				x, w, dy := put(v.x, s.c.In), narrow(v.w), put(v.dy, s.c.Out())
				y, dx, dw := memory(len(v.y)), memory(len(v.x)), memory(len(v.w))
				for range 2 { // the second call takes what the first has planned
					clear(y)
					clear(dx)
					e.Conv(y, x, w, s.n, s.c)
					e.ConvGradInput(dx, dy, w, s.n, s.c)
					e.ConvGradWeight(dw, dy, x, s.n, s.c)
					near(t, "y", get(y, s.c.Out()), v.y, convTolerance)
					near(t, "dx", get(dx, s.c.In), v.dx, convTolerance)
					near(t, "dw", widen(dw), v.dw, convTolerance)
				}
				near(t, "x after", get(x, s.c.In), v.x, 0)
				near(t, "w after", widen(w), v.w, 0)
				fewer(t, e, s.n, s.c, x, w, y)
			})
		}
	})
}

// fewer checks that of fewer images the results are the same and no more is written.
func fewer(t *testing.T, e Engine, n int, c kernel.Conv, x, w, y []float32) {
	t.Helper()
	if n == 1 {
		return
	}
	size := c.Out().Size()
	again := memory(n * size)
	for i := range again {
		again[i] = 7
	}
	e.Conv(again, x, w, n-1, c)
	near(t, "fewer images", get(again[:(n-1)*size], c.Out()), get(y[:(n-1)*size], c.Out()), convTolerance)
	for i, v := range again[(n-1)*size:] {
		if v != 7 {
			t.Fatalf("fewer images: wrote element %d past their end", i)
		}
	}
}

func TestConvAffine(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	each(t, func(t *testing.T, e Engine) {
		for _, s := range convolutions[1 : len(convolutions)-1] {
			if s.c.In.C == 64 {
				s.c.In.H, s.c.In.W = 12, 15 // the reference is slow
			}
			if testing.Short() && s.c.Flops(s.n) > 1e7 {
				continue
			}
			t.Run(name(s.n, s.c), func(t *testing.T) {
				o := s.c.Out()
				x, w, scale, shift := random(r, s.n*s.c.In.Size()), random(r, s.c.Weights()), random(r, s.c.K), random(r, s.c.K)
				residual, product := random(r, s.n*o.Size()), make([]float64, s.n*o.Size())
				eachProduct(s.n, s.c, func(weight, in, out int) { product[out] += w[weight] * x[in] })
				for _, c := range []struct {
					name                    string
					residual, inPlace, relu bool
				}{{"plain", false, false, false}, {"relu", false, false, true}, {"residual", true, false, false}, {"residual, relu", true, false, true}, {"in place", true, true, true}} {
					want := make([]float64, len(product))
					for j, v := range product {
						k := channelOf(o, j)
						want[j] = scale[k]*v + shift[k]
						if c.residual {
							want[j] += residual[j]
						}
						want[j] = rectify(want[j], c.relu)
					}
					y, add := memory(len(want)), []float32(nil)
					if c.residual {
						add = put(residual, o)
					}
					if c.inPlace {
						y = add
					}
					e.ConvAffine(y, put(x, s.c.In), narrow(w), narrow(scale), narrow(shift), add, s.n, s.c, c.relu)
					near(t, c.name, get(y, o), want, convTolerance)
					if c.residual && !c.inPlace {
						near(t, c.name+": residual after", get(add, o), residual, 0)
					}
				}
			})
		}
	})
}
