package encode

import "mmtools/pkg/media"

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
