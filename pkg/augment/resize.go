package augment

import "math"

// box is the part of a frame that is resized, in pixels.
type box struct{ top, left, height, width int }

// taps are the weights of one side of a resizing: output i is the sum over k of weight[i*width+k] * input[first[i]+k].
type taps struct {
	first  []int
	weight []float32
	width  int
}

// plan computes the taps that resize length pixels, from the pixel from on, to out pixels: a triangle filter of support
// max(1, length/out), normalised over the part (PIL's Image.resize with BILINEAR, after its crop).
func (t *taps) plan(from, length, out int) {
	scale := float64(length) / float64(out)
	support := math.Max(scale, 1)
	t.width = int(math.Ceil(support))*2 + 1
	t.first = t.first[:0]
	t.weight = t.weight[:0]
	for i := range out {
		center := (float64(i) + 0.5) * scale
		first := max(0, int(center-support+0.5))
		last := min(length, int(center+support+0.5)) // exclusive
		t.first = append(t.first, from+first)
		var sum float64
		start := len(t.weight)
		for k := range t.width {
			w := 0.0
			if first+k < last {
				w = math.Max(0, 1-math.Abs((float64(first+k)-center+0.5)/support))
			}
			sum += w
			t.weight = append(t.weight, float32(w))
		}
		for k := start; k < len(t.weight); k++ {
			t.weight[k] = float32(float64(t.weight[k]) / sum)
		}
	}
}

// resizer resizes parts of planes.
type resizer struct {
	rows, columns taps
	middle        []float32 // (h,W)
}

// plan prepares to resize the part b of planes w pixels wide to outH by outW.
func (r *resizer) plan(w int, b box, outH, outW int) {
	r.rows.plan(b.top, b.height, outH)
	r.columns.plan(b.left, b.width, outW)
	if need := outH * w; cap(r.middle) < need {
		r.middle = make([]float32, need)
	}
}

// plane resizes one plane: src (H,W) to dst (h,w), mirrored where flip is set.
func (r *resizer) plane(dst, src []float32, w int, flip bool) {
	outH, outW := len(r.rows.first), len(r.columns.first)
	for i, first := range r.rows.first {
		out := r.middle[i*w : (i+1)*w]
		clear(out)
		for k, weight := range r.rows.weight[i*r.rows.width:][:r.rows.width] {
			if weight == 0 {
				continue
			}
			for x, v := range src[(first+k)*w:][:w] {
				out[x] += weight * v
			}
		}
	}
	for i := range outH {
		in, out := r.middle[i*w:][:w], dst[i*outW:][:outW]
		for x, first := range r.columns.first {
			var sum float32
			for k, weight := range r.columns.weight[x*r.columns.width:][:r.columns.width] {
				if weight != 0 {
					sum += weight * in[first+k]
				}
			}
			if flip {
				out[outW-1-x] = sum
			} else {
				out[x] = sum
			}
		}
	}
}
