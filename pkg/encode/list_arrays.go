package encode

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"mmtools/pkg/stream"
	"mmtools/pkg/table"
)

// JoinedOptions say which files of features hold what. Files that name their samples are joined by id; row i of the others and of the mask is
// the list's sample i.
type JoinedOptions struct {
	Modalities []FeatureSpec // each with its File; their Column is set here
	Encoders   []EncoderOptions
	Labels     LabelSource // "" for its path leaves every sample unlabelled
	IDs        string      // text file with an id a line; "" for the ids of the first file that has some, or else for the rows' numbers
	Mask       string      // npy, one number a row: samples where it is not zero are kept; "" keeps all
	Invert     bool        // keep the others
	Classes    []string    // in label order; nil for "0" to the largest label, or for their names, sorted
	Missing    Policy      // of what a file has no row for
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
	labels, err := readLabels(o.Labels)
	if err != nil {
		return nil, err
	}
	list, err := o.list(files, labels)
	if err != nil {
		return nil, err
	}
	media := MediaOptions{List: list, ID: "id", Classes: o.Classes, Missing: o.Missing, Errors: o.Errors}
	if err := o.masked(list, &media); err != nil {
		return nil, err
	}
	var unlabelled []int
	var beyond []string
	if labels != nil {
		if media.Classes, err = labels.classes(o.Classes); err != nil {
			return nil, err
		}
		if list.labels, unlabelled, beyond, err = labels.join(list); err != nil {
			return nil, err
		}
		media.Label = "label"
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
	m, err := OpenMedia(media)
	if err == nil && labels != nil {
		m.withoutLabel(labels.path, unlabelled, beyond)
	}
	return m, err
}

// withoutLabel reports the rows that a file of labels does not name, among those that are encoded, and the ids that are in it alone.
func (m *Media) withoutLabel(path string, unlabelled []int, beyond []string) {
	if len(beyond) > 0 {
		m.beyond = append(m.beyond, Leftover{labelColumn, path, beyond})
	}
	for _, row := range unlabelled {
		if _, kept := slices.BinarySearch(m.rows, row); kept {
			m.missing = append(m.missing, Failure{Row: row, ID: m.list.Field(row, m.id), Modality: labelColumn, Path: path, Missing: true,
				Err: fmt.Errorf("%s: no label of it in %s", m.list.Place(row), path)})
		}
	}
	slices.SortStableFunc(m.missing, func(a, b Failure) int { return cmp.Compare(a.Row, b.Row) })
}

// labelColumn stands for a modality in reports of labels; no modality may be called so.
const labelColumn = "label"

// list finds out which samples there are.
func (o JoinedOptions) list(files []*table.Features, labels *labels) (*joined, error) {
	if o.IDs != "" {
		lines, _, err := readLines(o.IDs)
		return &joined{name: o.IDs, ids: lines, rows: len(lines)}, err
	}
	for i, f := range files {
		if ids := f.IDs(); ids != nil {
			return &joined{name: o.Modalities[i].File, ids: ids, rows: len(ids)}, nil
		}
	}
	if labels != nil && labels.ids != nil {
		return &joined{name: labels.path, ids: labels.ids, rows: len(labels.ids)}, nil
	}
	return &joined{name: o.Modalities[0].File, rows: files[0].Rows()}, nil
}

// masked adds the mask, which is an array as that of OpenArrays is.
func (o JoinedOptions) masked(l *joined, media *MediaOptions) error {
	if o.Mask == "" {
		return nil
	}
	a := &Arrays{}
	defer a.Close() // it was only read
	array, err := a.openColumn(o.Mask)
	if err != nil {
		return err
	}
	if array.Rows() != l.rows {
		return stream.Errorf("%s has %d rows: %s has %d", o.Mask, array.Rows(), l.name, l.rows)
	}
	l.mask = make([]bool, l.rows)
	for i := range l.mask {
		l.mask[i] = array.Bool(i) != o.Invert
	}
	media.Where = []Condition{{Column: "kept", Values: []string{"true"}}}
	return nil
}

// FileKind is a modality of one file with all samples: what mm-encode arrays asks for, as [NAME=]FILE[:KEY=VALUE,...].
var FileKind = Kind{
	Name: "modality",
	Help: "Numbers that are there already, of a file that holds a row for each sample, or names its samples, or of a folder with a file for each.",
	Keys: slices.Clone(featureKind.Keys[1:]),
	Parse: func(name, file string, v *Values) Spec {
		spec := parseFeature(name, "", v)
		spec.File = file
		return spec
	},
}
