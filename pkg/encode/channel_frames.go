package encode

import (
	"context"
	"errors"
	"fmt"
	"path"

	"mmtools/pkg/media"
	"mmtools/pkg/modality"
)

// FramesSpec makes frames of each folder of pictures in a column, (frames, channels, height, width) uint8.
type FramesSpec struct {
	Name    string // of the modality
	Column  string
	Files   string // which pictures of a folder, as path.Match has it; "" for all but those of optical flow
	Choice  Choice
	Picture Picture
}

// framesChannel decodes the folders of one column.
type framesChannel struct {
	fileChannel
	spec  FramesSpec
	shape []int // of a frame
}

// ModalityName implements Spec.
func (s FramesSpec) ModalityName() string { return s.Name }

// Open implements Spec.
func (s FramesSpec) Open(in *Inputs) (Channel, error) {
	files, err := in.files(s.Name, s.Column)
	if err != nil {
		return nil, err
	}
	shape, err := s.Picture.frameShape()
	return &framesChannel{files, s, shape}, err
}

// frameShape returns the shape of a frame, whose size must be given.
func (p Picture) frameShape() ([]int, error) {
	if p.Height == 0 {
		return nil, errors.New("frames have no size: want size=HxW")
	}
	return p.shape()
}

func (c *framesChannel) Modality() modality.Modality {
	return modality.Modality{Name: c.name, Kind: modality.Video, Shape: append([]int{c.spec.Choice.Count}, c.shape...)}
}

func (c *framesChannel) Element() Element { return Uint8 }

func (c *framesChannel) Options() any {
	return struct {
		Choice  Choice
		Picture Picture
	}{c.spec.Choice, c.spec.Picture}
}

// Inspect implements Channel: the names of the pictures that are taken stand for what they hold.
func (c *framesChannel) Inspect(cell Cell, d *Digest) error {
	paths, err := c.frames(cell.Fields[0])
	for _, p := range paths {
		d.Text(p)
	}
	return err
}

// frames returns the pictures of a folder that are taken, "" for a frame of zeros.
func (c *framesChannel) frames(folder string) ([]string, error) {
	names, err := c.folder.Pictures(folder, c.spec.Files)
	if err != nil {
		return nil, err
	}
	return c.spec.Choice.paths(folder, names)
}

// paths returns the paths of the pictures that are taken of a folder's, "" for a frame of zeros.
func (c Choice) paths(folder string, names []string) ([]string, error) {
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: no picture in the folder", ErrMissing)
	}
	picked, err := c.pick(len(names))
	if err != nil {
		return nil, err
	}
	paths := make([]string, len(picked))
	for i, at := range picked {
		if at != noFrame {
			paths[i] = path.Join(folder, names[at])
		}
	}
	return paths, nil
}

func (c *framesChannel) NewDecoder() (ChannelDecoder, error) {
	plan, err := c.spec.Picture.plan()
	return &framesDecoder{c, plan}, err
}

// framesDecoder decodes folders of frames; it belongs to one goroutine.
type framesDecoder struct {
	*framesChannel
	plan *media.Imager
}

// Close implements io.Closer.
func (d *framesDecoder) Close() error { return d.plan.Close() }

// Decode implements ChannelDecoder.
func (d *framesDecoder) Decode(ctx context.Context, dst any, cell Cell) error {
	paths, err := d.frames(cell.Fields[0])
	if err != nil {
		return err
	}
	return d.folder.pictures(ctx, d.plan, dst.([]uint8), paths)
}

// pictures decodes images one after the other, each to its part of the tensor; "" stands for zeros.
func (f *Folder) pictures(ctx context.Context, plan *media.Imager, tensor []uint8, paths []string) error {
	size := len(tensor) / len(paths)
	for i, p := range paths {
		part := tensor[i*size:][:size]
		switch {
		case p == "":
			clear(part)
			continue
		case i > 0 && p == paths[i-1]:
			copy(part, tensor[(i-1)*size:])
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := f.picture(plan, part, p); err != nil {
			return fmt.Errorf("%s: %w", path.Base(p), err)
		}
	}
	return nil
}

var framesKind = Kind{
	Name: "frames",
	Help: "The pixels of some pictures of a folder, 0 to 255, as frames, channels, height and width, in the order of the numbers in their names.",
	Keys: frameKeys(append(choiceKeys("10"),
		Key{"files", "PATTERN", "", "Take the pictures whose names match PATTERN, as img_*.jpg does: * stands for any text, ? for a character (default: all but flow_x_* and flow_y_*)."},
		Key{"mode", "MODE", "rgb", "Keep three colours with rgb, or one brightness with grey."})...),
	Parse: func(name, column string, v *Values) Spec {
		return FramesSpec{name, column, v.Pattern("files"), choiceOf(v), pictureOf(v, v.OneOf("mode", "rgb", "grey") == "rgb")}
	},
}
