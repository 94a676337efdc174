package pixel

// half is what rounds a sum of weighed pixels.
const half = 1 << (precision - 1)

// plainColumns resizes the columns of rows: src, rows of pixels of so many channels, to dst (C,rows,w).
func plainColumns(dst, src []uint8, stride, channels, rows int, s *side) {
	out := len(s.first)
	for y := range rows {
		row := src[y*stride:]
		for c := range channels {
			to := dst[(c*rows+y)*out:][:out]
			for x, first := range s.first {
				sum := int32(half)
				in := row[int(first)*channels+c:]
				for k, w := range s.fixed[x*s.width:][:s.width] {
					sum += w * int32(in[k*channels])
				}
				to[x] = clamp(sum)
			}
		}
	}
}

// plainRows resizes the rows of planes: src (C,rows,w) to C planes of rows stride apart in dst. The taps' first row is src's row 0.
func plainRows(dst []uint8, stride, plane int, src []uint8, channels, width, rows int, s *side) {
	for c := range channels {
		in := src[c*rows*width:][:rows*width]
		for y, first := range s.first {
			to := dst[c*plane+y*stride:][:width]
			from := in[(int(first)-s.reach0)*width:]
			weights := s.fixed[y*s.width:][:s.width]
			for x := range to {
				sum := int32(half)
				for k, w := range weights {
					sum += w * int32(from[k*width+x])
				}
				to[x] = clamp(sum)
			}
		}
	}
}

// clamp is the sum's pixel. It can pass 255 where a filter of thousands of taps rounds each.
func clamp(sum int32) uint8 { return uint8(min(sum>>precision, 255)) }
