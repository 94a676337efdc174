package stream

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// everything is what next needs where a buffer may be of any size.
const everything = -1

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
	if need == everything {
		need = int64(len(raw))
	}
	if int64(len(raw)) < need {
		return nil, fmt.Errorf("%s buffer of %d bytes, want %d", what, len(raw), need)
	}
	raw = raw[:need:need]
	switch {
	case need > 0 && uintptr(unsafe.Pointer(unsafe.SliceData(raw)))%uintptr(align) != 0:
		// Buffers may overlap: copies, unlike the body itself, could be of any size in all.
		if c.budget -= need; c.budget < 0 {
			return nil, fmt.Errorf("%s buffer of %d bytes, not aligned, is over the batch's limit", what, need)
		}
		buf := c.keep(memory.NewResizableBuffer(c.mem))
		buf.Resize(len(raw))
		copy(buf.Bytes(), raw)
		return buf, nil
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
