package stream

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
)

// The Type union of Schema.fbs.
const (
	typeNull = 1 + iota
	typeInt
	typeFloat
	typeBinary
	typeUtf8
	typeBool
	typeDecimal
	typeDate
	typeTime
	typeTimestamp
	typeInterval
	typeList
	typeStruct
	typeUnion
	typeFixedSizeBinary
	typeFixedSizeList
	typeMap
	typeDuration
	typeLargeBinary
	typeLargeUtf8
	typeLargeList
	typeRunEndEncoded
	typeBinaryView
	typeUtf8View
	typeListView
	typeLargeListView
)

var unsupported = map[int8]string{
	typeUnion: "union", typeMap: "map", typeRunEndEncoded: "run-end encoding", typeListView: "list view",
	typeLargeListView: "large list view",
}

// decodeType decodes the type of the Field t, whose children are decoded already.
func decodeType(t table, children []arrow.Field) (arrow.DataType, error) {
	id := t.int8(2, 0)
	if name, ok := unsupported[id]; ok {
		return nil, fmt.Errorf("type %s is not supported", name)
	}
	body, ok := t.table(3)
	if !ok {
		return nil, fmt.Errorf("has no type")
	}
	var dt arrow.DataType
	switch id {
	case typeList, typeLargeList, typeFixedSizeList, typeStruct:
		return nestedType(id, body, children)
	case typeNull:
		dt = arrow.Null
	case typeBinary:
		dt = arrow.BinaryTypes.Binary
	case typeUtf8:
		dt = arrow.BinaryTypes.String
	case typeLargeBinary:
		dt = arrow.BinaryTypes.LargeBinary
	case typeLargeUtf8:
		dt = arrow.BinaryTypes.LargeString
	case typeUtf8View:
		dt = arrow.BinaryTypes.StringView
	case typeBinaryView:
		dt = arrow.BinaryTypes.BinaryView
	case typeBool:
		dt = arrow.FixedWidthTypes.Boolean
	case typeInt:
		dt = integers[integer{body.int32(0, 0), body.int8(1, 0) != 0}]
	case typeFloat:
		dt = floats[body.int16(0, 0)]
	case typeDecimal:
		dt = decimal(body.int32(0, 0), body.int32(1, 0), body.int32(2, 128))
	case typeFixedSizeBinary:
		if width := body.int32(0, 0); width >= 0 {
			dt = &arrow.FixedSizeBinaryType{ByteWidth: int(width)}
		}
	default:
		dt = temporal(id, body)
	}
	if dt == nil {
		return nil, fmt.Errorf("type %d is not known", id)
	}
	if len(children) != 0 {
		return nil, fmt.Errorf("type %s with %d children", dt, len(children))
	}
	return dt, nil
}

func nestedType(id int8, body table, children []arrow.Field) (arrow.DataType, error) {
	if id == typeStruct {
		return arrow.StructOf(children...), nil
	}
	if len(children) != 1 {
		return nil, fmt.Errorf("list with %d children", len(children))
	}
	switch size := body.int32(0, 0); {
	case id == typeList:
		return arrow.ListOfField(children[0]), nil
	case id == typeLargeList:
		return arrow.LargeListOfField(children[0]), nil
	case size <= 0: // arrow.FixedSizeListOfField panics on it
		return nil, fmt.Errorf("fixed_size_list of size %d", size)
	default:
		return arrow.FixedSizeListOfField(size, children[0]), nil
	}
}

type integer struct {
	bits   int32
	signed bool
}

var integers = map[integer]arrow.DataType{
	{8, true}: arrow.PrimitiveTypes.Int8, {16, true}: arrow.PrimitiveTypes.Int16,
	{32, true}: arrow.PrimitiveTypes.Int32, {64, true}: arrow.PrimitiveTypes.Int64,
	{8, false}: arrow.PrimitiveTypes.Uint8, {16, false}: arrow.PrimitiveTypes.Uint16,
	{32, false}: arrow.PrimitiveTypes.Uint32, {64, false}: arrow.PrimitiveTypes.Uint64,
}

var floats = map[int16]arrow.DataType{
	0: arrow.FixedWidthTypes.Float16, 1: arrow.PrimitiveTypes.Float32, 2: arrow.PrimitiveTypes.Float64,
}

func decimal(precision, scale, bits int32) arrow.DataType {
	switch {
	case bits == 128 && precision >= 1 && precision <= 38:
		return &arrow.Decimal128Type{Precision: precision, Scale: scale}
	case bits == 256 && precision >= 1 && precision <= 76:
		return &arrow.Decimal256Type{Precision: precision, Scale: scale}
	}
	return nil
}

// temporal decodes dates, times and spans; nil for what it does not know. The defaults are those of Schema.fbs.
func temporal(id int8, body table) arrow.DataType {
	const millisecond = 1
	switch id {
	case typeDate:
		switch body.int16(0, millisecond) {
		case 0:
			return arrow.FixedWidthTypes.Date32
		case 1:
			return arrow.FixedWidthTypes.Date64
		}
	case typeTime:
		switch u, bits := body.int16(0, millisecond), body.int32(1, 32); {
		case u >= 0 && u <= 1 && bits == 32:
			return &arrow.Time32Type{Unit: arrow.TimeUnit(u)}
		case u >= 2 && u <= 3 && bits == 64:
			return &arrow.Time64Type{Unit: arrow.TimeUnit(u)}
		}
	case typeTimestamp:
		if u := body.int16(0, 0); u >= 0 && u <= 3 {
			return &arrow.TimestampType{Unit: arrow.TimeUnit(u), TimeZone: body.text(1)}
		}
	case typeDuration:
		if u := body.int16(0, millisecond); u >= 0 && u <= 3 {
			return &arrow.DurationType{Unit: arrow.TimeUnit(u)}
		}
	case typeInterval:
		switch body.int16(0, 0) {
		case 0:
			return arrow.FixedWidthTypes.MonthInterval
		case 1:
			return arrow.FixedWidthTypes.DayTimeInterval
		case 2:
			return arrow.FixedWidthTypes.MonthDayNanoInterval
		}
	}
	return nil
}
