package augment

import (
	"math"
	"math/rand/v2"

	"mmtools/pkg/pixel"
)

// Worker prepares samples of one shape, one at a time.
type Worker struct {
	t       Transform
	in, out frames
	resize  pixel.Planes
}

// NewWorker returns a worker for samples of the given shape, (C,H,W) or (T,C,H,W).
func (t Transform) NewWorker(shape []int) (*Worker, error) {
	in, err := framesOf(shape)
	if err != nil {
		return nil, err
	}
	return &Worker{t: t, in: in, out: t.out(in)}, nil
}

// Evaluate prepares src, (T,C,H,W), as an evaluation does: the same every time. dst (n,C,h,w).
func (w *Worker) Evaluate(dst, src []float32) {
	w.run(dst, src, w.whole(), false, func(first, n int) int { return first + n/2 })
}

// Train prepares src, (T,C,H,W), with what it draws from r. dst (n,C,h,w).
func (w *Worker) Train(dst, src []float32, r *rand.Rand) {
	part, flip := w.whole(), false
	if w.t.Crop {
		part = randomBox(w.in.h, w.in.w, r)
	}
	if w.t.Flip {
		flip = r.IntN(2) == 1
	}
	w.run(dst, src, part, flip, func(first, n int) int { return first + r.IntN(n) })
}

func (w *Worker) whole() pixel.Box { return pixel.Box{Height: w.in.h, Width: w.in.w} }

// run prepares the frames that choose picks, one of n from first on in each segment.
func (w *Worker) run(dst, src []float32, part pixel.Box, flip bool, choose func(first, n int) int) {
	in, out := w.in, w.out
	as := part == w.whole() && in.h == out.h && in.w == out.w && !flip
	if !as {
		w.resize.Plan(in.w, part, out.h, out.w)
	}
	for s := range out.t {
		frame := s
		if out.t != in.t {
			first, end := s*in.t/out.t, (s+1)*in.t/out.t
			frame = choose(first, max(1, end-first))
		}
		for c := range in.c {
			from := src[(frame*in.c+c)*in.h*in.w:][:in.h*in.w]
			to := dst[(s*in.c+c)*out.h*out.w:][:out.h*out.w]
			if as {
				copy(to, from)
				continue
			}
			w.resize.Resize(to, from, in.w, flip)
		}
	}
}

// randomBox draws a part of a frame: 8 % to 100 % of its area, side ratio 3/4 to 4/3, log-uniform, ten tries; then the
// largest middle part within those ratios (torchvision.transforms.RandomResizedCrop).
func randomBox(h, w int, r *rand.Rand) pixel.Box {
	low, high := math.Log(3.0/4), math.Log(4.0/3)
	for range 10 {
		area := float64(h*w) * (0.08 + 0.92*r.Float64())
		ratio := math.Exp(low + (high-low)*r.Float64())
		bw, bh := int(math.Round(math.Sqrt(area*ratio))), int(math.Round(math.Sqrt(area/ratio)))
		if bw >= 1 && bh >= 1 && bw <= w && bh <= h {
			return pixel.Box{Top: r.IntN(h - bh + 1), Left: r.IntN(w - bw + 1), Height: bh, Width: bw}
		}
	}
	bw, bh := w, h
	switch ratio := float64(w) / float64(h); {
	case ratio < 3.0/4:
		bh = max(1, int(math.Round(float64(w)/(3.0/4))))
	case ratio > 4.0/3:
		bw = max(1, int(math.Round(float64(h)*(4.0/3))))
	}
	return pixel.Box{Top: (h - bh) / 2, Left: (w - bw) / 2, Height: bh, Width: bw}
}
