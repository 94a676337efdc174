package encode

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"mmtools/pkg/stream"
	"mmtools/pkg/table"
)

// JoinedOptions say which files of features hold what. Files that name their samples are joined by id; row i of the others, of the
// labels and of the mask is the list's sample i.
type JoinedOptions struct {
	Modalities []FeatureSpec // each with its File; their Column is set here
	Encoders   []EncoderOptions
	Labels     string   // npy of whole numbers from 0, one a row; "" leaves every sample unlabelled
	IDs        string   // text file with an id a line; "" for the ids of the first file that has some, or else for the rows' numbers
	Mask       string   // npy, one number a row: samples where it is not zero are kept; "" keeps all
	Invert     bool     // keep the others
	Classes    []string // in label order; nil for "0" to the largest label
	Missing    Policy   // of what a file has no row for
	Errors     Policy
}

// joined is the list of the samples that files of features hold.
type joined struct {
	name   string // of the file that says which there are
	ids    []string
	rows   int
	labels []string // nil for none
	mask   []bool   // nil for none
}

// The columns of a joined list.
var joinedColumns = []string{"id", "row", "label", "kept"}

func (l *joined) Name() string      { return l.name }
func (l *joined) Columns() []string { return joinedColumns }
func (l *joined) Rows() int         { return l.rows }

func (l *joined) Field(row, column int) string {
	switch {
	case column == 0 && l.ids != nil:
		return l.ids[row]
	case column <= 1:
		return strconv.Itoa(row)
	case column == 2 && l.labels != nil:
		return l.labels[row]
	case column == 3 && l.mask != nil:
		return strconv.FormatBool(l.mask[row])
	}
	return ""
}

func (l *joined) Place(row int) string { return fmt.Sprintf("%s: row %d", l.name, row) }

// OpenJoined opens files of features and joins them. A file that names no samples must have as many rows as there are samples.
func OpenJoined(o JoinedOptions) (*Media, error) {
	var files []*table.Features
	m, err := func() (*Media, error) {
		for i := range o.Modalities {
			s := &o.Modalities[i]
			f, err := table.OpenFeatures(table.Source{Path: s.File, Values: s.Values, IDs: s.IDs})
			if err != nil {
				return nil, fmt.Errorf("modality %q: %w", s.Name, err)
			}
			files, s.all = append(files, f), f
		}
		return o.open(files)
	}()
	if err != nil {
		for _, f := range files {
			err = errors.Join(err, f.Close()) // those of channels are closed already, which does no harm
		}
	}
	return m, err
}

func (o JoinedOptions) open(files []*table.Features) (*Media, error) {
	if len(files) == 0 {
		return nil, errors.New("no modality: want at least one")
	}
	list, err := o.list(files)
	if err != nil {
		return nil, err
	}
	media := MediaOptions{List: list, ID: "id", Classes: o.Classes, Missing: o.Missing, Errors: o.Errors}
	if err := o.columns(list, &media); err != nil {
		return nil, err
	}
	for i, s := range o.Modalities {
		if s.Column = "id"; files[i].IDs() == nil {
			if s.Column = "row"; files[i].Rows() != list.rows {
				return nil, stream.Errorf("%s has %d rows and no ids: %s has %d", s.File, files[i].Rows(), list.name, list.rows)
			}
		}
		media.Channels = append(media.Channels, s)
	}
	for _, e := range o.Encoders {
		i := slices.IndexFunc(media.Channels, func(s Spec) bool { return s.ModalityName() == e.Name })
		if i < 0 {
			return nil, fmt.Errorf("encoder of %q: no such modality", e.Name)
		}
		media.Channels[i] = EncoderSpec{media.Channels[i], e}
	}
	return OpenMedia(media)
}

// list finds out which samples there are.
func (o JoinedOptions) list(files []*table.Features) (*joined, error) {
	if o.IDs != "" {
		lines, _, err := readLines(o.IDs)
		return &joined{name: o.IDs, ids: lines, rows: len(lines)}, err
	}
	for i, f := range files {
		if ids := f.IDs(); ids != nil {
			return &joined{name: o.Modalities[i].File, ids: ids, rows: len(ids)}, nil
		}
	}
	return &joined{name: o.Modalities[0].File, rows: files[0].Rows()}, nil
}

// columns adds labels and mask, which are arrays as those of OpenArrays are.
func (o JoinedOptions) columns(l *joined, media *MediaOptions) error {
	a := &Arrays{}
	defer a.Close() // they were only read
	for _, file := range []string{o.Labels, o.Mask} {
		if file == "" {
			continue
		}
		array, err := a.openColumn(file)
		if err != nil {
			return err
		}
		if array.Rows() != l.rows {
			return stream.Errorf("%s has %d rows: %s has %d", file, array.Rows(), l.name, l.rows)
		}
		if file == o.Labels {
			a.labels = array
		}
		if file == o.Mask {
			l.mask = make([]bool, l.rows)
			for i := range l.mask {
				l.mask[i] = array.Bool(i) != o.Invert
			}
			media.Where = []Condition{{Column: "kept", Values: []string{"true"}}}
		}
	}
	if a.labels == nil {
		return nil
	}
	classes, err := a.classes(ArraysOptions{Labels: o.Labels, Classes: o.Classes})
	if err != nil {
		return err
	}
	media.Label, media.Classes, l.labels = "label", classes, make([]string, l.rows)
	for i := range l.labels {
		label, _ := a.labels.Int(i) // classes looked at it
		l.labels[i] = classes[label]
	}
	return nil
}

// FileKind is a modality of one file with all samples: what mm-encode arrays asks for, as [NAME=]FILE[:KEY=VALUE,...].
var FileKind = Kind{
	Name: "modality",
	Help: "Numbers that are there already, of a file that holds a row for each sample, or names its samples.",
	Keys: slices.Clone(featureKind.Keys[1:]),
	Parse: func(name, file string, v *Values) Spec {
		spec := parseFeature(name, "", v)
		spec.File = file
		return spec
	},
}
