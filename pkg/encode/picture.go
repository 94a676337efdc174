package encode

import (
	"fmt"
	"slices"

	"mmtools/pkg/media"
	"mmtools/pkg/pixel"
)

// Picture says how images become pixels of one shape, channels first, uint8.
type Picture struct {
	Height, Width int       // images are brought to this size; 0, 0 for the first image's, which all others must then have
	Colour        bool      // red, green, blue, not grey
	Fit           pixel.Fit `json:",omitempty"` // "" is pixel.Stretch
	Short         int       `json:",omitempty"` // of pixel.Crop
	Fill          uint8     `json:",omitempty"` // of pixel.Letterbox
	strict        bool      // the size came from the first image
}

func (p Picture) plan() (*media.Imager, error) {
	m, err := media.NewImager(pixel.Frame{Height: p.Height, Width: p.Width, Fit: p.Fit, Short: p.Short, Fill: p.Fill}, p.Colour)
	if err != nil {
		return nil, err
	}
	m.Strict = p.strict
	return m, nil
}

// shape returns (C,H,W), and an error for what no image could become.
func (p Picture) shape() ([]int, error) {
	m, err := p.plan()
	if err != nil {
		return nil, err
	}
	return m.Shape(), m.Close()
}

// pictureKeys are the settings of every kind that is made of images.
var pictureKeys = []Key{
	{"size", "HxW", "", "Scale to H by W pixels, or to N by N with one number; without a size all must have the first image's."},
	{"fit", "HOW", "stretch", "With size, scale each side by its own factor (stretch), or put the whole image in the middle, with a border (letterbox)."},
	{"fill", "LEVEL", "0", "Give letterbox's border this level, 0 to 255."},
	{"crop", "HxW", "", "In place of size, scale the shorter side and cut the middle H by W pixels out."},
	{"resize", "N", "", "Scale the shorter side to N pixels before crop (default: the larger of H and W)."},
}

// frameKeys are the settings of kinds that have no first image to take a size from.
func frameKeys(more ...Key) []Key {
	keys := slices.Clone(pictureKeys)
	keys[0] = Key{"size", "HxW", "224", "Scale them to H by W pixels, or to N by N with one number."}
	return append(more, keys...)
}

// pictureOf reads the settings of pictureKeys.
func pictureOf(v *Values, colour bool) Picture {
	p := Picture{Colour: colour, Fit: pixel.Fit(v.OneOf("fit", string(pixel.Stretch), string(pixel.Letterbox)))}
	p.Height, p.Width = v.Size("size")
	fill := v.Int("fill")
	if fill < 0 || fill > 255 {
		v.refuse("fill", "0 to 255")
	}
	p.Fill = uint8(fill)
	h, w := v.Size("crop")
	p.Short = v.Int("resize")
	switch {
	case h == 0 && v.Text("resize") != "":
		v.refuse("resize", "crop with it")
	case h == 0:
	case p.Height != 0 && v.given["size"] != "":
		v.refuse("crop", "either size or crop")
	case p.Short < max(h, w) && v.Text("resize") != "":
		v.refuse("resize", fmt.Sprintf("at least %d, the larger side of crop", max(h, w)))
	default:
		p.Height, p.Width, p.Fit = h, w, pixel.Crop
	}
	if p.Fit == pixel.Stretch {
		p.Fit = ""
	}
	return p
}
