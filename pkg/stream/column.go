package stream

import (
	"fmt"
	"math"
	"math/bits"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// columns builds the arrays of one record batch from its body, walking nodes and buffers in the order of the format:
// depth first, a column's validity before its values before its children.
type columns struct {
	body    []byte
	owner   *memory.Buffer // of body; nil where the mapping owns it
	mem     memory.Allocator
	codec   codec // nil where buffers are not compressed
	budget  int64 // bytes that may still be decompressed
	nodes   vector
	buffers vector
	node    int
	buffer  int

	made []*memory.Buffer // buffers to release once the arrays hold them
}

// maxRows bounds a node's length so that products with a type's width are far from overflowing.
const maxRows = 1 << 40

// data builds the array of the next node. The caller releases it.
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
	case *arrow.BooleanType:
		return c.fixedWidth(dt, (int64(rows)+7)/8, 1, rows, nulls, valid)
	case arrow.FixedWidthDataType:
		width := int64(dt.BitWidth() / 8)
		return c.fixedWidth(dt, int64(rows)*width, alignment(dt, width), rows, nulls, valid)
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

// next returns the first need bytes of the next buffer, at an address that is a multiple of align. With absent set, a
// buffer of no bytes is taken for one that is not there, whatever was needed, and gives nil.
func (c *columns) next(what string, need, align int64, absent bool) (*memory.Buffer, error) {
	if c.buffer >= c.buffers.n {
		return nil, fmt.Errorf("has no %s buffer", what)
	}
	offset, length := c.buffers.int64(c.buffer, 0), c.buffers.int64(c.buffer, 8)
	c.buffer++
	size := int64(len(c.body))
	if offset < 0 || length < 0 || offset > size || length > size-offset {
		return nil, fmt.Errorf("%s buffer of %d bytes at %d does not lie in the body of %d bytes", what, length, offset, size)
	}
	if length == 0 && absent {
		return nil, nil
	}
	raw := c.body[offset : offset+length : offset+length]
	if c.codec != nil && length > 0 {
		return c.decompress(what, raw, offset, need, align)
	}
	return c.take(what, raw, offset, need, align)
}

// take makes a buffer of the first need bytes of raw, which lies at offset of the body.
func (c *columns) take(what string, raw []byte, offset, need, align int64) (*memory.Buffer, error) {
	if int64(len(raw)) < need {
		return nil, fmt.Errorf("%s buffer of %d bytes, want %d", what, len(raw), need)
	}
	raw = raw[:need:need]
	switch {
	case need > 0 && uintptr(unsafe.Pointer(unsafe.SliceData(raw)))%uintptr(align) != 0:
		buf := memory.NewResizableBuffer(c.mem)
		buf.Resize(len(raw))
		copy(buf.Bytes(), raw)
		return c.keep(buf), nil
	case c.owner != nil:
		return c.keep(memory.SliceBuffer(c.owner, int(offset), len(raw))), nil
	default:
		return memory.NewBufferBytes(raw), nil
	}
}

func (c *columns) keep(b *memory.Buffer) *memory.Buffer {
	c.made = append(c.made, b)
	return b
}

// release gives up the buffers made; arrays hold their own references.
func (c *columns) release() {
	for _, b := range c.made {
		b.Release()
	}
	c.made = nil
}

// validity reads a bitmap and holds the null count against it; nil where nothing is null.
func (c *columns) validity(rows, nulls int) (*memory.Buffer, error) {
	b, err := c.next("validity", (int64(rows)+7)/8, 1, true)
	if err != nil {
		return nil, err
	}
	got := 0
	if b != nil {
		got = rows - bitutil.CountSetBits(b.Bytes(), 0, rows)
	}
	if got != nulls {
		return nil, fmt.Errorf("claims %d nulls, its validity has %d", nulls, got)
	}
	if nulls == 0 {
		return nil, nil
	}
	return b, nil
}

func (c *columns) fixedWidth(dt arrow.DataType, need, align int64, rows, nulls int, valid *memory.Buffer) (*array.Data, error) {
	values, err := c.next("data", need, align, false)
	if err != nil {
		return nil, err
	}
	return array.NewData(dt, rows, []*memory.Buffer{valid, values}, nil, nulls, 0), nil
}

func (c *columns) structure(dt *arrow.StructType, rows, nulls int, valid *memory.Buffer) (*array.Data, error) {
	var children []arrow.ArrayData
	defer func() { releaseAll(children) }()
	for _, field := range dt.Fields() {
		child, err := c.data(field.Type)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", field.Name, err)
		}
		children = append(children, child)
		if child.Len() != rows {
			return nil, fmt.Errorf("%s: %d values in %d structs", field.Name, child.Len(), rows)
		}
	}
	return array.NewData(dt, rows, []*memory.Buffer{valid}, append([]arrow.ArrayData(nil), children...), nulls, 0), nil
}

func (c *columns) fixedSizeList(dt *arrow.FixedSizeListType, rows, nulls int, valid *memory.Buffer) (*array.Data, error) {
	child, err := c.data(dt.Elem())
	if err != nil {
		return nil, err
	}
	defer child.Release()
	high, need := bits.Mul64(uint64(rows), uint64(dt.Len()))
	if high != 0 || need > math.MaxInt64 || uint64(child.Len()) < need {
		return nil, fmt.Errorf("%d values in %d lists of %d", child.Len(), rows, dt.Len())
	}
	return array.NewData(dt, rows, []*memory.Buffer{valid}, []arrow.ArrayData{child}, nulls, 0), nil
}

func (c *columns) list(dt, elem arrow.DataType, width int64, rows, nulls int, valid *memory.Buffer) (*array.Data, error) {
	offsets, end, err := c.offsets(width, rows)
	if err != nil {
		return nil, err
	}
	child, err := c.data(elem)
	if err != nil {
		return nil, err
	}
	defer child.Release()
	if end > int64(child.Len()) {
		return nil, fmt.Errorf("offsets lead to value %d of %d", end, child.Len())
	}
	return array.NewData(dt, rows, []*memory.Buffer{valid, offsets}, []arrow.ArrayData{child}, nulls, 0), nil
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

func releaseAll(children []arrow.ArrayData) {
	for _, child := range children {
		child.Release()
	}
}
