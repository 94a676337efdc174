package stream

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// columns builds the arrays of one record batch from its body, walking nodes and buffers in the order of the format:
// depth first, a column's validity before its values before its children.
type columns struct {
	body    []byte
	owner   *memory.Buffer // of body; nil where the mapping owns it
	mem     memory.Allocator
	codec   codec // nil where buffers are not compressed
	budget  int64 // bytes that may still be decompressed or copied
	nodes   vector
	buffers vector
	counts  vector // of the buffers that each column of views has
	node    int
	buffer  int

	variadic     int // columns of views met
	ids          []int64
	dictionaries map[int64]*dictionary
	id           int // dictionaries met

	made []*memory.Buffer // buffers to release once the arrays hold them
}

// maxRows bounds a node's length: a column of nulls takes no bytes that would.
const maxRows = 1 << 40

// data builds the array of the next node, which is written as dt and becomes what that is read as. The caller releases it.
func (c *columns) data(dt arrow.DataType) (*array.Data, error) {
	rows, nulls, err := c.nextNode()
	if err != nil {
		return nil, err
	}
	if dt.ID() == arrow.NULL {
		return array.NewData(dt, rows, []*memory.Buffer{nil}, nil, rows, 0), nil
	}
	valid, err := c.validity(rows, nulls)
	if err != nil {
		return nil, err
	}
	switch dt := dt.(type) {
	case *arrow.StructType:
		return c.structure(dt, rows, nulls, valid)
	case *arrow.FixedSizeListType:
		return c.fixedSizeList(dt, rows, nulls, valid)
	case *arrow.ListType:
		return c.list(dt, dt.Elem(), 4, rows, nulls, valid)
	case *arrow.LargeListType:
		return c.list(dt, dt.Elem(), 8, rows, nulls, valid)
	case *arrow.StringType, *arrow.BinaryType:
		return c.binary(dt, 4, rows, nulls, valid)
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		return c.binary(dt, 8, rows, nulls, valid)
	case *arrow.StringViewType, *arrow.BinaryViewType:
		return c.view(dt, rows, nulls, valid)
	case *arrow.DictionaryType:
		return c.lookup(dt, rows, nulls, valid)
	case *arrow.BooleanType:
		return c.fixedWidth(dt, (int64(rows)+7)/8, 1, rows, nulls, valid)
	case arrow.FixedWidthDataType:
		width := int64(dt.BitWidth() / 8)
		need, ok := product(int64(rows), width)
		if !ok {
			return nil, fmt.Errorf("%d values of %d bytes", rows, width)
		}
		return c.fixedWidth(dt, need, alignment(dt, width), rows, nulls, valid)
	}
	return nil, fmt.Errorf("type %s is not supported", dt)
}

// alignment returns what a value's address must be a multiple of.
func alignment(dt arrow.DataType, width int64) int64 {
	if dt.ID() == arrow.FIXED_SIZE_BINARY || width == 0 {
		return 1
	}
	return min(width, 8)
}

func (c *columns) nextNode() (rows, nulls int, err error) {
	if c.node >= c.nodes.n {
		return 0, 0, fmt.Errorf("has no field node")
	}
	length, missing := c.nodes.int64(c.node, 0), c.nodes.int64(c.node, 8)
	c.node++
	if length < 0 || length > maxRows || missing < 0 || missing > length {
		return 0, 0, fmt.Errorf("field node claims %d values, %d of them null", length, missing)
	}
	return int(length), int(missing), nil
}

func (c *columns) fixedWidth(dt arrow.DataType, need, align int64, rows, nulls int, valid *memory.Buffer) (*array.Data, error) {
	values, err := c.next("data", need, align, false)
	if err != nil {
		return nil, err
	}
	return array.NewData(dt, rows, []*memory.Buffer{valid, values}, nil, nulls, 0), nil
}

func (c *columns) binary(dt arrow.DataType, width int64, rows, nulls int, valid *memory.Buffer) (*array.Data, error) {
	offsets, end, err := c.offsets(width, rows)
	if err != nil {
		return nil, err
	}
	values, err := c.next("data", end, 1, false)
	if err != nil {
		return nil, err
	}
	if id := dt.ID(); id == arrow.STRING || id == arrow.LARGE_STRING {
		if err := checkText(offsets, width, rows, values.Bytes(), valid); err != nil {
			return nil, err
		}
	}
	return array.NewData(dt, rows, []*memory.Buffer{valid, offsets, values}, nil, nulls, 0), nil
}
