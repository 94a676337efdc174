package media

import (
	"bufio"
	"fmt"
	"image"
	_ "image/jpeg" // decoders register themselves
	_ "image/png"
	"io"

	"golang.org/x/image/draw"
)

// maxPixels bounds the images that are decoded, 8K video's 7680 x 4320 being inside; a png of 100 kB can claim 16 Gpixel.
const maxPixels = 1 << 25

// Imager decodes png and jpeg images to pixels of one shape: channels first, as convolutions take them. It holds buffers: one
// goroutine at a time.
type Imager struct {
	// Strict makes an image of another size an error where it would be scaled.
	Strict bool

	height, width int
	colour        bool
	canvas        *image.RGBA
	reader        *bufio.Reader
}

// NewImager makes an Imager for images of height by width pixels, grey (one channel) or in colour (red, green, blue).
func NewImager(height, width int, colour bool) (*Imager, error) {
	if height < 1 || width < 1 || height > maxPixels/width {
		return nil, fmt.Errorf("image size %dx%d: want 1x1 to %d pixels", height, width, maxPixels)
	}
	return &Imager{height: height, width: width, colour: colour, reader: bufio.NewReaderSize(nil, 1<<15)}, nil
}

// Shape returns the dimensions of a decoded image: channels (1 or 3), height, width.
func (m *Imager) Shape() []int {
	if m.colour {
		return []int{3, m.height, m.width}
	}
	return []int{1, m.height, m.width}
}

// ImageSize reads the header of a png or jpeg and returns its height and width; more than 2^25 pixels are an error.
func ImageSize(r io.Reader) (height, width int, err error) {
	config, format, err := image.DecodeConfig(r)
	if err != nil {
		return 0, 0, fmt.Errorf("reading the image header: %w", err)
	}
	if config.Width < 1 || config.Height < 1 || config.Height > maxPixels/config.Width {
		return 0, 0, fmt.Errorf("%s of %dx%d: at most %d pixels are decoded", format, config.Height, config.Width, maxPixels)
	}
	return config.Height, config.Width, nil
}

// Decode writes the image in r to dst, (C,H,W), values 0 to 255. An image of another size is scaled to fit both sides,
// by a triangle filter that widens as it shrinks (draw.BiLinear, antialiased). Grey is the luma 0.299 R + 0.587 G + 0.114 B
// of ITU-R BT.601, as in JPEG; what is transparent lies on black.
func (m *Imager) Decode(dst []uint8, r io.ReadSeeker) error {
	m.reader.Reset(r)
	height, width, err := ImageSize(m.reader) // before the decoder asks for memory
	if err != nil {
		return err
	}
	if m.Strict && (height != m.height || width != m.width) {
		return fmt.Errorf("%d x %d pixels (height, width): want %d x %d", height, width, m.height, m.width)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	m.reader.Reset(r)
	src, _, err := image.Decode(m.reader)
	if err != nil {
		return fmt.Errorf("decoding the image: %w", err)
	}
	size := m.height * m.width
	if grey, ok := src.(*image.Gray); ok && !m.colour && grey.Rect.Dx() == m.width && grey.Rect.Dy() == m.height {
		for y := range m.height {
			copy(dst[y*m.width:(y+1)*m.width], grey.Pix[y*grey.Stride:])
		}
		return nil
	}
	m.draw(src)
	if m.colour {
		for c := range 3 {
			plane := dst[c*size : (c+1)*size]
			for i := range plane {
				plane[i] = m.canvas.Pix[4*i+c]
			}
		}
		return nil
	}
	for i := range dst[:size] {
		p := m.canvas.Pix[4*i : 4*i+3 : 4*i+3]
		// The integers of color.GrayModel, without its boxing of every pixel.
		dst[i] = uint8((19595*uint32(p[0]) + 38470*uint32(p[1]) + 7471*uint32(p[2]) + 1<<15) >> 16)
	}
	return nil
}

// draw paints src, scaled, over black.
func (m *Imager) draw(src image.Image) {
	bounds := image.Rect(0, 0, m.width, m.height)
	if m.canvas == nil {
		m.canvas = image.NewRGBA(bounds)
	}
	draw.Draw(m.canvas, bounds, image.Black, image.Point{}, draw.Src)
	if src.Bounds().Size() == bounds.Size() {
		draw.Draw(m.canvas, bounds, src, src.Bounds().Min, draw.Over)
		return
	}
	draw.BiLinear.Scale(m.canvas, bounds, src, src.Bounds(), draw.Over, nil)
}
