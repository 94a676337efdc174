package encode

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"mmtools/pkg/media"
	"mmtools/pkg/modality"
)

// PictureSpec makes pixels, (channels, height, width) uint8, of the png, jpeg, webp and bmp files of a column.
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

// Open implements Spec. Without a size it reads the column's first image.
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
	c.shape, err = c.picture.shape()
	return c, err
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
	f, size, err := c.folder.Open(path)
	if err != nil {
		return err
	}
	defer f.Close() // it was only read
	file, err := media.ReadImage(nil, f, size)
	if err != nil {
		return err
	}
	c.picture.Height, c.picture.Width, err = media.ImageSize(file)
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
	file, size, err := f.Open(path)
	if err != nil {
		return err
	}
	defer file.Close() // it was only read
	return plan.DecodeFrom(dst, file, size)
}

// Close implements io.Closer.
func (d *pictureDecoder) Close() error { return d.plan.Close() }

var pictureKind = Kind{
	Name: "image",
	Help: "The pixels of a png, jpeg, webp or bmp file, 0 to 255, channels first, as PIL decodes and resizes them: bilinear, antialiased; not turned as EXIF data would have it, transparency left out.",
	Keys: append(slices.Clone(pictureKeys),
		Key{"mode", "MODE", "rgb", "Keep three colours with rgb, or one brightness with grey."}),
	Parse: func(name, column string, v *Values) Spec {
		return PictureSpec{name, column, pictureOf(v, v.OneOf("mode", "rgb", "grey") == "rgb")}
	},
}
