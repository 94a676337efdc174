package augment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for s, want := range map[string]Transform{
		"":                            {},
		"frames:3":                    {Frames: 3},
		"size:224":                    {Height: 224, Width: 224},
		"size:12x34,flip":             {Height: 12, Width: 34, Flip: true},
		"crop,frames:3,flip,size:8x8": {Frames: 3, Height: 8, Width: 8, Crop: true, Flip: true},
	} {
		got, err := Parse(s)
		if err != nil || got != want {
			t.Errorf("%q: got %+v, %v, want %+v", s, got, err, want)
		}
		if again, err := Parse(got.String()); err != nil || again != got {
			t.Errorf("%q: written %q, read back as %+v, %v", s, got.String(), again, err)
		}
	}
	for _, s := range []string{"frames", "frames:0", "frames:x", "size:", "size:3x", "size:-1", "crop:1", "zoom", "frames:3,,flip", "size:99999999"} {
		if got, err := Parse(s); err == nil {
			t.Errorf("%q: got %+v, want an error", s, got)
		}
	}
}

func TestShape(t *testing.T) {
	full := Transform{Frames: 3, Height: 8, Width: 6}
	for _, c := range []struct {
		t        Transform
		in, want []int
	}{
		{Transform{}, []int{7}, []int{7}},
		{full, []int{10, 3, 20, 30}, []int{3, 3, 8, 6}},
		{full, []int{3, 20, 30}, []int{3, 3, 8, 6}},
		{Transform{Height: 8, Width: 6}, []int{3, 20, 30}, []int{3, 8, 6}},
		{Transform{Flip: true}, []int{2, 1, 5, 5}, []int{2, 1, 5, 5}},
	} {
		got, err := c.t.Shape(c.in)
		if err != nil || fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("%v of %v: got %v, %v, want %v", c.t, c.in, got, err, c.want)
		}
	}
	if got, err := full.Shape([]int{5, 5}); err == nil {
		t.Errorf("a matrix has no frames: got %v", got)
	}
}

// reference resizes with the definition, in float64: out(i,j) = sum over pixels of their triangle weights, normalised.
func reference(src []float32, h, w int, b box, outH, outW int) []float64 {
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
		rows := weights(h, b.top, b.height, outH, i)
		for j := range outW {
			columns := weights(w, b.left, b.width, outW, j)
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
		b := box{height: rapid.IntRange(1, h).Draw(t, "bh"), width: rapid.IntRange(1, w).Draw(t, "bw")}
		b.top = rapid.IntRange(0, h-b.height).Draw(t, "top")
		b.left = rapid.IntRange(0, w-b.width).Draw(t, "left")
		src := make([]float32, h*w)
		for i := range src {
			src[i] = rapid.Float32Range(-100, 100).Draw(t, "pixel")
		}
		var r resizer
		r.plan(w, b, outH, outW)
		got := make([]float32, outH*outW)
		r.plane(got, src, w, false)
		for i, want := range reference(src, h, w, b, outH, outW) {
			if math.Abs(float64(got[i])-want) > 1e-3 {
				t.Fatalf("pixel %d: got %v, want %v", i, got[i], want)
			}
		}
	})
}

// ramp is a sample whose every frame holds its number in the first channel and a ramp from left to right in the second.
func ramp(frames, h, w int) []float32 {
	src := make([]float32, frames*2*h*w)
	for f := range frames {
		for y := range h {
			for x := range w {
				src[(f*2)*h*w+y*w+x] = float32(f)
				src[(f*2+1)*h*w+y*w+x] = float32(x)
			}
		}
	}
	return src
}

func TestEvaluateTakesTheMiddleFrames(t *testing.T) {
	const n = 3
	w, err := Transform{Frames: n, Height: 4, Width: 4, Crop: true, Flip: true}.NewWorker([]int{10, 2, 8, 8})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, n*2*4*4)
	w.Evaluate(dst, ramp(10, 8, 8))
	for s, want := range []float32{1, 4, 8} { // segments 0-2, 3-5, 6-9
		if got := dst[s*2*16]; got != want {
			t.Errorf("segment %d: frame %v, want %v", s, got, want)
		}
		if row := dst[(s*2+1)*16:][:4]; !(row[0] < row[1] && row[1] < row[2] && row[2] < row[3]) {
			t.Errorf("segment %d: an evaluation mirrored the frame: %v", s, row)
		}
	}
}

func TestTrainDraws(t *testing.T) {
	const n, draws = 3, 2000
	w, err := Transform{Frames: n, Height: 4, Width: 4, Crop: true, Flip: true}.NewWorker([]int{10, 2, 20, 20})
	if err != nil {
		t.Fatal(err)
	}
	src, dst := ramp(10, 20, 20), make([]float32, n*2*4*4)
	mirrored, frames := 0, map[float32]int{}
	for i := range draws {
		w.Train(dst, src, rand.New(rand.NewPCG(1, uint64(i))))
		first := dst[16:][:4]
		if first[0] > first[3] {
			mirrored++
		}
		for s := range n {
			frame := float32(math.Round(float64(dst[s*2*16])))
			frames[frame]++
			if low, high := float32(s*10/3), float32((s+1)*10/3); frame < low || frame >= high {
				t.Fatalf("segment %d: frame %v, want from %v, below %v", s, frame, low, high)
			}
			if now := dst[(s*2+1)*16:][:4]; (now[0] > now[3]) != (first[0] > first[3]) {
				t.Fatal("one frame was mirrored and another not")
			}
		}
	}
	// 2,000 fair draws: 1,000 with deviation 22; six deviations.
	if mirrored < 1000-134 || mirrored > 1000+134 {
		t.Errorf("%d of %d mirrored", mirrored, draws)
	}
	for f := range 10 {
		if frames[float32(f)] == 0 {
			t.Errorf("frame %d was never drawn", f)
		}
	}
}

func TestRandomBoxIsInside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h, w := rapid.IntRange(1, 300).Draw(t, "h"), rapid.IntRange(1, 300).Draw(t, "w")
		b := randomBox(h, w, rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1)))
		if b.top < 0 || b.left < 0 || b.height < 1 || b.width < 1 || b.top+b.height > h || b.left+b.width > w {
			t.Fatalf("box %+v of a frame of %v by %v", b, h, w)
		}
	})
}

func TestWithoutChangeIsACopy(t *testing.T) {
	src := ramp(2, 5, 3)
	w, err := Transform{}.NewWorker([]int{2, 2, 5, 3})
	if err != nil {
		t.Fatal(err)
	}
	dst := make([]float32, len(src))
	w.Evaluate(dst, src)
	if fmt.Sprint(dst) != fmt.Sprint(src) {
		t.Error("a transform that changes nothing changed the sample")
	}
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
		var r resizer
		r.plan(w, box{height: h, width: w}, c.h, c.w)
		got := make([]float32, c.h*c.w)
		r.plane(got, src, w, false)
		for i, want := range c.want {
			if math.Abs(float64(got[i])-want) > 1e-4 {
				t.Errorf("%dx%d, pixel %d: got %v, PyTorch has %v", c.h, c.w, i, got[i], want)
			}
		}
	}
}
