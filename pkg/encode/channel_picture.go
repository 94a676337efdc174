package encode

import (
	"context"
	"errors"
	"fmt"

	"mmtools/pkg/media"
	"mmtools/pkg/modality"
)

// PictureSpec makes pixels, (channels, height, width) uint8, of the png and jpeg files of a column.
type PictureSpec struct {
	Name    string // of the modality
	Column  string
	Picture Picture
}

// pictureChannel decodes the images of one column.
type pictureChannel struct {
	fileChannel
	picture Picture
	shape   []int
}

// ModalityName implements Spec.
func (s PictureSpec) ModalityName() string { return s.Name }

// Open implements Spec. Without a size it reads the header of the column's first image.
func (s PictureSpec) Open(in *Inputs) (Channel, error) {
	files, err := in.files(s.Name, s.Column)
	if err != nil {
		return nil, err
	}
	c := &pictureChannel{fileChannel: files, picture: s.Picture}
	if c.picture.Height == 0 && c.picture.Width == 0 {
		if err := c.sizeFromFirst(in.List); err != nil {
			return nil, err
		}
	}
	plan, err := c.picture.plan()
	if err != nil {
		return nil, err
	}
	c.shape = plan.Shape()
	return c, nil
}

// sizeFromFirst takes the size of the first image that is there, of the whole list and not only the rows kept, so that
// the streams of a training and a test split agree.
func (c *pictureChannel) sizeFromFirst(l List) error {
	column := c.columns[0]
	for row := range l.Rows() {
		path := l.Field(row, column)
		if path == "" {
			continue
		}
		err := c.sizeOf(path)
		if isMissing(err) {
			continue
		}
		if err != nil {
			return wrapCell(l, row, column, fmt.Errorf("%s: %w", path, err))
		}
		return nil
	}
	return errors.New("the column holds no image to take the size from: give it")
}

func (c *pictureChannel) sizeOf(path string) error {
	if _, err := c.folder.Stat(path); err != nil {
		return err
	}
	f, _, err := c.folder.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // it was only read
	c.picture.Height, c.picture.Width, err = media.ImageSize(f)
	c.picture.strict = true
	return err
}

func (c *pictureChannel) Modality() modality.Modality {
	return modality.Modality{Name: c.name, Kind: modality.Image, Shape: c.shape}
}

func (c *pictureChannel) Element() Element { return Uint8 }
func (c *pictureChannel) Options() any     { return c.picture }

func (c *pictureChannel) NewDecoder() (ChannelDecoder, error) {
	plan, err := c.picture.plan()
	return &pictureDecoder{c, plan}, err
}

// pictureDecoder decodes images; it belongs to one goroutine.
type pictureDecoder struct {
	*pictureChannel
	plan *media.Imager
}

// Decode implements ChannelDecoder.
func (d *pictureDecoder) Decode(_ context.Context, dst any, cell Cell) error {
	return d.folder.picture(d.plan, dst.([]uint8), cell.Fields[0])
}

// picture decodes an image file of the folder.
func (f *Folder) picture(plan *media.Imager, dst []uint8, path string) error {
	file, _, err := f.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() // it was only read
	return plan.Decode(dst, file)
}

var pictureKind = Kind{
	Name: "image",
	Help: "The pixels of a png or jpeg file, 0 to 255, channels first.",
	Keys: []Key{
		{"size", "HxW", "", "Scale to H by W pixels, or to N by N with one number; without it all must have the first image's size."},
		{"mode", "MODE", "rgb", "Keep three colours with rgb, or one brightness with grey."},
	},
	Parse: func(name, column string, v *Values) Spec {
		p := Picture{Colour: v.OneOf("mode", "rgb", "grey") == "rgb"}
		p.Height, p.Width = v.Size("size")
		return PictureSpec{name, column, p}
	},
}
