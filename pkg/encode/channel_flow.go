package encode

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"strings"

	"mmtools/pkg/media"
	"mmtools/pkg/modality"
)

// FlowSpec makes optical flow of folders whose pictures hold the horizontal and the vertical part as brightness: (frames, 2, height,
// width) uint8.
type FlowSpec struct {
	Name           string // of the modality
	X, Y           string // columns; Y "" where one folder holds both parts
	FilesX, FilesY string // which pictures, as path.Match has it; "" for all of two folders, and flow_x_* and flow_y_* of one
	Choice         Choice
	Size           Picture // grey
}

// How the parts of optical flow are called where they lie in one folder, as dense_flow and MMAction write them.
const (
	flowX = "flow_x_*"
	flowY = "flow_y_*"
)

// flowChannel decodes the folders of one or two columns.
type flowChannel struct {
	fileChannel
	spec  FlowSpec
	files [2]string
	shape []int // of one part of a frame
}

// ModalityName implements Spec.
func (s FlowSpec) ModalityName() string { return s.Name }

// Open implements Spec.
func (s FlowSpec) Open(in *Inputs) (Channel, error) {
	more, patterns := []string{s.Y}, [2]string{cmp.Or(s.FilesX, "*"), cmp.Or(s.FilesY, "*")}
	if s.Y == "" {
		more, patterns = nil, [2]string{cmp.Or(s.FilesX, flowX), cmp.Or(s.FilesY, flowY)}
	}
	files, err := in.files(s.Name, s.X, more...)
	if err != nil {
		return nil, err
	}
	shape, err := s.Size.frameShape()
	return &flowChannel{files, s, patterns, shape}, err
}

func (c *flowChannel) Modality() modality.Modality {
	return modality.Modality{Name: c.name, Kind: modality.Flow, Shape: []int{c.spec.Choice.Count, 2, c.shape[1], c.shape[2]}}
}

func (c *flowChannel) Element() Element { return Uint8 }

func (c *flowChannel) Options() any {
	return struct {
		Choice  Choice
		Picture Picture
	}{c.spec.Choice, c.spec.Size}
}

// Inspect implements Channel.
func (c *flowChannel) Inspect(cell Cell, d *Digest) error {
	paths, err := c.parts(cell)
	for _, p := range paths {
		d.Text(p)
	}
	return err
}

// parts returns the pictures that are taken, the horizontal and the vertical part of a frame after the other. There are as many of both,
// with the same numbers: a part without its other is an error.
func (c *flowChannel) parts(cell Cell) ([]string, error) {
	folders := [2]string{cell.Fields[0], cell.Fields[len(cell.Fields)-1]}
	if folders[1] == "" {
		return nil, fmt.Errorf("%w: no folder of the vertical part", ErrMissing)
	}
	var names [2][]string
	for i, folder := range folders {
		var err error
		if names[i], err = c.folder.Pictures(folder, c.files[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", folder, err)
		}
	}
	if len(names[0]) != len(names[1]) {
		return nil, fmt.Errorf("%d horizontal parts, and %d vertical ones in %s", len(names[0]), len(names[1]), folders[1])
	}
	for i, x := range names[0] {
		if y := names[1][i]; lastNumber(x) != lastNumber(y) {
			return nil, fmt.Errorf("%s and %s: parts of different frames", x, y)
		}
	}
	x, err := c.spec.Choice.paths(folders[0], names[0])
	if err != nil {
		return nil, err
	}
	y, err := c.spec.Choice.paths(folders[1], names[1])
	if err != nil {
		return nil, err
	}
	parts := make([]string, 0, 2*len(x))
	for i := range x {
		parts = append(parts, x[i], y[i])
	}
	return parts, nil
}

// lastNumber returns the last run of digits of a name without its extension, without zeros before it.
func lastNumber(name string) string {
	stem := strings.TrimRightFunc(strings.TrimSuffix(name, path.Ext(name)), func(r rune) bool { return r < '0' || r > '9' })
	return strings.TrimLeft(stem[len(strings.TrimRight(stem, "0123456789")):], "0")
}

func (c *flowChannel) NewDecoder() (ChannelDecoder, error) {
	plan, err := c.spec.Size.plan()
	return &flowDecoder{c, plan}, err
}

// flowDecoder decodes folders of optical flow; it belongs to one goroutine.
type flowDecoder struct {
	*flowChannel
	plan *media.Imager
}

// Close implements io.Closer.
func (d *flowDecoder) Close() error { return d.plan.Close() }

// Decode implements ChannelDecoder.
func (d *flowDecoder) Decode(ctx context.Context, dst any, cell Cell) error {
	paths, err := d.parts(cell)
	if err != nil {
		return err
	}
	return d.folder.pictures(ctx, d.plan, dst.([]uint8), paths)
}

var flowKind = Kind{
	Name: "flow",
	Help: "Optical flow out of pictures whose brightness is the horizontal or the vertical part, 0 to 255, as frames, two parts, height and width. The parts lie in the folders of two columns, COLX+COLY, or in that of one, COL; they belong together by their order, and by the last number in their names.",
	Keys: frameKeys(append(choiceKeys("10"),
		Key{"x", "PATTERN", "", "Take the horizontal parts from the pictures whose names match PATTERN (default: of two folders all, of one flow_x_*)."},
		Key{"y", "PATTERN", "", "Take the vertical parts from these (default: of two folders all, of one flow_y_*)."})...),
	Parse: func(name, column string, v *Values) Spec {
		x, y, two := strings.Cut(column, "+")
		if two && (x == "" || y == "") && v.err == nil {
			v.err = fmt.Errorf("column %s: want COL, or two, COLX+COLY", column)
		}
		return FlowSpec{name, x, y, v.Pattern("x"), v.Pattern("y"), choiceOf(v), pictureOf(v, false)}
	},
}
