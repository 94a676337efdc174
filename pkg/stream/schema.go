package stream

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
)

// schemaDecoder turns a Schema table into a layout. It counts fields and depth, because offsets may alias and a
// small buffer could describe a tree without end.
type schemaDecoder struct {
	f      *flat
	fields int
	depth  int
	ids    []int64 // of the dictionaries met
	values map[int64]arrow.DataType
}

// decodeSchema decodes Schema.fbs's Schema. Extension types stay what they are stored as; their names are in the fields'
// metadata.
func decodeSchema(t table, l Limits) (*layout, error) {
	d := &schemaDecoder{f: t.f, fields: l.Fields, depth: l.Depth}
	if t.int16(0, 0) != 0 {
		return nil, Errorf("big-endian data is not supported")
	}
	children := t.vector(1, 4)
	fields := make([]arrow.Field, 0, min(children.n, l.Fields))
	for i := range children.n {
		field, err := d.field(children.table(i), 0)
		if err != nil {
			return nil, err
		}
		fields = append(fields, field)
	}
	metadata := d.metadata(t, 2)
	if d.f.err != nil {
		return nil, Errorf("schema: %w", d.f.err)
	}
	return newLayout(fields, metadata, d.ids, d.values), nil
}

func (d *schemaDecoder) field(t table, depth int) (arrow.Field, error) {
	field := arrow.Field{Name: t.text(0), Nullable: t.int8(1, 0) != 0}
	if d.fields--; d.fields < 0 {
		return field, Errorf("schema: too many columns")
	}
	if depth >= d.depth {
		return field, Errorf("column %q: nested deeper than %d", field.Name, d.depth)
	}
	field.Metadata = d.metadata(t, 6)

	children := t.vector(5, 4)
	fields := make([]arrow.Field, 0, min(children.n, d.fields+1))
	for i := range children.n {
		child, err := d.field(children.table(i), depth+1)
		if err != nil {
			return field, fmt.Errorf("column %q: %w", field.Name, err)
		}
		fields = append(fields, child)
	}
	if d.f.err != nil {
		return field, Errorf("schema: %w", d.f.err)
	}
	var err error
	if field.Type, err = decodeType(t, fields); err != nil {
		return field, Errorf("column %q: %w", field.Name, err)
	}
	if encoding, ok := t.table(4); ok {
		if field.Type, err = d.dictionary(encoding, field.Type); err != nil {
			return field, Errorf("column %q: %w", field.Name, err)
		}
	}
	return field, nil
}

// metadata decodes the key-value pairs in slot i of t.
func (d *schemaDecoder) metadata(t table, i int) arrow.Metadata {
	pairs := t.vector(i, 4)
	var keys, values []string
	for i := range pairs.n {
		pair := pairs.table(i)
		keys = append(keys, pair.text(0))
		values = append(values, pair.text(1))
		// An empty pair costs no text but has a price in memory.
		if d.f.text -= 32; d.f.text < 0 || d.f.err != nil {
			d.f.err = errMetadata
			break
		}
	}
	return arrow.NewMetadata(keys, values)
}
