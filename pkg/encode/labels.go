package encode

import (
	"errors"
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mmtools/pkg/stream"
	"mmtools/pkg/table"
)

// LabelSource says which file holds labels, and what in it.
type LabelSource struct {
	Path   string
	Values string // column of a table, array of an npz or tensor of a safetensors file; "" for the column label, or the only one
	IDs    string // column of the ids, or array of texts of an npz file; "" for the column id, or row by row where there is none
}

// LabelsKind describes a LabelSource as FILE[:KEY=VALUE,...].
var LabelsKind = Kind{
	Name: "labels",
	Help: "Class names, or whole numbers from 0: of an npy file (numbers, or texts of type U or S) or a list (txt), row by row; of a table (csv, tsv, jsonl, parquet, arrow, feather) or an npz or safetensors file, by id where it has ids. What is empty is unlabelled.",
	Keys: []Key{
		{"values", "NAME", "", "Take the labels from the column, array or tensor NAME; without it from the column label, or the only one."},
		{"ids", "NAME", "", "Take the ids from the column NAME of the table, or from the array of texts in an npz file; without it from the column id, where there is one."},
	},
}

// ParseLabels reads FILE[:KEY=VALUE,...]; "" is no file.
func ParseLabels(text string) (LabelSource, error) {
	path, v, err := LabelsKind.cut(text, nil)
	if err != nil {
		return LabelSource{}, err
	}
	return LabelSource{path, v.Text("values"), v.Text("ids")}, nil
}

// Named reports whether the labels are texts of a NumPy array, which OpenJoined takes and OpenArrays does not.
func (s LabelSource) Named() bool {
	_, _, ok, _ := table.ReadTexts(table.Source{Path: s.Path, Values: s.Values, IDs: s.IDs})
	return ok
}

// labels are what a file says of samples, row by row or by id.
type labels struct {
	path  string
	ids   []string // nil where row i is sample i
	texts []string // names or numbers; "" where unlabelled
	place func(row int) string
}

// readLabels reads a file of labels; nil for none.
func readLabels(s LabelSource) (*labels, error) {
	l := &labels{path: s.Path, place: func(row int) string { return fmt.Sprintf("%s: row %d", s.Path, row) }}
	ext := strings.ToLower(filepath.Ext(s.Path))
	var err error
	switch {
	case s.Path == "":
		return nil, nil
	case slices.Contains(table.Formats, ext):
		err = l.table(s)
	case ext == ".npz":
		if err = l.named(s); err == nil && l.texts == nil {
			err = l.features(s)
		}
	case ext == ".safetensors":
		err = l.features(s)
	case s.Values != "" || s.IDs != "":
		err = stream.Errorf("%s: neither a table nor an npz or safetensors file: nothing in it has a name", s.Path)
	case ext == ".npy":
		if err = l.named(s); err == nil && l.texts == nil {
			err = l.array()
		}
	default:
		l.texts, _, err = readLines(s.Path)
		l.place = func(row int) string { return fmt.Sprintf("%s: line %d", s.Path, row+1) }
	}
	if err == nil && l.ids != nil {
		err = checkIDs(l.ids, l.place)
	}
	return l, err
}

func (l *labels) table(s LabelSource) error {
	rows, err := table.ReadRows(s.Path)
	if err != nil {
		return err
	}
	l.place = rows.Place
	find := func(name string) (int, error) {
		if i := slices.Index(rows.Columns, name); i >= 0 {
			return i, nil
		}
		return -1, stream.Errorf("%s: no column %q: it has %s", s.Path, name, strings.Join(rows.Columns, ", "))
	}
	id, _ := find("id")
	if s.IDs != "" {
		if id, err = find(s.IDs); err != nil {
			return err
		}
	}
	value, _ := find("label")
	switch {
	case s.Values != "":
		if value, err = find(s.Values); err != nil {
			return err
		}
	case value >= 0:
	case id >= 0 && len(rows.Columns) == 2:
		value = 1 - id
	case id < 0 && len(rows.Columns) == 1:
		value = 0
	default:
		return stream.Errorf("%s: no column label: say which holds the labels: %s", s.Path, strings.Join(rows.Columns, ", "))
	}
	if id >= 0 {
		l.ids = make([]string, 0, len(rows.Cells))
	}
	for _, cells := range rows.Cells {
		l.texts = append(l.texts, cells[value])
		if id >= 0 {
			l.ids = append(l.ids, cells[id])
		}
	}
	if len(l.texts) > 0 && !slices.ContainsFunc(l.texts, func(text string) bool { return text != "" }) {
		return stream.Errorf("%s: column %q holds neither text nor numbers", s.Path, rows.Columns[value])
	}
	return nil
}

// named reads labels that are texts of an npy or npz file, and leaves l as it is where they are none.
func (l *labels) named(s LabelSource) error {
	texts, ids, ok, err := table.ReadTexts(table.Source{Path: s.Path, Values: s.Values, IDs: s.IDs})
	if ok && err == nil {
		l.texts, l.ids = texts, ids
	}
	return err
}

// features reads labels that are numbers of an npz or safetensors file.
func (l *labels) features(s LabelSource) (err error) {
	f, err := table.OpenFeatures(table.Source{Path: s.Path, Values: s.Values, IDs: s.IDs})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if size := f.Shape(); !slices.Equal(size, []int{1}) {
		return stream.Errorf("%s: rows of shape %v: want one number a row", s.Path, size)
	}
	l.ids = f.IDs()
	var one [1]float32
	for row := range f.Rows() {
		if err := f.Read(row, one[:]); err != nil {
			return err
		}
		const exact = 1 << 24 // up to which float32 holds every whole number
		if v := float64(one[0]); v != math.Trunc(v) || math.Abs(v) > exact {
			return stream.Errorf("%s: label %v is not a whole number", l.place(row), v)
		}
		l.texts = append(l.texts, strconv.Itoa(int(one[0])))
	}
	return nil
}

func (l *labels) array() (err error) {
	array, err := openArray(l.path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, array.Close()) }()
	if array.RowSize() != 1 {
		return stream.Errorf("%s: shape %v: want one number a row", l.path, array.Shape())
	}
	for row := range array.Rows() {
		label, err := array.Int(row)
		if err != nil {
			return stream.Errorf("%s: label %w", l.place(row), err)
		}
		l.texts = append(l.texts, strconv.FormatInt(label, 10))
	}
	return nil
}

// classes makes class names of the labels and returns all classes: those given; or else, where every label is a whole number, 0 up to the
// largest; or else their names, sorted. Numbers are places among classes that are given, unless these are called so.
func (l *labels) classes(given []string) ([]string, error) {
	index, err := classIndex(given)
	if err != nil {
		return nil, err
	}
	numbers, named := true, given != nil
	for _, text := range l.texts {
		if text == "" {
			continue
		}
		_, notWhole := strconv.ParseInt(text, 10, 64)
		_, known := index[text]
		numbers, named = numbers && notWhole == nil, named && known
	}
	switch {
	case numbers && !named:
		return l.numbered(given)
	case given == nil:
		return sortedClasses(l.texts), nil
	}
	return given, nil // OpenMedia looks whether the samples' labels are among them
}

// numbered makes class names of numbers.
func (l *labels) numbered(classes []string) ([]string, error) {
	limit, top := int64(maxClasses), int64(-1)
	if classes != nil {
		limit = int64(len(classes))
	}
	for row, text := range l.texts {
		if text == "" {
			continue
		}
		label, _ := strconv.ParseInt(text, 10, 64)
		if label < 0 || label >= limit {
			return nil, stream.Errorf("%s: label %d is out of range: want 0 to %d", l.place(row), label, limit-1)
		}
		if top = max(top, label); classes != nil {
			l.texts[row] = classes[label]
		} else {
			l.texts[row] = strconv.FormatInt(label, 10)
		}
	}
	if classes == nil {
		classes = make([]string, top+1)
		for i := range classes {
			classes[i] = strconv.Itoa(i)
		}
	}
	return classes, nil
}

// join returns the label of each sample of a list, which samples no label names, and the ids of labels that no sample has.
func (l *labels) join(list *joined) (texts []string, without []int, beyond []string, err error) {
	if l.ids == nil {
		if len(l.texts) != list.rows {
			err = stream.Errorf("%s has %d rows: %s has %d", l.path, len(l.texts), list.name, list.rows)
		}
		return l.texts, nil, nil, err
	}
	rows := make(map[string]int, len(l.ids))
	for row, id := range l.ids {
		rows[id] = row
	}
	texts = make([]string, list.rows)
	for i := range texts {
		id := list.Field(i, 0)
		row, ok := rows[id]
		if !ok {
			without = append(without, i)
			continue
		}
		texts[i] = l.texts[row]
		delete(rows, id)
	}
	for _, id := range l.ids {
		if _, left := rows[id]; left {
			beyond = append(beyond, id)
		}
	}
	return texts, without, beyond, nil
}
