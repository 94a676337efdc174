package encode

import (
	"errors"

	"mmtools/pkg/media"
)

// Picture says how images become pixels of one shape, channels first, uint8.
type Picture struct {
	Height, Width int  // images are scaled to this; 0, 0 for the first image's size, which all others must then have
	Colour        bool // red, green, blue, not grey
	strict        bool // the size came from the first image
}

func (p Picture) plan() (*media.Imager, error) {
	m, err := media.NewImager(p.Height, p.Width, p.Colour)
	if err != nil {
		return nil, err
	}
	m.Strict = p.strict
	return m, nil
}

// sizeFromFirst takes the size of the first image in the column, of the whole manifest and not only the rows kept, so that
// the streams of a training and a test split agree.
func (m *Media) sizeFromFirst(p *Picture, column int) error {
	for row, fields := range m.manifest.rows {
		if fields[column] == "" {
			continue
		}
		c := channel{column: column}
		if _, err := m.root.stat(fields[column]); err != nil {
			return m.wrap(row, c, err)
		}
		f, _, err := m.root.open(fields[column])
		if err != nil {
			return m.wrap(row, c, err)
		}
		defer f.Close()
		if p.Height, p.Width, err = media.ImageSize(f); err != nil {
			return m.wrap(row, c, err)
		}
		p.strict = true
		return nil
	}
	return errors.New("the column holds no image to take the size from: give it")
}
