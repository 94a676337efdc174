package cpu

import (
	"fmt"
	"math"
	"testing"

	"mmtools/pkg/kernel"
	"mmtools/pkg/rng"
)

// fusionCase is a batch of features with a mask in which NaN and Inf stand wherever a feature is masked.
type fusionCase struct {
	m      int
	widths []int
	x      [][]float32 // x[p] (M,widths[p])
	keep   []float32   // (M,P)
}

func fusionCases(equal bool) []fusionCase {
	var cases []fusionCase
	r := rng.Stream(1, "fusion", equal)
	for _, m := range []int{1, 2, 13, 64, 257} {
		for _, widths := range [][]int{{5}, {512, 512}, {7, 16, 33}, {7, 0, 33}, {1, 2, 3, 4, 5, 6, 7}} {
			c := fusionCase{m: m, widths: append([]int(nil), widths...), keep: make([]float32, m*len(widths))}
			for i := range c.keep {
				c.keep[i] = float32(r.IntN(2))
			}
			for p := range c.widths {
				if equal {
					c.widths[p] = widths[0]
				}
				x := uniform(r, m*c.widths[p])
				for i := range x {
					if c.keep[i/c.widths[p]*len(widths)+p] == 0 {
						x[i] = []float32{float32(math.NaN()), float32(math.Inf(1)), 3}[i%3]
					}
				}
				c.x = append(c.x, x)
			}
			cases = append(cases, c)
		}
	}
	return cases
}

func (c fusionCase) upload(t *testing.T, d *Device) (x []kernel.Buffer, keep kernel.Buffer) {
	for _, f := range c.x {
		x = append(x, upload(t, d, f))
	}
	return x, upload(t, d, c.keep)
}

func eachFusion(t *testing.T, equal bool, test func(t *testing.T, d *Device, c fusionCase)) {
	for _, threads := range threadCounts {
		d := open(t, threads)
		for _, c := range fusionCases(equal) {
			t.Run(fmt.Sprintf("threads %d M%d %v", threads, c.m, c.widths), func(t *testing.T) { test(t, d, c) })
		}
	}
}

func TestMaskedConcat(t *testing.T) {
	eachFusion(t, false, func(t *testing.T, d *Device, c fusionCase) {
		var want []float32
		for i := range c.m {
			for p, width := range c.widths {
				if c.keep[i*len(c.widths)+p] == 1 {
					want = append(want, c.x[p][i*width:(i+1)*width]...)
				} else {
					want = append(want, make([]float32, width)...)
				}
			}
		}
		y := output(t, d, len(want))
		x, keep := c.upload(t, d)
		d.MaskedConcat(y, x, c.widths, keep, c.m)
		same(t, "y", download(d, y), want)
	})
}

func TestMaskedSum(t *testing.T) {
	eachFusion(t, true, func(t *testing.T, d *Device, c fusionCase) {
		n := c.widths[0]
		want := make([]float32, c.m*n)
		for i := range want {
			for p := range c.x {
				if c.keep[i/n*len(c.x)+p] == 1 {
					want[i] += c.x[p][i]
				}
			}
		}
		y := output(t, d, len(want))
		x, keep := c.upload(t, d)
		d.MaskedSum(y, x, keep, c.m, n)
		same(t, "y", download(d, y), want)
	})
}

func TestMaskedSlice(t *testing.T) {
	eachFusion(t, false, func(t *testing.T, d *Device, c fusionCase) {
		total, from := 0, 0
		for _, width := range c.widths {
			total += width
		}
		dy := uniform(rng.Stream(1, "dy"), c.m*total)
		_, keep := c.upload(t, d)
		for p, width := range c.widths {
			want := make([]float32, c.m*width)
			for i := range want {
				if row := i / width; c.keep[row*len(c.widths)+p] == 1 {
					want[i] = dy[row*total+from+i%width]
				} else {
					dy[row*total+from+i%width] = float32(math.Inf(-1))
				}
			}
			dx := output(t, d, len(want))
			d.MaskedSlice(dx, upload(t, d, dy), keep, nil, c.m, total, from, width, p, len(c.widths))
			same(t, fmt.Sprintf("dx of %d", p), download(d, dx), want)

			y := uniform(rng.Stream(1, "y"), len(want))
			for i := range y {
				if i%3 == 0 {
					y[i] = []float32{0, float32(math.NaN()), float32(math.Copysign(0, -1))}[i/3%3]
				}
				if !(y[i] > 0) {
					want[i] = 0
				}
			}
			dx = output(t, d, len(want))
			d.MaskedSlice(dx, upload(t, d, dy), keep, upload(t, d, y), c.m, total, from, width, p, len(c.widths))
			same(t, fmt.Sprintf("dx of %d behind a ReLU", p), download(d, dx), want)
			from += width
		}
	})
}
