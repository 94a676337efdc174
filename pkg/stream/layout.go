package stream

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
)

// layout says how one stream lays its columns out: dictionaries and views are another way to write plain values, and are read as such,
// so that no reader of records has to know of them.
type layout struct {
	schema *arrow.Schema            // what the columns are read as
	stored []arrow.DataType         // what they are written as
	ids    []int64                  // of the dictionaries, in the order in which stored names them, depth first
	values map[int64]arrow.DataType // what each dictionary holds, as written
}

// newLayout takes fields with the types that they are written as.
func newLayout(fields []arrow.Field, metadata arrow.Metadata, ids []int64, values map[int64]arrow.DataType) *layout {
	l := &layout{ids: ids, values: values}
	for i, field := range fields {
		l.stored = append(l.stored, field.Type)
		fields[i] = plainField(field)
	}
	l.schema = arrow.NewSchema(fields, &metadata)
	return l
}

func plainField(field arrow.Field) arrow.Field {
	field.Type = plain(field.Type)
	return field
}

// plain returns what a type is read as: itself, where it has no dictionary and no view in it.
func plain(dt arrow.DataType) arrow.DataType {
	switch dt := dt.(type) {
	case *arrow.DictionaryType:
		return plain(dt.ValueType)
	case *arrow.StringViewType:
		return arrow.BinaryTypes.String
	case *arrow.BinaryViewType:
		return arrow.BinaryTypes.Binary
	case *arrow.ListType:
		if plain(dt.Elem()) != dt.Elem() {
			return arrow.ListOfField(plainField(dt.ElemField()))
		}
	case *arrow.LargeListType:
		if plain(dt.Elem()) != dt.Elem() {
			return arrow.LargeListOfField(plainField(dt.ElemField()))
		}
	case *arrow.FixedSizeListType:
		if plain(dt.Elem()) != dt.Elem() {
			return arrow.FixedSizeListOfField(dt.Len(), plainField(dt.ElemField()))
		}
	case *arrow.StructType:
		fields, changed := dt.Fields(), false
		for i, field := range fields {
			fields[i] = plainField(field)
			changed = changed || fields[i].Type != field.Type
		}
		if changed {
			return arrow.StructOf(fields...)
		}
	}
	return dt
}

// dictionary takes note of the dictionary whose DictionaryEncoding t is, and returns the type of a column of its values.
func (d *schemaDecoder) dictionary(t table, values arrow.DataType) (arrow.DataType, error) {
	id := t.int64(0)
	index := integer{32, true}
	if body, ok := t.table(1); ok {
		index = integer{body.int32(0, 0), body.int8(1, 0) != 0}
	}
	indices, ok := integers[index]
	if !ok || t.int16(3, 0) != 0 {
		return nil, fmt.Errorf("dictionary encoding of another kind than integers is not known")
	}
	if !inDictionary(values) {
		return nil, fmt.Errorf("a dictionary of %s is not supported", values)
	}
	if other, ok := d.values[id]; ok && !arrow.TypeEqual(other, values) {
		return nil, fmt.Errorf("dictionary %d is of %s, and of %s in another column", id, values, other)
	}
	if d.values == nil {
		d.values = map[int64]arrow.DataType{}
	}
	d.values[id], d.ids = values, append(d.ids, id)
	return &arrow.DictionaryType{IndexType: indices, ValueType: values, Ordered: t.int8(2, 0) != 0}, nil
}

// inDictionary tells the types that a dictionary may hold: texts, bytes, and what takes a whole number of bytes.
func inDictionary(dt arrow.DataType) bool {
	switch dt := dt.(type) {
	case *arrow.StringType, *arrow.BinaryType, *arrow.LargeStringType, *arrow.LargeBinaryType, *arrow.StringViewType, *arrow.BinaryViewType:
		return true
	case *arrow.BooleanType, *arrow.FixedSizeListType:
		return false
	case arrow.FixedWidthDataType:
		return dt.BitWidth()%8 == 0 && dt.ID() != arrow.DICTIONARY
	}
	return false
}
