package table

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"unicode/utf8"

	"mmtools/pkg/stream"
	"mmtools/pkg/table/parquet"
)

// maxCell bounds the numbers of a cell: 256 MiB of float32.
const maxCell = 1 << 26

// rowGroups reads Parquet. A column is decoded only from where it is asked for.
type rowGroups struct {
	data    mapped
	f       *parquet.File
	path    string
	columns []string
	chunks  []*parquet.Chunk // of each column in the row group; nil before it is asked for
	read    []int64          // rows of each that have been read
	group   int              // the row group that the row is in
	row     int64            // of the row group
	rows    int64            // of the row group
	whole   int64            // of the table, from 0
}

func openParquet(path string) (Reader, error) {
	data, err := mapFile(path)
	if err != nil {
		return nil, err
	}
	t := &rowGroups{data: data, path: path, group: -1, row: -1, whole: -1}
	if t.f, err = parquet.Open(data); err != nil {
		return nil, errors.Join(stream.Errorf("%s: %w", path, err), data.close())
	}
	for _, c := range t.f.Columns() {
		t.columns = append(t.columns, c.Name)
	}
	t.chunks, t.read = make([]*parquet.Chunk, len(t.columns)), make([]int64, len(t.columns))
	if err := checkColumns(path, t.columns); err != nil {
		return nil, errors.Join(err, t.Close())
	}
	return t, nil
}

func (t *rowGroups) Columns() []string { return t.columns }
func (t *rowGroups) Place() string     { return fmt.Sprintf("%s: row %d", t.path, t.whole) }

func (t *rowGroups) Close() error {
	t.f.Close()
	return t.data.close()
}

func (t *rowGroups) Next() error {
	t.row++
	t.whole++
	for t.group < 0 || t.row >= t.rows {
		if t.group++; t.group >= t.f.Groups() {
			return io.EOF
		}
		t.row, t.rows = 0, t.f.Rows(t.group)
		clear(t.chunks)
		clear(t.read)
	}
	return nil
}

// cell goes through the values of the column's cell of the table's row.
func (t *rowGroups) cell(column int, keep func(v *parquet.Value) error) (ok bool, err error) {
	c := t.f.Columns()[column]
	if c.Struct() {
		return false, errVector
	}
	if t.chunks[column] == nil {
		if t.chunks[column], err = t.f.Chunk(t.group, c); err != nil {
			return false, err
		}
	}
	if t.read[column] > t.row {
		return false, errors.New("a cell is read once")
	}
	for ; t.read[column] < t.row; t.read[column]++ {
		if _, err := t.chunks[column].Cell(func(*parquet.Value) error { return nil }); err != nil {
			return false, err
		}
	}
	t.read[column]++
	return t.chunks[column].Cell(keep)
}

func (t *rowGroups) Text(column int) (text string, ok bool, err error) {
	c := t.f.Columns()[column]
	if refused := c.Refused(); refused != "" {
		return "", false, t.wrap(column, fmt.Errorf("got %s, %w", refused, errNoText))
	}
	ok, err = t.cell(column, func(v *parquet.Value) error {
		if c.List {
			return errVector
		}
		text, err = cellOf(c, v)
		return err
	})
	if ok && c.List { // an empty one
		err = errVector
	}
	return text, ok && err == nil, t.wrap(column, err)
}

// cellOf returns a value as text.
func cellOf(c *parquet.Column, v *parquet.Value) (string, error) {
	switch c.Kind {
	case parquet.Bool:
		return strconv.FormatBool(v.Int != 0), nil
	case parquet.Int:
		return strconv.FormatInt(v.Int, 10), nil
	case parquet.Uint:
		return strconv.FormatUint(uint64(v.Int), 10), nil
	case parquet.Float32:
		return strconv.FormatFloat(v.Float, 'g', -1, 32), nil
	case parquet.Float64:
		return strconv.FormatFloat(v.Float, 'g', -1, 64), nil
	}
	switch {
	case len(v.Bytes) > maxRow:
		return "", fmt.Errorf("a text of more than %d MiB", maxRow>>20)
	case !utf8.Valid(v.Bytes):
		return "", errors.New("not UTF-8 text")
	}
	return string(v.Bytes), nil
}

func (t *rowGroups) Numbers(column int, dst []float32) (numbers []float32, ok bool, err error) {
	c := t.f.Columns()[column]
	most := len(dst) + maxCell
	ok, err = t.cell(column, func(v *parquet.Value) error {
		switch c.Kind {
		case parquet.Bool, parquet.Int:
			dst = append(dst, float32(v.Int))
		case parquet.Uint:
			dst = append(dst, float32(uint64(v.Int)))
		case parquet.Float32, parquet.Float64:
			dst = append(dst, float32(v.Float))
		case parquet.Text:
			text, err := cellOf(c, v)
			if err == nil {
				dst, err = appendText(dst, text)
			}
			if err != nil {
				return err
			}
		}
		if len(dst) > most {
			return fmt.Errorf("more than %d values in a cell", maxCell)
		}
		return nil
	})
	return dst, ok && err == nil, t.wrap(column, err)
}

func (t *rowGroups) wrap(column int, err error) error {
	if err == nil {
		return nil
	}
	return stream.Errorf("%s: column %q: %w", t.Place(), t.columns[column], err)
}
