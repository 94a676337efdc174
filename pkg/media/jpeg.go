package media

import (
	"bytes"
	"errors"
	"image/jpeg"
)

// jpegDecoder decodes with libjpeg-turbo where that is there, as PIL does and to the same bits, and with image/jpeg where not:
// its discrete cosine transform rounds in other places, which makes a level or two.
type jpegDecoder struct {
	turbo  *turbo // nil without the library
	reader bytes.Reader
}

// errNoTurbo is why there is no libjpeg-turbo in a build without C.
var errNoTurbo = errors.New("built without C: build with the tags that scripts/deps --tags names")

// JPEGLibrary returns the name of what decodes JPEG files, and where it is not libjpeg-turbo, why not.
func JPEGLibrary() (string, error) {
	t, err := openTurbo()
	if err != nil {
		return "image/jpeg", err
	}
	t.close()
	return "libjpeg-turbo", nil
}

func newJPEGDecoder() *jpegDecoder {
	t, err := openTurbo()
	if err != nil {
		t = nil // the other decoder does
	}
	return &jpegDecoder{turbo: t}
}

// decode decodes a file to the canvas. What is wrong inside the scans is filled with what there is, as PIL and browsers do; a file that
// ends early is an error.
func (d *jpegDecoder) decode(c *canvas, file []byte) error {
	f, err := scanJPEG(file)
	if err != nil {
		return err
	}
	if d.turbo == nil {
		d.reader.Reset(file)
		src, err := jpeg.Decode(&d.reader)
		if err != nil {
			return err
		}
		c.image(src, false)
		return nil
	}
	if err := d.turbo.decode(c.shape(f.height, f.width, f.components), file, f); err != nil {
		return err
	}
	if f.components == 4 {
		c.inks()
	}
	return nil
}

func (d *jpegDecoder) close() {
	if d.turbo != nil {
		d.turbo.close()
	}
}
