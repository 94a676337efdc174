package pixel

// Box is a part of a picture, in pixels.
type Box struct{ Top, Left, Height, Width int }

// Planes resizes parts of planes of float32. The zero value is ready for Plan.
type Planes struct {
	rows, columns taps
	row, column   []float32 // the weights, rounded
	part          Box
	middle        []float32 // (h,W)
}

// Plan prepares to resize the part b of planes w pixels wide to height by width. What lies outside of b does not enter, as after a crop.
func (p *Planes) Plan(w int, b Box, height, width int) {
	p.part = b
	p.rows.plan(b.Height, height, 0, height)
	p.columns.plan(b.Width, width, 0, width)
	p.row, p.column = rounded(p.row[:0], p.rows.weight), rounded(p.column[:0], p.columns.weight)
	if need := height * w; cap(p.middle) < need {
		p.middle = make([]float32, need)
	}
}

func rounded(dst []float32, weight []float64) []float32 {
	for _, w := range weight {
		dst = append(dst, float32(w))
	}
	return dst
}

// Resize resizes one plane: src (H,W) to dst (h,w), mirrored where flip is set.
func (p *Planes) Resize(dst, src []float32, w int, flip bool) {
	outH, outW := len(p.rows.first), len(p.columns.first)
	for i, first := range p.rows.first {
		out := p.middle[i*w : (i+1)*w]
		clear(out)
		for k, weight := range p.row[i*p.rows.width:][:p.rows.width] {
			if weight == 0 {
				continue
			}
			for x, v := range src[(p.part.Top+int(first)+k)*w:][:w] {
				out[x] += weight * v
			}
		}
	}
	for i := range outH {
		in, out := p.middle[i*w+p.part.Left:][:p.part.Width], dst[i*outW:][:outW]
		for x, first := range p.columns.first {
			var sum float32
			for k, weight := range p.column[x*p.columns.width:][:p.columns.width] {
				if weight != 0 {
					sum += weight * in[int(first)+k]
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
