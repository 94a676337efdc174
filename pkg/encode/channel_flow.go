package encode

import (
	"context"
	"fmt"
	"path"
	"strings"

	"mmtools/pkg/media"
	"mmtools/pkg/modality"
)

// FlowSpec makes optical flow of two columns of folders, whose pictures hold the horizontal and the vertical part as brightness:
// (frames, 2, height, width) uint8.
type FlowSpec struct {
	Name  string // of the modality
	X, Y  string // columns
	Count int
	Size  Picture // grey
}

// flowChannel decodes the pairs of folders of two columns.
type flowChannel struct {
	fileChannel
	count   int
	picture Picture
	shape   []int // of one part of a frame
}

// ModalityName implements Spec.
func (s FlowSpec) ModalityName() string { return s.Name }

// Open implements Spec.
func (s FlowSpec) Open(in *Inputs) (Channel, error) {
	files, err := in.files(s.Name, s.X, s.Y)
	if err != nil {
		return nil, err
	}
	shape, err := s.Size.frameShape(s.Count)
	return &flowChannel{files, s.Count, s.Size, shape}, err
}

func (c *flowChannel) Modality() modality.Modality {
	return modality.Modality{Name: c.name, Kind: modality.Flow, Shape: []int{c.count, 2, c.shape[1], c.shape[2]}}
}

func (c *flowChannel) Element() Element { return Uint8 }

func (c *flowChannel) Options() any {
	return struct {
		Count   int
		Picture Picture
	}{c.count, c.picture}
}

// Inspect implements Channel.
func (c *flowChannel) Inspect(cell Cell, d *Digest) error {
	_, _, err := c.pairs(cell, d)
	return err
}

// pairs returns the pictures of both parts of each frame. The folders have as many: a part without its other is an error.
func (c *flowChannel) pairs(cell Cell, d *Digest) (x, y []string, err error) {
	if cell.Fields[1] == "" {
		return nil, nil, fmt.Errorf("%w: no folder of the vertical part", ErrMissing)
	}
	count := [2]int{}
	for i, folder := range cell.Fields {
		names, err := c.folder.List(folder)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", folder, err)
		}
		count[i] = len(names)
	}
	if count[0] != count[1] {
		return nil, nil, fmt.Errorf("%d horizontal parts, and %d vertical ones in %s", count[0], count[1], cell.Fields[1])
	}
	if x, err = c.folder.frames(cell.Fields[0], c.count); err != nil {
		return nil, nil, err
	}
	if y, err = c.folder.frames(cell.Fields[1], c.count); err != nil {
		return nil, nil, err
	}
	for i := range x {
		if d != nil {
			d.Text(x[i])
			d.Text(y[i])
		}
	}
	return x, y, nil
}

func (c *flowChannel) NewDecoder() (ChannelDecoder, error) {
	plan, err := c.picture.plan()
	return &flowDecoder{c, plan}, err
}

// flowDecoder decodes pairs of folders; it belongs to one goroutine.
type flowDecoder struct {
	*flowChannel
	plan *media.Imager
}

// Close implements io.Closer.
func (d *flowDecoder) Close() error { return d.plan.Close() }

// Decode implements ChannelDecoder.
func (d *flowDecoder) Decode(ctx context.Context, dst any, cell Cell) error {
	x, y, err := d.pairs(cell, nil)
	if err != nil {
		return err
	}
	out := dst.([]uint8)
	size := len(out) / (2 * d.count)
	for i := range x {
		for k, p := range []string{x[i], y[i]} {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := d.folder.picture(d.plan, out[(2*i+k)*size:][:size], p); err != nil {
				return fmt.Errorf("%s: %w", path.Base(p), err)
			}
		}
	}
	return nil
}

var flowKind = Kind{
	Name: "flow",
	Help: "Optical flow out of two columns, COLX+COLY, of folders of pictures whose brightness is the horizontal and the vertical part: 0 to 255, as frames, two parts, height and width.",
	Keys: frameKeys(
		Key{"frames", "N", "10", "Take N frames: the middle ones of equal parts; where there are fewer, some come more than once."}),
	Parse: func(name, column string, v *Values) Spec {
		x, y, two := strings.Cut(column, "+")
		if !two && v.err == nil {
			v.err = fmt.Errorf("column %s: want two, COLX+COLY", column)
		}
		return FlowSpec{name, x, y, v.Int("frames"), pictureOf(v, false)}
	},
}
