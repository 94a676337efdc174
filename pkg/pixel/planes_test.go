package pixel

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// reference resizes with the definition, in float64: out(i,j) = sum over pixels of their triangle weights, normalised.
func reference(src []float32, h, w int, b Box, outH, outW int) []float64 {
	weights := func(n, from, length, out, i int) []float64 {
		scale := float64(length) / float64(out)
		support := math.Max(1, scale)
		center := (float64(i) + 0.5) * scale
		ws, sum := make([]float64, n), 0.0
		for x := from; x < from+length; x++ {
			at := x - from
			ws[x] = math.Max(0, 1-math.Abs(float64(at)+0.5-center)/support)
			// The window's ends are rounded to whole pixels, as PIL's are.
			if at < int(center-support+0.5) || at >= int(center+support+0.5) {
				ws[x] = 0
			}
			sum += ws[x]
		}
		for x := range ws {
			ws[x] /= sum
		}
		return ws
	}
	out := make([]float64, outH*outW)
	for i := range outH {
		rows := weights(h, b.Top, b.Height, outH, i)
		for j := range outW {
			columns := weights(w, b.Left, b.Width, outW, j)
			for y := range h {
				for x := range w {
					out[i*outW+j] += rows[y] * columns[x] * float64(src[y*w+x])
				}
			}
		}
	}
	return out
}

func TestResizeEqualsItsDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, w := rapid.IntRange(1, 12).Draw(t, "h"), rapid.IntRange(1, 12).Draw(t, "w")
		outH, outW := rapid.IntRange(1, 12).Draw(t, "outH"), rapid.IntRange(1, 12).Draw(t, "outW")
		b := Box{Height: rapid.IntRange(1, h).Draw(t, "bh"), Width: rapid.IntRange(1, w).Draw(t, "bw")}
		b.Top = rapid.IntRange(0, h-b.Height).Draw(t, "top")
		b.Left = rapid.IntRange(0, w-b.Width).Draw(t, "left")
		src := make([]float32, h*w)
		for i := range src {
			src[i] = rapid.Float32Range(-100, 100).Draw(t, "pixel")
		}
		var r Planes
		r.Plan(w, b, outH, outW)
		got := make([]float32, outH*outW)
		r.Resize(got, src, w, false)
		for i, want := range reference(src, h, w, b, outH, outW) {
			if math.Abs(float64(got[i])-want) > 1e-3 {
				t.Fatalf("pixel %d: got %v, want %v", i, got[i], want)
			}
		}
	})
}

// The numbers are torch 1.13's: interpolate(x, size, mode="bilinear", align_corners=False, antialias=True).
func TestResizeEqualsTorch(t *testing.T) {
	const h, w = 7, 9
	src := make([]float32, h*w)
	for i := range h {
		for j := range w {
			src[i*w+j] = float32((3*i*i + 7*j + i*j) % 50)
		}
	}
	for _, c := range []struct {
		h, w int
		want []float64
	}{
		{4, 5, []float64{6.1565, 17.8452, 31.3922, 28.9464, 20.8435, 19.5886, 29.32, 30.6024, 20.87, 24.8514, 30.76, 27.225, 25.0824, 23.8,
			26.3543, 23.1293, 34.625, 22.6975, 34.0893, 24.4966}},
		{10, 3, []float64{8.75, 28.0, 34.75, 11.0875, 28.7944, 22.925, 15.5625, 29.9167, 15.625, 22.7375, 31.2389, 22.275, 29.75, 25.6278,
			28.7625, 30.1, 23.5278, 28.5875, 24.725, 25.4944, 22.375, 31.375, 27.75, 24.125, 29.475, 27.7056, 28.575, 24.25, 26.6667, 33.25}},
	} {
		var r Planes
		r.Plan(w, Box{Height: h, Width: w}, c.h, c.w)
		got := make([]float32, c.h*c.w)
		r.Resize(got, src, w, false)
		for i, want := range c.want {
			if math.Abs(float64(got[i])-want) > 1e-4 {
				t.Errorf("%dx%d, pixel %d: got %v, PyTorch has %v", c.h, c.w, i, got[i], want)
			}
		}
	}
}
