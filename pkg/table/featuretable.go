package table

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"mmtools/pkg/stream"
)

// openTable spools the vectors of a table. The digest is over them, their ids and which are null.
func (f *Features) openTable() error {
	r, err := Open(f.source.Path)
	if err != nil {
		return err
	}
	defer r.Close() // only read
	id, values, err := f.columns(r)
	if err != nil {
		return err
	}
	e := elementOfColumns(r, values)
	data, err := spool(func(w io.Writer) error {
		out := bufio.NewWriterSize(w, 1<<18)
		if err := f.copyRows(r, id, values, e, out); err != nil {
			return err
		}
		return out.Flush()
	})
	if err != nil {
		return err
	}
	f.maps = append(f.maps, data)
	if err := f.setShape([]int{f.size}); err != nil {
		return err
	}
	f.fromElements(data, e)
	return nil
}

// columns finds the column of the ids, -1 for none, and those of the values.
func (f *Features) columns(r Reader) (id int, values []int, err error) {
	names, path := r.Columns(), f.source.Path
	name := f.source.IDs
	if name == "" {
		name = "id"
	}
	id = slices.Index(names, name)
	if id < 0 && f.source.IDs != "" {
		_, err := Column(r, path, name)
		return 0, nil, err
	}
	switch wanted := f.source.Values; {
	case wanted == "":
		for i := range names {
			if i != id {
				values = append(values, i)
			}
		}
		if len(values) != 1 {
			return 0, nil, stream.Errorf("%s: %d columns beside the ids: say which holds the numbers: %s", path, len(values), few(names))
		}
	case strings.HasSuffix(wanted, "*"):
		for i, name := range names {
			if i != id && strings.HasPrefix(name, strings.TrimSuffix(wanted, "*")) {
				values = append(values, i)
			}
		}
		if len(values) == 0 {
			return 0, nil, stream.Errorf("%s: no column begins with %q: it has %s", path, strings.TrimSuffix(wanted, "*"), few(names))
		}
	default:
		for name := range strings.SplitSeq(wanted, ",") {
			i, err := Column(r, path, name)
			if err != nil {
				return 0, nil, err
			}
			values = append(values, i)
		}
	}
	return id, values, nil
}

// maxRows bounds the rows of a table of features: a Parquet file of a few bytes can hold any number of nulls.
const maxRows = 1 << 30

// copyRows writes every row as elements of type e, little endian; those that are null as zeros.
func (f *Features) copyRows(r Reader, id int, values []int, e Element, out io.Writer) error {
	var row []float32
	var raw []byte
	for {
		err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if id >= 0 {
			text, _, err := r.Text(id)
			if err != nil {
				return err
			}
			if err := f.identify(text); err != nil {
				return err
			}
		}
		present := true
		if row, present, err = cells(r, values, row[:0]); err != nil {
			return err
		}
		f.absent = append(f.absent, !present)
		if f.rows++; f.rows > maxRows {
			return stream.Errorf("%s: more than %d rows", f.source.Path, maxRows)
		}
		if present && f.size == 0 {
			if f.size = len(row); f.size == 0 || f.size > maxCell {
				return stream.Errorf("%s: %d numbers, want 1 to %d", r.Place(), f.size, maxCell)
			}
			for range f.rows - 1 { // of those before, which were null
				if _, err := out.Write(make([]byte, e.Size()*f.size)); err != nil {
					return fmt.Errorf("spooling: %w", err)
				}
			}
		}
		if present && len(row) != f.size {
			return stream.Errorf("%s: %d numbers, the rows before have %d", r.Place(), len(row), f.size)
		}
		if !present {
			raw = append(raw[:0], make([]byte, e.Size()*f.size)...)
		} else if raw, err = appendElements(raw[:0], row, e); err != nil {
			return stream.Errorf("%s: %w", r.Place(), err)
		}
		if _, err := out.Write(raw); err != nil {
			return fmt.Errorf("spooling: %w", err)
		}
	}
	if f.size == 0 {
		return stream.Errorf("%s: no row holds numbers", f.source.Path)
	}
	if !slices.Contains(f.absent, true) {
		f.absent = nil
	}
	return nil
}

// cells joins the numbers of some columns. A row is null where all are; where some are, it is an error.
func cells(r Reader, columns []int, dst []float32) ([]float32, bool, error) {
	missing := 0
	for _, column := range columns {
		var ok bool
		var err error
		if dst, ok, err = r.Numbers(column, dst); err != nil {
			return dst, false, err
		}
		if !ok {
			missing++
		}
	}
	if missing > 0 && missing < len(columns) {
		return dst, false, stream.Errorf("%s: %w", r.Place(), errors.New("some of the numbers are null, and not all"))
	}
	return dst, missing == 0, nil
}
