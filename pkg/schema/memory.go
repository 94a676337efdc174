package schema

import (
	"errors"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// view returns the memory of s as elements of another type of the same size, or of bytes: To's size divides From's.
func view[To, From any](s []From) []To {
	var to To
	var from From
	n := len(s) * int(unsafe.Sizeof(from)) / int(unsafe.Sizeof(to))
	return unsafe.Slice((*To)(unsafe.Pointer(unsafe.SliceData(s))), n)
}

// aligned reports whether bytes lie where float32 may.
func aligned(b []byte) bool { return uintptr(unsafe.Pointer(unsafe.SliceData(b)))%4 == 0 }

// bitmap is a column's validity as it grows row by row.
type bitmap struct {
	bits  []byte
	rows  int
	nulls int
}

func (b *bitmap) append(valid bool) {
	if b.rows%8 == 0 {
		b.bits = append(b.bits, 0)
	}
	if valid {
		b.bits[b.rows/8] |= 1 << (b.rows % 8)
	} else {
		b.nulls++
	}
	b.rows++
}

func (b *bitmap) reset() { b.bits, b.rows, b.nulls = b.bits[:0], 0, 0 }

// buffer returns the bitmap for an array, nil where nothing is null.
func (b *bitmap) buffer() *memory.Buffer {
	if b == nil || b.nulls == 0 {
		return nil
	}
	return memory.NewBufferBytes(b.bits)
}

func (b *bitmap) nullCount() int {
	if b == nil {
		return 0
	}
	return b.nulls
}

// fixed returns an array over values, whose memory it borrows. valid may be nil.
func fixed[T any](dt arrow.DataType, values []T, valid *bitmap) arrow.Array {
	return fromData(dt, len(values), []*memory.Buffer{valid.buffer(), memory.NewBufferBytes(view[byte](values))}, nil, valid)
}

// lists returns an array of fixed-size lists of the elements, whose memory it borrows.
func lists(dt *arrow.FixedSizeListType, elements arrow.Array, valid *bitmap) arrow.Array {
	defer elements.Release()
	rows := elements.Len() / int(dt.Len())
	return fromData(dt, rows, []*memory.Buffer{valid.buffer()}, []arrow.ArrayData{elements.Data()}, valid)
}

func fromData(dt arrow.DataType, n int, buffers []*memory.Buffer, children []arrow.ArrayData, valid *bitmap) arrow.Array {
	data := array.NewData(dt, n, buffers, children, valid.nullCount(), 0)
	defer data.Release()
	return array.MakeFromData(data)
}

// errNotUTF8 is why an id cannot be written.
var errNotUTF8 = errors.New("the id is not UTF-8")

// texts is a string column as it grows row by row.
type texts struct {
	offsets []int32
	bytes   []byte
}

func (t *texts) append(s string) { t.appendBytes(unsafe.Slice(unsafe.StringData(s), len(s))) }

func (t *texts) appendBytes(s []byte) {
	if len(t.offsets) == 0 {
		t.offsets = append(t.offsets, 0)
	}
	t.bytes = append(t.bytes, s...)
	t.offsets = append(t.offsets, int32(len(t.bytes)))
}

func (t *texts) reset() { t.offsets, t.bytes = t.offsets[:0], t.bytes[:0] }

// array returns an array over the strings, whose memory it borrows.
func (t *texts) array() arrow.Array {
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(view[byte](t.offsets)), memory.NewBufferBytes(t.bytes)}
	return fromData(arrow.BinaryTypes.String, max(0, len(t.offsets)-1), buffers, nil, nil)
}

// varied returns lists of the elements by the offsets; it borrows both.
func varied(dt arrow.DataType, offsets []int32, elements arrow.Array) arrow.Array {
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(view[byte](offsets))}
	return fromData(dt, len(offsets)-1, buffers, []arrow.ArrayData{elements.Data()}, nil)
}

// blob returns a large_binary array of one value, whose memory it borrows.
func blob(value []byte) arrow.Array {
	offsets := []int64{0, int64(len(value))}
	buffers := []*memory.Buffer{nil, memory.NewBufferBytes(view[byte](offsets)), memory.NewBufferBytes(value)}
	return fromData(arrow.BinaryTypes.LargeBinary, 1, buffers, nil, nil)
}

// fixedBits returns a boolean array over the bits of b, whose memory it borrows.
func fixedBits(b *bitmap) arrow.Array {
	return fromData(arrow.FixedWidthTypes.Boolean, b.rows, []*memory.Buffer{nil, memory.NewBufferBytes(b.bits)}, nil, nil)
}
