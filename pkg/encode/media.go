package encode

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"mmtools/pkg/stream"
)

// MediaOptions say which list names the samples and how its cells become tensors.
type MediaOptions struct {
	List        List
	Root        string      // folder that the list's paths are relative to and must not leave; "" for the working folder
	ID          string      // column of the ids
	Label       string      // column of the class names, empty where unlabelled; "" leaves every sample unlabelled
	Channels    []Spec      // a modality each, in the order of the stream
	Where       []Condition // all must hold
	Classes     []string    // in label order; nil for the values of the label column in the whole list, sorted
	OnlyClasses bool        // leave out the rows whose label is none of Classes, where it would be an error
	Missing     Policy      // of what is not there; "" is Fail
	Errors      Policy      // of what is there and broken, as far as it is seen before decoding: a path that leaves the root; "" is Fail
}

// Media is a Source over a list whose cells name media.
type Media struct {
	o        MediaOptions
	samples  Samples
	list     List
	folder   *Folder
	rows     []int // of the list, those kept
	id       int   // columns
	label    int   // -1 for none
	classes  map[string]int32
	channels []Channel
	missing  []Failure       // in the order of the list
	beyond   []Leftover      // of labels
	absent   map[[2]int]bool // (row of the list, modality) that Missing made null
}

// OpenMedia checks all that does not need the media's contents: columns, unique ids, classes, paths, and that every file is there.
func OpenMedia(o MediaOptions) (*Media, error) {
	o.Missing, o.Errors = cmp.Or(o.Missing, Fail), cmp.Or(o.Errors, Fail)
	m := &Media{o: o, list: o.List, absent: map[[2]int]bool{}}
	if err := m.open(); err != nil {
		return nil, errors.Join(err, m.Close())
	}
	return m, nil
}

func (m *Media) open() error {
	var err error
	if m.rows, err = where(m.list, m.o.Where); err != nil {
		return err
	}
	path := m.o.Root
	if path == "" {
		path = "."
	}
	if m.folder, err = openFolder(path); err != nil {
		return err
	}
	if err := m.openLabels(); err != nil {
		return err
	}
	if err := m.openIDs(); err != nil {
		return err
	}
	for _, spec := range m.o.Channels {
		if err := m.openChannel(spec); err != nil {
			return err
		}
	}
	if err := checkModalities(m.samples.Modalities); err != nil {
		return err
	}
	return m.inspect()
}

func (m *Media) openIDs() error {
	var err error
	if m.id, err = Column(m.list, m.o.ID); err != nil {
		return err
	}
	ids := make([]string, len(m.rows))
	for k, row := range m.rows {
		ids[k] = m.list.Field(row, m.id)
	}
	return checkIDs(ids, func(k int) string { return m.list.Place(m.rows[k]) })
}

// openLabels fixes the classes and checks that every row kept has one of them. They come from the whole list, not only the rows
// kept, so that the streams of a training and a test split agree.
func (m *Media) openLabels() error {
	m.samples.Classes, m.label = m.o.Classes, -1
	if m.o.Label != "" {
		var err error
		if m.label, err = Column(m.list, m.o.Label); err != nil {
			return err
		}
		if m.o.Classes == nil {
			m.samples.Classes = sortedClasses(values(m.list, m.label))
		}
	}
	var err error
	if m.classes, err = classIndex(m.samples.Classes); err != nil || m.label < 0 {
		return err
	}
	if m.o.OnlyClasses {
		m.rows = slices.DeleteFunc(m.rows, func(row int) bool {
			_, ok := m.classes[m.list.Field(row, m.label)]
			return !ok
		})
		return nil
	}
	for _, row := range m.rows {
		name := m.list.Field(row, m.label)
		if _, ok := m.classes[name]; !ok && name != "" {
			return stream.Errorf("%s: label %q is none of the %d classes", m.list.Place(row), name, len(m.classes))
		}
	}
	return nil
}

func (m *Media) openChannel(spec Spec) error {
	c, err := spec.Open(&Inputs{List: m.list, Folder: m.folder})
	if err != nil {
		return fmt.Errorf("modality %q: %w", spec.ModalityName(), err)
	}
	m.channels = append(m.channels, c)
	m.samples.Modalities = append(m.samples.Modalities, c.Modality())
	m.samples.Elements = append(m.samples.Elements, c.Element())
	return nil
}

// cell fills c with what the list says of a channel at a row; false where the sample lacks the modality.
func (m *Media) cell(c *Cell, channel Channel, row int) bool {
	c.Row, c.ID, c.Fields = row, m.list.Field(row, m.id), c.Fields[:0]
	for _, column := range channel.Columns() {
		c.Fields = append(c.Fields, m.list.Field(row, column))
	}
	return c.Fields[0] != ""
}

// labelOf returns the label of a row of the list, -1 where it has none.
func (m *Media) labelOf(row int) int32 {
	if m.label < 0 {
		return -1
	}
	if label, ok := m.classes[m.list.Field(row, m.label)]; ok {
		return label
	}
	return -1
}

// failure describes what is wrong with a channel's cell.
func (m *Media) failure(p int, cell Cell, err error) Failure {
	column := m.channels[p].Columns()[0]
	missing := isMissing(err)
	err = wrapCell(m.list, cell.Row, column, fmt.Errorf("%s: %w", cell.Fields[0], err))
	if !missing {
		err = stream.Errorf("%w", err) // what is there and cannot be read as what it should be is bad input
	}
	return Failure{Row: cell.Row, ID: m.list.Field(cell.Row, m.id), Modality: m.samples.Modalities[p].Name, Path: cell.Fields[0],
		Missing: missing, Err: err}
}

// wrapCell adds a cell's place in the list to an error.
func wrapCell(l List, row, column int, err error) error {
	return fmt.Errorf("%s, column %q: %w", l.Place(row), l.Columns()[column], err)
}

// Samples implements Source.
func (m *Media) Samples() Samples { return m.samples }

// Rows implements Source.
func (m *Media) Rows() int { return len(m.rows) }

// Missing returns what is not there, in the order of the list, of samples left out and of those kept without it: what the list has
// from row from on and before row to. The shards of a source have each of them once.
func (m *Media) Missing(from, to int) []Failure {
	first, end := 0, m.list.Rows()
	if from > 0 {
		first = m.listRow(from)
	}
	if to < len(m.rows) {
		end = m.listRow(to)
	}
	var found []Failure
	for _, f := range m.missing {
		if f.Row >= first && f.Row < end {
			found = append(found, f)
		}
	}
	return found
}

// Leftover says which ids the file of a modality, or of the labels, has and the list has not.
type Leftover struct {
	Modality string // or label
	File     string
	IDs      []string
}

// Leftovers returns what is in the files of labels and of modalities alone, where a modality comes from a file with all samples.
func (m *Media) Leftovers() []Leftover {
	all := slices.Clone(m.beyond)
	for _, c := range m.channels {
		if j, ok := c.(interface{ Leftover() Leftover }); ok && len(j.Leftover().IDs) > 0 {
			all = append(all, j.Leftover())
		}
	}
	return all
}

// listRow returns where sample i is in the list; past the last, where the list ends.
func (m *Media) listRow(i int) int {
	if i >= len(m.rows) {
		return m.list.Rows()
	}
	return m.rows[i]
}

// Close closes the channels and the root folder.
func (m *Media) Close() error {
	var errs []error
	for _, c := range m.channels {
		errs = append(errs, c.Close())
	}
	return errors.Join(append(errs, m.folder.close())...)
}
