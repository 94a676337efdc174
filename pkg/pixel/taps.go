package pixel

import "math"

// taps are the weights of one side of a resizing: output i is the sum over k < width of weight[i*width+k] * input[first[i]+k].
type taps struct {
	first  []int32
	weight []float64
	width  int
}

// plan computes the taps of the outputs from cut on, and before cut+n, of length pixels resized to out. Every output has as many
// taps, all of them pixels that are there; those that its filter does not reach weigh nothing.
func (t *taps) plan(length, out, cut, n int) {
	scale := float64(length) / float64(out)
	support := math.Max(scale, 1)
	t.width = 0
	for i := range n {
		first, end, _ := window(length, scale, support, cut+i)
		t.width = max(t.width, end-first)
	}
	t.first, t.weight = t.first[:0], t.weight[:0]
	for i := range n {
		first, end, center := window(length, scale, support, cut+i)
		from := min(first, length-t.width)
		t.first = append(t.first, int32(from))
		start, sum := len(t.weight), 0.0
		for k := from; k < from+t.width; k++ {
			w := 0.0
			if first <= k && k < end {
				// The reciprocal, as PIL has it: a division would round another way.
				w = math.Max(0, 1-math.Abs((float64(k)-center+0.5)*(1/support)))
			}
			sum += w
			t.weight = append(t.weight, w)
		}
		for k := start; k < len(t.weight); k++ {
			t.weight[k] /= sum
		}
	}
}

// window returns the pixels that output i's filter reaches, end not included, and its centre.
func window(length int, scale, support float64, i int) (first, end int, center float64) {
	center = (float64(i) + 0.5) * scale
	return max(0, int(center-support+0.5)), min(length, int(center+support+0.5)), center
}
