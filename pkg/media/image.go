package media

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"

	"mmtools/pkg/pixel"

	"golang.org/x/image/bmp"
	"golang.org/x/image/webp"
)

// maxImageFile bounds the bytes of an image file.
const maxImageFile = 1 << 28

// Imager decodes png, jpeg, webp and bmp images to pixels of one shape: channels first, as convolutions take them. It holds
// buffers: one goroutine at a time.
type Imager struct {
	// Strict makes an image of another size an error where it would be scaled.
	Strict bool

	frame   pixel.Frame
	colour  bool
	resizer *pixel.Resizer
	canvas  canvas
	jpeg    *jpegDecoder
	reader  bytes.Reader
	file    []byte
}

// NewImager makes an Imager that fits images into the frame, grey (one channel) or in colour (red, green, blue).
func NewImager(frame pixel.Frame, colour bool) (*Imager, error) {
	resizer, err := pixel.NewResizer(frame)
	if err != nil {
		return nil, err
	}
	if err := checkSize("an image", frame.Height, frame.Width); err != nil {
		return nil, err
	}
	return &Imager{frame: frame, colour: colour, resizer: resizer, jpeg: newJPEGDecoder()}, nil
}

// Close frees what libraries hold.
func (m *Imager) Close() error {
	m.jpeg.close()
	return nil
}

// Shape returns the dimensions of a decoded image: channels (1 or 3), height, width.
func (m *Imager) Shape() []int {
	if m.colour {
		return []int{3, m.frame.Height, m.frame.Width}
	}
	return []int{1, m.frame.Height, m.frame.Width}
}

// format is a kind of file: how it begins, and its decoder.
type format struct {
	name, magic string // '?' in magic stands for any byte
	config      func(io.Reader) (image.Config, error)
	decode      func(io.Reader) (image.Image, error)
}

var formats = []format{
	{"png", "\x89PNG\r\n\x1a\n", png.DecodeConfig, png.Decode},
	{"webp", "RIFF????WEBPVP8", webp.DecodeConfig, webp.Decode},
	{"bmp", "BM", bmp.DecodeConfig, bmp.Decode},
}

func formatOf(file []byte) (format, error) {
next:
	for _, f := range formats {
		if len(file) < len(f.magic) {
			continue
		}
		for i := range f.magic {
			if f.magic[i] != '?' && f.magic[i] != file[i] {
				continue next
			}
		}
		return f, nil
	}
	if len(file) == 0 {
		return format{}, errors.New("the file is empty")
	}
	return format{}, errors.New("unknown format: want png, jpeg, webp or bmp")
}

// ImageSize returns the height and width that an image file says it has; more than 2^25 pixels are an error.
func ImageSize(file []byte) (height, width int, err error) {
	if isJPEG(file) {
		f, err := scanJPEG(file)
		return f.height, f.width, err
	}
	f, err := formatOf(file)
	if err != nil {
		return 0, 0, err
	}
	config, err := f.config(bytes.NewReader(file))
	if err != nil {
		return 0, 0, fmt.Errorf("reading the header of the %s: %w", f.name, err)
	}
	return config.Height, config.Width, checkSize(f.name, config.Height, config.Width)
}

// Decode writes the image of a file to dst, (C,H,W), values 0 to 255, as PIL's
//
//	Image.open(file).convert("RGB").resize((W, H), Image.BILINEAR)
//
// or "L" for grey, and fitted as the frame says (package pixel). As PIL's, it leaves out how transparent a pixel is, and does not turn
// the image as its EXIF data would have it. Of 16 bits it keeps the upper 8, where PIL cuts grey off at 255 (docs/adr/0015).
func (m *Imager) Decode(dst []uint8, file []byte) error {
	if err := m.draw(file); err != nil {
		return err
	}
	return m.fit(dst)
}

// Fit writes a picture of red, green and blue to dst as Decode does the one of a file. Where the Imager is grey, it writes over rgb.
func (m *Imager) Fit(dst []uint8, rgb pixel.Picture) error {
	m.canvas.Picture = rgb
	return m.fit(dst)
}

// fit brings the picture on the canvas to the frame.
func (m *Imager) fit(dst []uint8) error {
	c := &m.canvas
	if m.Strict && (c.Height != m.frame.Height || c.Width != m.frame.Width) {
		return fmt.Errorf("%d x %d pixels (height, width): want %d x %d", c.Height, c.Width, m.frame.Height, m.frame.Width)
	}
	if !m.colour && c.Channels == 3 {
		c.grey()
	}
	size := m.frame.Height * m.frame.Width
	if err := m.resizer.Resize(dst[:c.Channels*size], c.Picture); err != nil {
		return err
	}
	if m.colour && c.Channels == 1 {
		copy(dst[size:2*size], dst)
		copy(dst[2*size:3*size], dst)
	}
	return nil
}

// DecodeFrom decodes an image file of size bytes from r, as Decode does.
func (m *Imager) DecodeFrom(dst []uint8, r io.Reader, size int64) error {
	var err error
	if m.file, err = ReadImage(m.file, r, size); err != nil {
		return err
	}
	return m.Decode(dst, m.file)
}

// ReadImage reads an image file of size bytes from r into memory, or into more where that is too little.
func ReadImage(memory []byte, r io.Reader, size int64) ([]byte, error) {
	if size > maxImageFile {
		return memory, fmt.Errorf("%d bytes: image files of at most %d are read", size, maxImageFile)
	}
	if int64(cap(memory)) < size {
		memory = make([]byte, size+size/4)
	}
	memory = memory[:size]
	_, err := io.ReadFull(r, memory)
	return memory, err
}

// draw decodes the file to the canvas.
func (m *Imager) draw(file []byte) error {
	if isJPEG(file) {
		if err := m.jpeg.decode(&m.canvas, file); err != nil {
			return fmt.Errorf("decoding the jpeg: %w", err)
		}
		return nil
	}
	if _, _, err := ImageSize(file); err != nil { // before the decoder asks for memory
		return err
	}
	f, err := formatOf(file)
	if err != nil {
		return err
	}
	m.reader.Reset(file)
	src, err := f.decode(&m.reader)
	if err == io.ErrUnexpectedEOF || err == io.EOF {
		err = errTruncated
	}
	if err != nil {
		return fmt.Errorf("decoding the %s: %w", f.name, err)
	}
	m.canvas.image(src, f.name == "webp")
	return nil
}
