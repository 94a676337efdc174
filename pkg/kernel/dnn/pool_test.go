package dnn

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"mmtools/pkg/kernel"
)

func TestMaxPool(t *testing.T) {
	each(t, func(t *testing.T, e Engine) {
		for _, c := range []struct {
			n int
			p kernel.Pool
		}{
			{2, kernel.Pool{In: kernel.Image{C: 3, H: 5, W: 7}, Window: kernel.Square(2, 2, 0)}},
			{3, kernel.Pool{In: kernel.Image{C: 16, H: 7, W: 10}, Window: kernel.Square(3, 2, 1)}},
			{2, kernel.Pool{In: kernel.Image{C: 32, H: 6, W: 9}, Window: kernel.Window{KH: 3, KW: 2, StrideH: 1, StrideW: 3, PadH: 2, PadW: 1}}},
			{1, kernel.Pool{In: kernel.Image{C: 16, H: 1, W: 40}, Window: kernel.Window{KH: 1, KW: 200, StrideH: 1, StrideW: 1, PadH: 0, PadW: 100}}},
			{2, kernel.Pool{In: kernel.Image{C: 64, H: 112, W: 112}, Window: kernel.Square(3, 2, 1)}},
		} {
			if testing.Short() && c.n*c.p.In.Size() > 1e5 {
				continue
			}
			t.Run(fmt.Sprintf("%dx%v", c.n, c.p.In), func(t *testing.T) {
				if err := c.p.Check(); err != nil {
					t.Fatal(err)
				}
				r := rand.New(rand.NewPCG(7, 8))
				out := c.p.Out()
				x, dy := random(r, c.n*c.p.In.Size()), random(r, c.n*out.Size())
				for j := range x {
					x[j] = math.Round(x[j] * 2) // many are equal: the first must win
				}
				wantY, wantDX := make([]float64, len(dy)), make([]float64, len(x))
				for j := range dy {
					ow, oh, ch, n := j%out.W, j/out.W%out.H, j/(out.W*out.H)%out.C, j/out.Size()
					best, where := math.Inf(-1), -1
					for kh := range c.p.KH {
						for kw := range c.p.KW {
							h, w := oh*c.p.StrideH-c.p.PadH+kh, ow*c.p.StrideW-c.p.PadW+kw
							if h < 0 || w < 0 || h >= c.p.In.H || w >= c.p.In.W {
								continue
							}
							if v := at(x, c.p.In, n, ch, h, w); v > best {
								best, where = v, ((n*out.C+ch)*c.p.In.H+h)*c.p.In.W+w
							}
						}
					}
					wantY[j] = best
					wantDX[where] += dy[j]
				}
				y, index, dx := memory(len(dy)), memory(c.p.Indices(c.n)), memory(len(x))
				e.MaxPool(y, index, put(x, c.p.In), c.n, c.p)
				e.MaxPoolGrad(dx, put(dy, out), index, c.n, c.p)
				near(t, "y", get(y, out), wantY, 0)
				near(t, "dx", get(dx, c.p.In), wantDX, 1e-6)
			})
		}
	})
}

func TestMaxPoolKeepsNaN(t *testing.T) {
	each(t, func(t *testing.T, e Engine) {
		for _, channels := range []int{3, 16} {
			p := kernel.Pool{In: kernel.Image{C: channels, H: 4, W: 4}, Window: kernel.Square(3, 2, 1)}
			x, y, index := memory(p.In.Size()), memory(p.Out().Size()), memory(p.Indices(1))
			x[0] = float32(math.NaN())
			e.MaxPool(y, index, x, 1, p)
			if y[0] == y[0] || y[len(y)-1] != 0 {
				t.Errorf("%d channels: got %g and %g, want NaN and 0", channels, y[0], y[len(y)-1])
			}
		}
	})
}

func TestAveragePool(t *testing.T) {
	each(t, func(t *testing.T, e Engine) {
		for _, m := range maps {
			if testing.Short() && m.n*m.i.Size() > 1e5 {
				continue
			}
			for _, frames := range []int{1, 3} {
				r := rand.New(rand.NewPCG(9, 10))
				x, dy := random(r, m.n*frames*m.i.Size()), random(r, m.n*m.i.C)
				wantY, wantDX := make([]float64, len(dy)), make([]float64, len(x))
				count := float64(frames * m.i.H * m.i.W)
				for j, v := range x {
					to := j/(frames*m.i.Size())*m.i.C + channelOf(m.i, j)
					wantY[to] += v / count
					wantDX[j] = dy[to] / count
				}
				y, dx := memory(len(dy)), memory(len(x))
				e.AveragePool(y, put(x, m.i), m.n, frames, m.i)
				e.AveragePoolGrad(dx, narrow(dy), m.n, frames, m.i)
				near(t, fmt.Sprintf("%dx%v y", m.n, m.i), widen(y), wantY, 1e-6)
				near(t, fmt.Sprintf("%dx%v dx", m.n, m.i), get(dx, m.i), wantDX, 1e-6)
			}
		}
	})
}

func TestArrange(t *testing.T) {
	each(t, func(t *testing.T, e Engine) {
		for _, m := range maps {
			if testing.Short() && m.n*m.i.Size() > 1e5 {
				continue
			}
			x := random(rand.New(rand.NewPCG(12, 13)), m.n*m.i.Size())
			y, back := memory(len(x)), memory(len(x))
			e.Arrange(y, narrow(x), m.n, m.i)
			near(t, "arranged", widen(y), widen(put(x, m.i)), 0)
			e.ArrangePlain(back, y, m.n, m.i)
			near(t, "back", widen(back), x, 0)
		}
	})
}
