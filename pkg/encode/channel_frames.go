package encode

import (
	"context"
	"errors"
	"fmt"
	"path"

	"mmtools/pkg/media"
	"mmtools/pkg/modality"
)

// FramesSpec makes Count frames of each folder of pictures in a column, (frames, channels, height, width) uint8.
type FramesSpec struct {
	Name    string // of the modality
	Column  string
	Count   int
	Picture Picture
}

// maxFrames bounds the frames of a sample.
const maxFrames = 1 << 16

// framesChannel decodes the folders of one column.
type framesChannel struct {
	fileChannel
	count   int
	picture Picture
	shape   []int // of a frame
}

// ModalityName implements Spec.
func (s FramesSpec) ModalityName() string { return s.Name }

// Open implements Spec.
func (s FramesSpec) Open(in *Inputs) (Channel, error) {
	files, err := in.files(s.Name, s.Column)
	if err != nil {
		return nil, err
	}
	shape, err := s.Picture.frameShape(s.Count)
	return &framesChannel{files, s.Count, s.Picture, shape}, err
}

// frameShape returns the shape of a frame; their number and size must be given.
func (p Picture) frameShape(count int) ([]int, error) {
	if count < 1 || count > maxFrames {
		return nil, fmt.Errorf("%d frames: want 1 to %d", count, maxFrames)
	}
	if p.Height == 0 {
		return nil, errors.New("frames have no size: want size=HxW")
	}
	return p.shape()
}

func (c *framesChannel) Modality() modality.Modality {
	return modality.Modality{Name: c.name, Kind: modality.Video, Shape: append([]int{c.count}, c.shape...)}
}

func (c *framesChannel) Element() Element { return Uint8 }

func (c *framesChannel) Options() any {
	return struct {
		Count   int
		Picture Picture
	}{c.count, c.picture}
}

// Inspect implements Channel: the names of the pictures that are taken stand for what they hold.
func (c *framesChannel) Inspect(cell Cell, d *Digest) error {
	return c.folder.inspectFrames(cell.Fields[0], c.count, d)
}

func (f *Folder) inspectFrames(folder string, count int, d *Digest) error {
	paths, err := f.frames(folder, count)
	for _, p := range paths {
		d.Text(p)
	}
	return err
}

// frames chooses count pictures of a folder: the middle one of each of as many equal parts. Where there are fewer, some come more
// than once.
func (f *Folder) frames(folder string, count int) ([]string, error) {
	names, err := f.List(folder)
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%w: no picture in the folder", ErrMissing)
	}
	chosen := make([]string, count)
	for i := range chosen {
		chosen[i] = path.Join(folder, names[(2*i+1)*len(names)/(2*count)])
	}
	return chosen, nil
}

func (c *framesChannel) NewDecoder() (ChannelDecoder, error) {
	plan, err := c.picture.plan()
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
	paths, err := d.folder.frames(cell.Fields[0], d.count)
	if err != nil {
		return err
	}
	out := dst.([]uint8)
	size := len(out) / d.count
	for i, p := range paths {
		if i > 0 && p == paths[i-1] {
			copy(out[i*size:][:size], out[(i-1)*size:])
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := d.folder.picture(d.plan, out[i*size:][:size], p); err != nil {
			return fmt.Errorf("%s: %w", path.Base(p), err)
		}
	}
	return nil
}

var framesKind = Kind{
	Name: "frames",
	Help: "The pixels of some pictures of a folder, 0 to 255, as frames, channels, height and width: the middle ones of equal parts, in the order of the numbers in their names.",
	Keys: frameKeys(
		Key{"frames", "N", "10", "Take N frames; where there are fewer, some come more than once."},
		Key{"mode", "MODE", "rgb", "Keep three colours with rgb, or one brightness with grey."}),
	Parse: func(name, column string, v *Values) Spec {
		return FramesSpec{name, column, v.Int("frames"), pictureOf(v, v.OneOf("mode", "rgb", "grey") == "rgb")}
	},
}
