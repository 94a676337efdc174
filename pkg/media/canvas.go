package media

import (
	"fmt"
	"image"
	"image/draw"

	"mmtools/pkg/pixel"
)

// MaxPixels bounds the images that are decoded, 8K video's 7680 x 4320 being inside; a png of 100 kB can claim 16 Gpixel.
const MaxPixels = 1 << 25

func checkSize(format string, height, width int) error {
	if height < 1 || width < 1 || height > pixel.MaxSide || width > pixel.MaxSide || height > MaxPixels/width {
		return fmt.Errorf("%s of %dx%d: at most %d pixels, and %d a side, are decoded", format, height, width, MaxPixels, pixel.MaxSide)
	}
	return nil
}

// canvas is memory for the pixels of one picture after the other.
type canvas struct {
	pixel.Picture
	memory []uint8
	cb, cr []uint8 // a row of each, upsampled
}

// shape returns memory for height by width pixels of so many bytes each.
func (c *canvas) shape(height, width, bytes int) []uint8 {
	need := height * width * bytes
	if cap(c.memory) < need {
		c.memory = make([]uint8, need)
	}
	return c.set(c.memory[:need], height, width, bytes)
}

func (c *canvas) set(pix []uint8, height, width, bytes int) []uint8 {
	c.Picture = pixel.Picture{Pix: pix, Height: height, Width: width, Channels: bytes, Stride: width * bytes}
	return pix
}

// inks turns the canvas's pixels of four inks, stored as Adobe does, 255 for none, into colours, as PIL does.
func (c *canvas) inks() {
	p, n := c.Pix, c.Height*c.Width
	for i := range n {
		ink := [4]uint8(p[4*i:])
		black := uint32(ink[3])
		for k := range 3 {
			product := uint32(255-ink[k])*black + 128
			p[3*i+k] = uint8(black - (product>>8+product)>>8)
		}
	}
	c.set(p[:3*n], c.Height, c.Width, 3)
}

// grey turns colours into their luma, in place: 0.299 R + 0.587 G + 0.114 B (ITU-R BT.601), in the integers of PIL.
func (c *canvas) grey() {
	n := c.Height * c.Width
	for i := range n {
		p := c.Pix[3*i : 3*i+3 : 3*i+3]
		c.Pix[i] = uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
	}
	c.set(c.Pix[:n], c.Height, c.Width, 1)
}

// image takes the pixels of a decoded image. What says how transparent a pixel is is left out, as PIL's convert leaves it, and of 16
// bits the upper 8 are kept.
func (c *canvas) image(src image.Image, webp bool) {
	b := src.Bounds()
	height, width := b.Dy(), b.Dx()
	switch m := src.(type) {
	case *image.YCbCr:
		c.ycc(m, webp)
	case *image.NYCbCrA:
		c.ycc(&m.YCbCr, webp)
	case *image.Gray:
		c.rows(m.Pix, m.Stride, c.shape(height, width, 1), height, 1, 1, 1)
	case *image.Gray16:
		c.rows(m.Pix, m.Stride, c.shape(height, width, 1), height, 2, 1, 1)
	case *image.RGBA:
		c.rows(m.Pix, m.Stride, c.shape(height, width, 3), height, 4, 3, 1)
	case *image.NRGBA:
		c.rows(m.Pix, m.Stride, c.shape(height, width, 3), height, 4, 3, 1)
	case *image.RGBA64:
		c.rows(m.Pix, m.Stride, c.shape(height, width, 3), height, 8, 3, 2)
	case *image.NRGBA64:
		c.rows(m.Pix, m.Stride, c.shape(height, width, 3), height, 8, 3, 2)
	case *image.CMYK:
		c.rows(m.Pix, m.Stride, c.shape(height, width, 4), height, 4, 4, 1)
		for i := range c.Pix {
			c.Pix[i] = 255 - c.Pix[i]
		}
		c.inks()
	case *image.Paletted:
		c.paletted(m)
	default: // none of the decoders' here
		flat := image.NewNRGBA(image.Rect(0, 0, width, height))
		draw.Draw(flat, flat.Rect, src, b.Min, draw.Src)
		c.image(flat, webp)
	}
}

// rows copies the first n channels of pixels of size bytes, a channel every step bytes.
func (c *canvas) rows(src []uint8, stride int, dst []uint8, height, size, n, step int) {
	width := len(dst) / (height * n)
	for y := range height {
		in, out := src[y*stride:][:width*size], dst[y*width*n:][:width*n]
		for x := range width {
			for k := range n {
				out[x*n+k] = in[x*size+k*step]
			}
		}
	}
}

func (c *canvas) paletted(m *image.Paletted) {
	var colours [256][3]uint8
	for i, col := range m.Palette {
		one := image.NewNRGBA(image.Rect(0, 0, 1, 1))
		one.Set(0, 0, col)
		copy(colours[i][:], one.Pix)
	}
	height, width := m.Rect.Dy(), m.Rect.Dx()
	pix := c.shape(height, width, 3)
	for y := range height {
		for x, v := range m.Pix[y*m.Stride:][:width] {
			copy(pix[3*(y*width+x):][:3], colours[v][:])
		}
	}
}
