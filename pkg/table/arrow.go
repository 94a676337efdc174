package table

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mmtools/pkg/stream"
)

// records reads Arrow IPC, record by record.
type records struct {
	r       *stream.Reader
	path    string
	columns []string
	record  arrow.Record // borrowed
	row     int          // of the record
	whole   int64        // of the table, from 0
}

func openArrow(path string) (Reader, error) {
	r, err := stream.OpenFile(path)
	if err != nil {
		return nil, err
	}
	t := &records{r: r, path: path, whole: -1}
	for _, field := range r.Schema().Fields() {
		t.columns = append(t.columns, field.Name)
	}
	if err := checkColumns(path, t.columns); err != nil {
		r.Close()
		return nil, err
	}
	return t, nil
}

func (t *records) Columns() []string { return t.columns }
func (t *records) Place() string     { return fmt.Sprintf("%s: row %d", t.path, t.whole) }
func (t *records) Close() error      { return t.r.Close() }

func (t *records) Next() error {
	t.row++
	t.whole++
	for t.record == nil || t.row >= int(t.record.NumRows()) {
		record, err := t.r.Next()
		if err != nil {
			return err
		}
		t.record, t.row = record, 0
	}
	return nil
}

func (t *records) Text(column int) (string, bool, error) {
	text, ok, err := cellText(t.record.Column(column), t.row)
	if err != nil {
		err = stream.Errorf("%s: column %q: %w", t.Place(), t.columns[column], err)
	}
	return text, ok, err
}

func (t *records) Numbers(column int, dst []float32) ([]float32, bool, error) {
	values := t.record.Column(column)
	if values.IsNull(t.row) {
		return dst, false, nil
	}
	dst, err := appendCells(dst, values, t.row, t.row+1)
	if err != nil {
		err = stream.Errorf("%s: column %q: %w", t.Place(), t.columns[column], err)
	}
	return dst, err == nil, err
}

// cellText returns element i as text.
func cellText(values arrow.Array, i int) (string, bool, error) {
	if values.IsNull(i) {
		return "", false, nil
	}
	switch v := values.(type) {
	case *array.String:
		return string([]byte(v.Value(i))), true, nil // the record is borrowed
	case *array.LargeString:
		return string([]byte(v.Value(i))), true, nil
	case *array.Boolean:
		return strconv.FormatBool(v.Value(i)), true, nil
	case *array.Float64:
		return strconv.FormatFloat(v.Value(i), 'g', -1, 64), true, nil
	case *array.Float32:
		return strconv.FormatFloat(float64(v.Value(i)), 'g', -1, 32), true, nil
	case *array.Int8, *array.Int16, *array.Int32, *array.Int64, *array.Uint8, *array.Uint16, *array.Uint32, *array.Uint64:
		return v.ValueStr(i), true, nil
	}
	if arrow.IsNested(values.DataType().ID()) {
		return "", false, errVector
	}
	return "", false, fmt.Errorf("got %s, %w", values.DataType(), errNoText)
}

// appendCells appends elements from to to, lists flattened.
func appendCells(dst []float32, values arrow.Array, from, to int) ([]float32, error) {
	if lists, ok := values.(array.ListLike); ok {
		for i := from; i < to; i++ {
			if lists.IsNull(i) {
				return dst, fmt.Errorf("element %d is null", i-from)
			}
			first, end := lists.ValueOffsets(i)
			var err error
			if dst, err = appendCells(dst, lists.ListValues(), int(first), int(end)); err != nil {
				return dst, err
			}
		}
		return dst, nil
	}
	if values.NullN() > 0 {
		for i := from; i < to; i++ {
			if values.IsNull(i) {
				return dst, fmt.Errorf("element %d is null", i-from)
			}
		}
	}
	switch v := values.(type) {
	case *array.Float32:
		return append(dst, v.Float32Values()[from:to]...), nil
	case *array.Float64:
		return appendFrom(dst, v.Float64Values()[from:to]), nil
	case *array.Float16:
		for _, h := range v.Values()[from:to] {
			dst = append(dst, stream.Half(h.Uint16()))
		}
		return dst, nil
	case *array.Int8:
		return appendFrom(dst, v.Int8Values()[from:to]), nil
	case *array.Int16:
		return appendFrom(dst, v.Int16Values()[from:to]), nil
	case *array.Int32:
		return appendFrom(dst, v.Int32Values()[from:to]), nil
	case *array.Int64:
		return appendFrom(dst, v.Int64Values()[from:to]), nil
	case *array.Uint8:
		return appendFrom(dst, v.Uint8Values()[from:to]), nil
	case *array.Uint16:
		return appendFrom(dst, v.Uint16Values()[from:to]), nil
	case *array.Uint32:
		return appendFrom(dst, v.Uint32Values()[from:to]), nil
	case *array.Uint64:
		return appendFrom(dst, v.Uint64Values()[from:to]), nil
	}
	return appendOthers(dst, values, from, to)
}

// appendOthers appends elements of types that are not stored as numbers side by side.
func appendOthers(dst []float32, values arrow.Array, from, to int) ([]float32, error) {
	for i := from; i < to; i++ {
		switch v := values.(type) {
		case *array.Boolean:
			bit := float32(0)
			if v.Value(i) {
				bit = 1
			}
			dst = append(dst, bit)
		case *array.String, *array.LargeString:
			text, _, err := cellText(v, i)
			if err != nil {
				return dst, err
			}
			if dst, err = appendText(dst, text); err != nil {
				return dst, err
			}
		default:
			return dst, fmt.Errorf("got %s, want numbers", values.DataType())
		}
	}
	return dst, nil
}

func appendFrom[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | float64](dst []float32, values []T) []float32 {
	dst = slices.Grow(dst, len(values))
	for _, v := range values {
		dst = append(dst, float32(v))
	}
	return dst
}
