package dnn

import (
	"math"
	"unsafe"

	"mmtools/pkg/kernel"
)

// bytesOf returns the memory of s as n bytes.
func bytesOf(s []float32, n int) []uint8 {
	return unsafe.Slice((*uint8)(unsafe.Pointer(unsafe.SliceData(s[:(n+3)/4]))), n)
}

// MaxPool is kernel.Convolution's. Of equal pixels the first is taken; one that is not a number is.
func (p *Plain) MaxPool(y, index, x []float32, n int, s kernel.Pool) {
	p.call = call{y: y, w: index, x: x, n: n, pool: s}
	p.split(n, maxPoolPart)
}

func maxPoolPart(p *Plain, part, parts int) {
	a := &p.call
	s, out := a.pool, a.pool.Out()
	index := bytesOf(a.w, a.n*out.Size())
	from, to := share(a.n, part, parts)
	for n := from; n < to; n++ {
		for c := range out.C {
			start, step := plane(s.In, n, c)
			at, _ := plane(out, n, c)
			for oh := range out.H {
				for ow := range out.W {
					a.y[at], index[at] = maximum(a.x[start:], step, oh, ow, s)
					at += step
				}
			}
		}
	}
}

// maximum returns the maximum that the window sees at (oh,ow) and its place. x begins with the channel.
func maximum(x []float32, step, oh, ow int, s kernel.Pool) (float32, uint8) {
	best, place := float32(math.Inf(-1)), -1
	for kh := range s.KH {
		for kw := range s.KW {
			h, w := oh*s.StrideH-s.PadH+kh, ow*s.StrideW-s.PadW+kw
			if uint(h) >= uint(s.In.H) || uint(w) >= uint(s.In.W) {
				continue
			}
			if v := x[(h*s.In.W+w)*step]; place < 0 || v > best || v != v {
				best, place = v, kh*s.KW+kw
			}
		}
	}
	return best, uint8(place)
}

// MaxPoolGrad is kernel.Convolution's.
func (p *Plain) MaxPoolGrad(dx, dy, index []float32, n int, s kernel.Pool) {
	p.call = call{y: dx, dy: dy, w: index, n: n, pool: s}
	p.split(n, maxPoolGradPart)
}

func maxPoolGradPart(p *Plain, part, parts int) {
	a := &p.call
	s, out := a.pool, a.pool.Out()
	index := bytesOf(a.w, a.n*out.Size())
	from, to := share(a.n, part, parts)
	clear(a.y[from*s.In.Size() : to*s.In.Size()])
	for n := from; n < to; n++ {
		for c := range out.C {
			start, step := plane(s.In, n, c)
			at, _ := plane(out, n, c)
			for oh := range out.H {
				for ow := range out.W {
					place := int(index[at])
					h, w := oh*s.StrideH-s.PadH+place/s.KW, ow*s.StrideW-s.PadW+place%s.KW
					a.y[start+(h*s.In.W+w)*step] += a.dy[at]
					at += step
				}
			}
		}
	}
}

// AveragePool is kernel.Convolution's.
func (p *Plain) AveragePool(y, x []float32, n, frames int, i kernel.Image) {
	p.call = call{y: y, x: x, n: n, frames: frames, image: i}
	p.split(n, averagePoolPart)
}

func averagePoolPart(p *Plain, part, parts int) {
	a := &p.call
	pixels := a.image.H * a.image.W
	from, to := share(a.n, part, parts)
	for n := from; n < to; n++ {
		for c := range a.image.C {
			var sum float64
			for t := range a.frames {
				at, step := plane(a.image, n*a.frames+t, c)
				for range pixels {
					sum += float64(a.x[at])
					at += step
				}
			}
			a.y[n*a.image.C+c] = float32(sum / float64(a.frames*pixels))
		}
	}
}

// AveragePoolGrad is kernel.Convolution's.
func (p *Plain) AveragePoolGrad(dx, dy []float32, n, frames int, i kernel.Image) {
	p.call = call{y: dx, dy: dy, n: n, frames: frames, image: i}
	p.split(n, averagePoolGradPart)
}

func averagePoolGradPart(p *Plain, part, parts int) {
	a := &p.call
	pixels := a.image.H * a.image.W
	factor := float32(1 / float64(a.frames*pixels))
	from, to := share(a.n, part, parts)
	for n := from; n < to; n++ {
		for c := range a.image.C {
			g := a.dy[n*a.image.C+c] * factor
			for t := range a.frames {
				at, step := plane(a.image, n*a.frames+t, c)
				for range pixels {
					a.y[at] = g
					at += step
				}
			}
		}
	}
}
