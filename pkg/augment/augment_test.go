package augment

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"mmtools/pkg/pixel"
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
		if b.Top < 0 || b.Left < 0 || b.Height < 1 || b.Width < 1 || b.Top+b.Height > h || b.Left+b.Width > w {
			t.Fatalf("box %+v of a frame of %v by %v", b, h, w)
		}
	})
}

// Boxes of a large square are drawn as published (torchvision's RandomResizedCrop, scale 0.08 to 1, ratio 3/4 to 4/3): before those that
// do not fit are drawn again, area is uniform and the logarithm of the ratio is. Of areas below 3/4 of the frame every ratio fits, so
// there both stay uniform; where a box lies is uniform among the places that it has.
func TestRandomBoxIsAsPublished(t *testing.T) {
	const side, draws = 1000, 40_000
	var area, ratio, place []float64
	r := rand.New(rand.NewPCG(5, 6))
	for range draws {
		b := randomBox(side, side, r)
		h, w := float64(b.Height), float64(b.Width)
		if share := h * w / (side * side); share < 0.75 {
			area = append(area, (share-0.08)/(0.75-0.08))
			ratio = append(ratio, (math.Log(w/h)/math.Log(4.0/3)+1)/2)
			place = append(place, (float64(b.Top)+0.5)/(side-h+1), (float64(b.Left)+0.5)/(side-w+1))
		}
	}
	// Of a larger share a fits only where |log ratio| is at most -log a: below 3/4 are small of the small and the others that fit.
	small, others := 0.75-0.08, (0.25+0.75*math.Log(0.75))/math.Log(4.0/3)
	if share, want := float64(len(area))/draws, small/(small+others); math.Abs(share-want) > 5*math.Sqrt(want*(1-want)/draws) {
		t.Errorf("%v of the boxes are below 3/4 of the frame, want %v", share, want)
	}
	for name, x := range map[string][]float64{"area": area, "logarithm of the ratio": ratio, "place": place} {
		// Kolmogorov and Smirnov's distance to the uniform distribution: above 1.95 / sqrt(n) once in a thousand; pixels round by 0.002.
		slices.Sort(x)
		n, distance := float64(len(x)), 0.0
		for i, v := range x {
			distance = max(distance, math.Abs(v-float64(i)/n), math.Abs(v-float64(i+1)/n))
		}
		if most := 1.95/math.Sqrt(n) + 0.002; distance > most {
			t.Errorf("%s: %v from uniform, want at most %v", name, distance, most)
		}
	}
	for _, c := range []struct {
		h, w int
		want pixel.Box
	}{{10, 1000, pixel.Box{Left: 493, Height: 10, Width: 13}}, {1000, 10, pixel.Box{Top: 493, Height: 13, Width: 10}}} {
		seen := false // of so long a frame most boxes fit in ten tries nowhere: then the middle
		for range 100 {
			seen = seen || randomBox(c.h, c.w, r) == c.want
		}
		if !seen {
			t.Errorf("%d by %d: the middle %+v is never drawn", c.h, c.w, c.want)
		}
	}
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
