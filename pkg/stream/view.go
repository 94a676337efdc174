package stream

import (
	"encoding/binary"
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// view reads a column of texts or bytes as views: of each value 16 bytes, its length and either its up to 12 bytes, or its first four,
// the number of a buffer and where in that buffer it lies. Views may overlap; what is read is not shared.
func (c *columns) view(dt arrow.DataType, rows, nulls int, valid *memory.Buffer) (*array.Data, error) {
	const size, inline = 16, 12
	need, ok := product(int64(rows), size)
	if !ok {
		return nil, fmt.Errorf("%d views", rows)
	}
	views, err := c.next("view", need, 1, false)
	if err != nil {
		return nil, err
	}
	buffers, err := c.variadicBuffers()
	if err != nil {
		return nil, err
	}
	raw := views.Bytes()
	for i := range rows { // before any is copied
		v := raw[i*size : (i+1)*size]
		if valid != nil && !bitutil.BitIsSet(valid.Bytes(), i) {
			continue // the bytes under a null mean nothing
		}
		length, buffer, offset := int32At(v, 0), int32At(v, 8), int32At(v, 12)
		switch {
		case length < 0:
			return nil, fmt.Errorf("view %d has a length of %d", i, length)
		case length > inline && (buffer < 0 || buffer >= int64(len(buffers)) || offset < 0 || offset+length > int64(len(buffers[buffer]))):
			return nil, fmt.Errorf("view %d of %d bytes at %d of buffer %d does not lie in its %d buffers", i, length, offset, buffer, len(buffers))
		}
	}
	data, err := c.texts(plain(dt), 4, rows, nulls, valid, func(i int) []byte {
		v := raw[i*size : (i+1)*size]
		if valid != nil && !bitutil.BitIsSet(valid.Bytes(), i) {
			return nil
		}
		if n := int32At(v, 0); n > inline {
			at := int32At(v, 12)
			return buffers[int32At(v, 8)][at : at+n]
		} else {
			return v[4 : 4+n]
		}
	})
	if err != nil || dt.ID() != arrow.STRING_VIEW {
		return data, err
	}
	if err := checkText(data.Buffers()[1], 4, rows, data.Buffers()[2].Bytes(), valid); err != nil {
		data.Release()
		return nil, err
	}
	return data, nil
}

func int32At(b []byte, at int) int64 { return int64(int32(binary.LittleEndian.Uint32(b[at:]))) }

// variadicBuffers reads the buffers that a column of views has, as many as the batch says.
func (c *columns) variadicBuffers() ([][]byte, error) {
	if c.variadic >= c.counts.n {
		return nil, fmt.Errorf("has no count of its buffers")
	}
	n := c.counts.int64(c.variadic, 0)
	c.variadic++
	if n < 0 || n > int64(c.buffers.n-c.buffer) {
		return nil, fmt.Errorf("claims %d buffers, %d are left", n, c.buffers.n-c.buffer)
	}
	buffers := make([][]byte, n)
	for i := range buffers {
		b, err := c.next("data", everything, 1, false)
		if err != nil {
			return nil, err
		}
		buffers[i] = b.Bytes()
	}
	return buffers, nil
}
