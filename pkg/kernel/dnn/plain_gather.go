package dnn

import "mmtools/pkg/kernel"

// gather writes the columns of count places from q on to dst, (C*KH*KW, count), 0 where the window sees padding.
func gather(dst, x []float32, n, q, count int, c kernel.Conv) {
	row := 0
	for ch := range c.In.C {
		start, step := plane(c.In, n, ch)
		for kh := range c.KH {
			for kw := range c.KW {
				gatherRow(dst[row*count:][:count], x[start:], step, q, kh, kw, c)
				row++
			}
		}
	}
}

// gatherRow writes what pixel (kh,kw) of the window sees at places from q on. x begins with the channel.
func gatherRow(dst, x []float32, step, q, kh, kw int, c kernel.Conv) {
	out := c.Out()
	oh, ow := q/out.W, q%out.W
	for j := range dst {
		h, w := oh*c.StrideH-c.PadH+kh, ow*c.StrideW-c.PadW+kw
		dst[j] = 0
		if uint(h) < uint(c.In.H) && uint(w) < uint(c.In.W) {
			dst[j] = x[(h*c.In.W+w)*step]
		}
		if ow++; ow == out.W {
			oh, ow = oh+1, 0
		}
	}
}

// scatter adds src, row d of the columns of places from q on, to what it was gathered from.
func scatter(dx, src []float32, n, d, q int, c kernel.Conv) {
	out := c.Out()
	kw, kh, ch := d%c.KW, d/c.KW%c.KH, d/(c.KW*c.KH)
	start, step := plane(c.In, n, ch)
	oh, ow := q/out.W, q%out.W
	for _, v := range src {
		h, w := oh*c.StrideH-c.PadH+kh, ow*c.StrideW-c.PadW+kw
		if uint(h) < uint(c.In.H) && uint(w) < uint(c.In.W) {
			dx[start+(h*c.In.W+w)*step] += v
		}
		if ow++; ow == out.W {
			oh, ow = oh+1, 0
		}
	}
}

// gatherRows writes count pixels from q on of channels from (inclusive) to to (exclusive) to dst, (to-from, count).
func gatherRows(dst, x []float32, n, from, to, q, count int, i kernel.Image) {
	for c := from; c < to; c++ {
		start, step := plane(i, n, c)
		row, at := dst[(c-from)*count:][:count], start+q*step
		for j := range row {
			row[j] = x[at]
			at += step
		}
	}
}
