package media

import "image"

// ycc writes colours of luma and chroma planes to the canvas. Chroma of half the size is interpolated as libjpeg ("fancy upsampling")
// or libwebp do: a near sample weighs 3/4 and a far one 1/4, along each side that was halved.
func (c *canvas) ycc(src *image.YCbCr, webp bool) {
	height, width := src.Rect.Dy(), src.Rect.Dx()
	pix := c.shape(height, width, 3)
	h, v := 1, 1
	switch src.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		h = 2
	case image.YCbCrSubsampleRatio420:
		h, v = 2, 2
	case image.YCbCrSubsampleRatio440:
		v = 2
	case image.YCbCrSubsampleRatio411:
		h = 4
	case image.YCbCrSubsampleRatio410:
		h, v = 4, 2
	}
	if need := width + 4; len(c.cb) < need {
		c.cb, c.cr = make([]uint8, need), make([]uint8, need)
	}
	for y := range height {
		for i, plane := range [2][]uint8{src.Cb, src.Cr} {
			near := y / v
			far := near
			if v == 2 {
				far = max(0, min(near+2*(y%2)-1, (height+1)/2-1))
			}
			row := func(r int) []uint8 { return plane[r*src.CStride:][:(width+h-1)/h] }
			to := [2][]uint8{c.cb, c.cr}[i]
			switch {
			case webp:
				upsampleWebP(to, row(near), row(far))
			case h == 2 && v == 2 && width > 4:
				upsample420(to, row(near), row(far))
			case h == 2 && v == 1 && width > 4:
				upsample422(to, row(near))
			case h == 1 && v == 2:
				upsample440(to, row(near), row(far), uint16(1+y%2))
			default: // as libjpeg does where a plane is too narrow, or a quarter as wide
				for x := range width {
					to[x] = row(near)[x/h]
				}
			}
		}
		luma, out := src.Y[y*src.YStride:][:width], pix[3*y*width:][:3*width]
		if webp {
			convertWebP(out, luma, c.cb, c.cr)
		} else {
			convertJPEG(out, luma, c.cb, c.cr)
		}
	}
}

// upsample422 doubles a row (libjpeg's h2v1_fancy_upsample).
func upsample422(dst, in []uint8) {
	for x, v := range in {
		left, right := in[max(x-1, 0)], in[min(x+1, len(in)-1)]
		dst[2*x] = uint8((3*uint16(v) + uint16(left) + 1) >> 2)
		dst[2*x+1] = uint8((3*uint16(v) + uint16(right) + 2) >> 2)
	}
}

// upsample440 joins two rows (h1v2_fancy_upsample); bias is 1 for the upper of two rows and 2 for the lower.
func upsample440(dst, near, far []uint8, bias uint16) {
	for x, v := range near {
		dst[x] = uint8((3*uint16(v) + uint16(far[x]) + bias) >> 2)
	}
}

// upsample420 joins two rows and doubles them (h2v2_fancy_upsample).
func upsample420(dst, near, far []uint8) {
	sum := func(x int) uint16 { return 3*uint16(near[x]) + uint16(far[x]) }
	for x := range near {
		v := 3 * sum(x)
		dst[2*x] = uint8((v + sum(max(x-1, 0)) + 8) >> 4)
		dst[2*x+1] = uint8((v + sum(min(x+1, len(near)-1)) + 7) >> 4)
	}
}

// upsampleWebP joins two rows and doubles them (libwebp, src/dsp/upsampling.c).
func upsampleWebP(dst, near, far []uint8) {
	end := func(x int) uint8 { return uint8((3*uint16(near[x]) + uint16(far[x]) + 2) >> 2) }
	dst[0] = end(0)
	for x := 1; x < len(near); x++ {
		nl, nr, fl, fr := uint16(near[x-1]), uint16(near[x]), uint16(far[x-1]), uint16(far[x])
		all := nl + nr + fl + fr + 8
		dst[2*x-1] = uint8(((all+2*(nr+fl))>>3 + nl) >> 1)
		dst[2*x] = uint8(((all+2*(nl+fr))>>3 + nr) >> 1)
	}
	dst[2*len(near)-1] = end(len(near) - 1)
}

// convertJPEG is JFIF's conversion in the integers of libjpeg (jdcolor.c).
func convertJPEG(dst, luma, cb, cr []uint8) {
	for x, v := range luma {
		y, b, r := int32(v), int32(cb[x])-128, int32(cr[x])-128
		dst[3*x] = clip(y + (91881*r+1<<15)>>16)
		dst[3*x+1] = clip(y + (-22554*b-46802*r+1<<15)>>16)
		dst[3*x+2] = clip(y + (116130*b+1<<15)>>16)
	}
}

// convertWebP is BT.601's conversion of 16 to 235 in the integers of libwebp (src/dsp/yuv.h).
func convertWebP(dst, luma, cb, cr []uint8) {
	for x, v := range luma {
		y, b, r := int32(v)*19077>>8, int32(cb[x]), int32(cr[x])
		dst[3*x] = clip((y + r*26149>>8 - 14234) >> 6)
		dst[3*x+1] = clip((y - b*6419>>8 - r*13320>>8 + 8708) >> 6)
		dst[3*x+2] = clip((y + b*33050>>8 - 17685) >> 6)
	}
}

func clip(v int32) uint8 { return uint8(max(0, min(v, 255))) }
