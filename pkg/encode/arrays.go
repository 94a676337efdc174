package encode

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"mmtools/pkg/media"
	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// ArraysOptions say which npy files hold what. Row i of every file belongs to the same sample.
type ArraysOptions struct {
	Modalities []ArrayModality
	Labels     string   // npy of whole numbers from 0, one a row; "" leaves every sample unlabelled
	IDs        string   // text file with an id a line; "" names a sample by its row in the arrays, from 0
	Mask       string   // npy, one number a row: samples where it is not zero are kept; "" keeps all
	Invert     bool     // keep the others
	Classes    []string // names in label order; nil for "0" to the largest label in the whole file, masked or not
}

// ArrayModality is one modality and the array that holds it.
type ArrayModality struct {
	Name  string
	Kind  modality.Kind
	File  string
	Shape []int // of a sample; nil for the array's own without its rows
}

// maxClasses bounds the classes that labels without names make: one stray label must not make a header of gigabytes.
const maxClasses = 1 << 16

// Arrays is a Source over npy arrays, which stay mapped.
type Arrays struct {
	samples Samples
	arrays  []*media.Array // of each modality
	labels  *media.Array
	rows    []int    // the rows kept
	ids     []string // of the rows kept; nil for their numbers
	mapped  []*media.Array
}

// OpenArrays maps the arrays and checks all that does not need their features: equal numbers of rows, labels that are whole
// numbers with a class, unique ids. float16 and uint8 arrays keep their type, all others become float32, rounded to nearest.
func OpenArrays(o ArraysOptions) (*Arrays, error) {
	a := &Arrays{}
	if err := a.open(o); err != nil {
		return nil, errors.Join(err, a.Close())
	}
	return a, nil
}

func (a *Arrays) open(o ArraysOptions) error {
	for _, m := range o.Modalities {
		if err := a.addModality(m); err != nil {
			return err
		}
	}
	if err := checkModalities(a.samples.Modalities); err != nil {
		return err
	}
	var err error
	if o.Labels != "" {
		if a.labels, err = a.openColumn(o.Labels); err != nil {
			return err
		}
	}
	if err := a.selectRows(o); err != nil {
		return err
	}
	if a.samples.Classes, err = a.classes(o); err != nil {
		return err
	}
	var idText []byte
	if o.IDs != "" {
		if idText, err = a.readIDs(o.IDs); err != nil {
			return err
		}
	}
	d := newDigest()
	d.Text("arrays")
	d.options(struct {
		Samples  Samples
		HasLabel bool
		HasMask  bool
		Invert   bool
	}{a.samples, o.Labels != "", o.Mask != "", o.Invert})
	for _, m := range a.mapped {
		d.Bytes(m.Bytes())
	}
	d.Bytes(idText)
	a.samples.Digest = d.String()
	return nil
}

// addModality maps the array of m, which must have as many rows as the first.
func (a *Arrays) addModality(m ArrayModality) error {
	array, err := a.openRows(m.File)
	if err != nil {
		return fmt.Errorf("modality %q: %w", m.Name, err)
	}
	shape := m.Shape
	if shape == nil {
		if shape = array.Shape()[1:]; len(shape) == 0 {
			shape = []int{1}
		}
	}
	out := modality.Modality{Name: m.Name, Kind: m.Kind, Shape: slices.Clone(shape)}
	if err := checkModalities([]modality.Modality{out}); err != nil {
		return stream.Errorf("%s: %w", m.File, err)
	}
	if out.Size() != array.RowSize() {
		return fmt.Errorf("modality %q: shape %v takes %d numbers: a row of %s has %d", m.Name, shape, out.Size(), m.File, array.RowSize())
	}
	element := Float32
	switch array.Type()[1:] {
	case "f2":
		element = Float16
	case "u1":
		element = Uint8
	}
	a.arrays = append(a.arrays, array)
	a.samples.Modalities = append(a.samples.Modalities, out)
	a.samples.Elements = append(a.samples.Elements, element)
	return nil
}

// openArray maps an array; one that is there but cannot be read is bad input.
func openArray(file string) (*media.Array, error) {
	array, err := media.OpenArray(file)
	if _, unopened := errors.AsType[*fs.PathError](err); err != nil && !unopened {
		err = stream.Errorf("%w", err)
	}
	return array, err
}

// openRows maps an array and compares its rows with those of the first.
func (a *Arrays) openRows(file string) (*media.Array, error) {
	array, err := openArray(file)
	if err != nil {
		return nil, err
	}
	a.mapped = append(a.mapped, array)
	if first := a.mapped[0]; array.Rows() != first.Rows() {
		return nil, stream.Errorf("%s has %d rows: %s has %d", file, array.Rows(), first.Name(), first.Rows())
	}
	return array, nil
}

// openColumn maps an array of one number a row.
func (a *Arrays) openColumn(file string) (*media.Array, error) {
	array, err := a.openRows(file)
	if err == nil && array.RowSize() != 1 {
		err = stream.Errorf("%s: shape %v: want one number a row", file, array.Shape())
	}
	return array, err
}

// selectRows applies the mask.
func (a *Arrays) selectRows(o ArraysOptions) error {
	var mask *media.Array
	if o.Mask != "" {
		var err error
		if mask, err = a.openColumn(o.Mask); err != nil {
			return err
		}
	}
	for i := range a.mapped[0].Rows() {
		if mask == nil || mask.Bool(i) != o.Invert {
			a.rows = append(a.rows, i)
		}
	}
	return nil
}

// classes checks every label, of all rows, and returns the classes.
func (a *Arrays) classes(o ArraysOptions) ([]string, error) {
	if _, err := classIndex(o.Classes); err != nil {
		return nil, err
	}
	if a.labels == nil {
		return o.Classes, nil
	}
	limit := int64(maxClasses)
	if o.Classes != nil {
		limit = int64(len(o.Classes))
	}
	top := int64(-1)
	for i := range a.labels.Rows() {
		label, err := a.labels.Int(i)
		if err == nil && (label < 0 || label >= limit) {
			err = fmt.Errorf("%d is out of range: want 0 to %d", label, limit-1)
		}
		if err != nil {
			return nil, stream.Errorf("%s: row %d: label %w", o.Labels, i, err)
		}
		top = max(top, label)
	}
	if o.Classes != nil {
		return o.Classes, nil
	}
	classes := make([]string, top+1)
	for i := range classes {
		classes[i] = strconv.Itoa(i)
	}
	return classes, nil
}

// readIDs reads an id a line for each row of the arrays and keeps those of the rows selected; it returns the text.
func (a *Arrays) readIDs(file string) ([]byte, error) {
	lines, text, err := readLines(file)
	if err != nil {
		return nil, err
	}
	if rows := a.mapped[0].Rows(); len(lines) != rows {
		return nil, stream.Errorf("%s has %d lines: %s has %d rows", file, len(lines), a.mapped[0].Name(), rows)
	}
	a.ids = make([]string, len(a.rows))
	for k, i := range a.rows {
		a.ids[k] = lines[i]
	}
	return text, checkIDs(a.ids, func(k int) string { return fmt.Sprintf("%s: line %d", file, a.rows[k]+1) })
}

// Samples implements Source.
func (a *Arrays) Samples() Samples { return a.samples }

// Rows implements Source.
func (a *Arrays) Rows() int { return len(a.rows) }

// Close unmaps the arrays.
func (a *Arrays) Close() error {
	var errs []error
	for _, m := range a.mapped {
		errs = append(errs, m.Close())
	}
	a.mapped = nil
	return errors.Join(errs...)
}
