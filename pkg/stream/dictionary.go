package stream

import (
	"encoding/binary"
	"fmt"
	"math"
	"sort"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// dictionary is what a stream has sent of one: a batch, and what later ones added to it.
type dictionary struct {
	parts []arrow.ArrayData
	ends  []int // of each part, counted from the first value
	bytes int64
}

func (d *dictionary) release() {
	for _, part := range d.parts {
		part.Release()
	}
	*d = dictionary{}
}

// find returns the part that holds value i, and its place there; ok is false where there is none.
func (d *dictionary) find(i int64) (part, at int, ok bool) {
	if d == nil || i < 0 || len(d.ends) == 0 || i >= int64(d.ends[len(d.ends)-1]) {
		return 0, 0, false
	}
	if part = sort.SearchInts(d.ends, int(i)+1); part > 0 {
		return part, int(i) - d.ends[part-1], true
	}
	return 0, int(i), true
}

// dictionary decodes Message.fbs's DictionaryBatch: an id, a record batch of one column, and whether it adds to what came before.
func (d *decoder) dictionary(batch table, body []byte, owner *memory.Buffer) error {
	id, delta := batch.int64(0), batch.int8(2, 0) != 0
	data, ok := batch.table(1)
	if batch.f.err != nil {
		return batch.f.err
	}
	values, known := d.layout.values[id]
	if !ok || !known {
		return fmt.Errorf("a dictionary of no column, %d", id)
	}
	into := d.dictionaries[id]
	if into == nil {
		into = &dictionary{}
		d.dictionaries[id] = into
	}
	if !delta {
		d.held -= into.bytes
		into.release()
	}
	c, rows, err := d.columns(data, body, owner)
	if err != nil {
		return err
	}
	defer c.release()
	c.budget -= d.held
	left := c.budget
	part, err := c.data(values)
	if err == nil {
		err = c.used(rows, part.Len())
		if err != nil {
			part.Release()
		}
	}
	if err != nil {
		return fmt.Errorf("dictionary %d: %w", id, err)
	}
	bytes := left - c.budget
	if owner != nil {
		bytes += int64(len(body))
	}
	into.parts, into.ends = append(into.parts, part), append(into.ends, part.Len())
	if n := len(into.ends); n > 1 {
		into.ends[n-1] += into.ends[n-2]
	}
	into.bytes += bytes
	if d.held += bytes; d.held > d.limits.Batch {
		return fmt.Errorf("dictionaries of %d bytes, the limit is %d", d.held, d.limits.Batch)
	}
	return nil
}

// use says in which layout the next batches are. A stream joined on has dictionaries of its own.
func (d *decoder) use(l *layout) {
	if d.layout != l {
		d.forget()
		d.layout = l
	}
}

func (d *decoder) close() {
	d.forget()
	d.codecs.close()
}

// forget drops all dictionaries.
func (d *decoder) forget() {
	for _, dictionary := range d.dictionaries {
		dictionary.release()
	}
	d.dictionaries, d.held = map[int64]*dictionary{}, 0
}

// lookup reads a column of indices, and returns the values that they stand for.
func (c *columns) lookup(dt *arrow.DictionaryType, rows, nulls int, valid *memory.Buffer) (*array.Data, error) {
	id := c.ids[c.id]
	c.id++
	width := int64(dt.IndexType.(arrow.FixedWidthDataType).BitWidth() / 8)
	need, ok := product(int64(rows), width)
	if !ok {
		return nil, fmt.Errorf("%d indices of %d bytes", rows, width)
	}
	indices, err := c.next("index", need, 1, false)
	if err != nil {
		return nil, err
	}
	g := &gather{columns: c, from: c.dictionaries[id], rows: rows}
	if err := g.resolve(indices.Bytes(), int(width), arrow.IsUnsignedInteger(dt.IndexType.ID()), valid); err != nil {
		return nil, err
	}
	switch values := plain(dt).(type) {
	case *arrow.StringType, *arrow.BinaryType:
		return g.binary(values, 4)
	case *arrow.LargeStringType, *arrow.LargeBinaryType:
		return g.binary(values, 8)
	case arrow.FixedWidthDataType:
		return g.fixedWidth(values, values.BitWidth()/8)
	}
	return nil, fmt.Errorf("a dictionary of %s is not supported", dt.ValueType)
}

// gather copies values of a dictionary to where indices name them.
type gather struct {
	*columns
	from  *dictionary
	rows  int
	parts []int32 // of each row, -1 for null
	at    []int   // and the value's place there
	nulls int
}

// resolve finds each row's value. The indices under nulls mean nothing.
func (g *gather) resolve(indices []byte, width int, unsigned bool, valid *memory.Buffer) error {
	if err := g.take64(2 * int64(g.rows)); err != nil { // of parts and at
		return err
	}
	g.parts, g.at = make([]int32, g.rows), make([]int, g.rows)
	for i := range g.rows {
		g.parts[i] = -1
		if valid != nil && !bitutil.BitIsSet(valid.Bytes(), i) {
			g.nulls++
			continue
		}
		index := readIndex(indices[i*width:], width, unsigned)
		part, at, ok := g.from.find(index)
		if !ok {
			return fmt.Errorf("index %d at value %d is not in its dictionary", index, i)
		}
		if data := g.from.parts[part]; data.NullN() > 0 && !bitutil.BitIsSet(data.Buffers()[0].Bytes(), at) {
			g.nulls++
			continue
		}
		g.parts[i], g.at[i] = int32(part), at
	}
	return nil
}

// readIndex returns a little-endian integer; one that no int64 holds is below 0, which no dictionary has.
func readIndex(b []byte, width int, unsigned bool) int64 {
	switch width {
	case 1:
		if unsigned {
			return int64(b[0])
		}
		return int64(int8(b[0]))
	case 2:
		if v := binary.LittleEndian.Uint16(b); unsigned {
			return int64(v)
		} else {
			return int64(int16(v))
		}
	case 4:
		if v := binary.LittleEndian.Uint32(b); unsigned {
			return int64(v)
		} else {
			return int64(int32(v))
		}
	}
	return int64(binary.LittleEndian.Uint64(b))
}

// bitmap returns the validity of the values, nil where none is null.
func (g *gather) bitmap() (*memory.Buffer, error) {
	if g.nulls == 0 {
		return nil, nil
	}
	b, err := g.room((int64(g.rows) + 7) / 8)
	if err != nil {
		return nil, err
	}
	clear(b.Bytes())
	for i, part := range g.parts {
		if part >= 0 {
			bitutil.SetBit(b.Bytes(), i)
		}
	}
	return b, nil
}

func (g *gather) fixedWidth(dt arrow.DataType, width int) (*array.Data, error) {
	valid, err := g.bitmap()
	if err != nil {
		return nil, err
	}
	need, ok := product(int64(g.rows), int64(width))
	if !ok {
		return nil, fmt.Errorf("%d values of %d bytes", g.rows, width)
	}
	out, err := g.room(need)
	if err != nil {
		return nil, err
	}
	dst := out.Bytes()
	for i, part := range g.parts {
		to := dst[i*width : (i+1)*width]
		if part < 0 {
			clear(to)
			continue
		}
		copy(to, g.from.parts[part].Buffers()[1].Bytes()[g.at[i]*width:])
	}
	return array.NewData(dt, g.rows, []*memory.Buffer{valid, out}, nil, g.nulls, 0), nil
}

// binary gathers texts or bytes with offsets of width bytes.
func (g *gather) binary(dt arrow.DataType, width int) (*array.Data, error) {
	value := func(i int) []byte {
		if g.parts[i] < 0 {
			return nil
		}
		buffers, at := g.from.parts[g.parts[i]].Buffers(), g.at[i]
		if width == 4 {
			o := arrow.Int32Traits.CastFromBytes(buffers[1].Bytes())
			return buffers[2].Bytes()[o[at]:o[at+1]]
		}
		o := arrow.Int64Traits.CastFromBytes(buffers[1].Bytes())
		return buffers[2].Bytes()[o[at]:o[at+1]]
	}
	valid, err := g.bitmap()
	if err != nil {
		return nil, err
	}
	return g.texts(dt, width, g.rows, g.nulls, valid, value)
}

// texts makes a column of texts or bytes, with offsets of width bytes, out of values that lie apart.
func (c *columns) texts(dt arrow.DataType, width, rows, nulls int, valid *memory.Buffer, value func(i int) []byte) (*array.Data, error) {
	total := int64(0)
	for i := range rows {
		if n := int64(len(value(i))); n > c.budget-total {
			return nil, fmt.Errorf("texts of more than %d bytes at value %d are over the batch's limit", c.budget, i)
		} else {
			total += n
		}
	}
	if width == 4 && total > math.MaxInt32 {
		return nil, fmt.Errorf("texts of %d bytes in a batch, at most %d where they are read with offsets of 32 bits", total, math.MaxInt32)
	}
	offsets, err := c.room((int64(rows) + 1) * int64(width))
	if err != nil {
		return nil, err
	}
	out, err := c.room(total)
	if err != nil {
		return nil, err
	}
	dst, raw := out.Bytes()[:0], offsets.Bytes()
	for i := 0; ; i++ {
		if width == 4 {
			binary.NativeEndian.PutUint32(raw[4*i:], uint32(len(dst)))
		} else {
			binary.NativeEndian.PutUint64(raw[8*i:], uint64(len(dst)))
		}
		if i == rows {
			break
		}
		dst = append(dst, value(i)...)
	}
	return array.NewData(dt, rows, []*memory.Buffer{valid, offsets, out}, nil, nulls, 0), nil
}

// room returns a new buffer of n bytes, out of the batch's budget.
func (c *columns) room(n int64) (*memory.Buffer, error) {
	if err := c.take64(n / 8); err != nil {
		return nil, err
	}
	b := c.keep(memory.NewResizableBuffer(c.mem))
	b.Resize(int(n))
	return b, nil
}

// take64 takes n words of eight bytes out of the batch's budget.
func (c *columns) take64(n int64) error {
	if n > c.budget/8 {
		return fmt.Errorf("%d bytes are over the batch's limit", 8*n)
	}
	c.budget -= 8 * n
	return nil
}
