package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"mmtools/pkg/stream"
)

var errEnd = errors.New("ends early")

// Value is a value of a column; its Kind says which field holds it.
type Value struct {
	Int   int64 // also of a boolean: 0 or 1; of an unsigned integer its bits
	Float float64
	Bytes []byte // of a text: borrowed until the next value
}

// decoder decodes the values of a page, one by one.
type decoder interface{ next(v *Value) error }

// set makes a value of its bytes.
func (c *Column) set(v *Value, raw []byte) error {
	if c.physical == byteArray {
		v.Bytes = raw
		return nil
	}
	if len(raw) != c.width {
		return fmt.Errorf("a value of %d bytes, want %d", len(raw), c.width)
	}
	switch c.physical {
	case int32Type:
		c.int32(v, binary.LittleEndian.Uint32(raw))
	case int64Type:
		v.Int = int64(binary.LittleEndian.Uint64(raw))
	case float:
		v.Float = float64(math.Float32frombits(binary.LittleEndian.Uint32(raw)))
	case double:
		v.Float = math.Float64frombits(binary.LittleEndian.Uint64(raw))
	case fixedSize:
		v.Float = float64(stream.Half(binary.LittleEndian.Uint16(raw)))
	}
	return nil
}

func (c *Column) int32(v *Value, bits uint32) {
	if v.Int = int64(int32(bits)); c.Kind == Uint {
		v.Int = int64(bits)
	}
}

// plain decodes PLAIN: values side by side, texts after their length in four bytes.
type plain struct {
	b      []byte
	column *Column
}

func (p *plain) next(v *Value) error {
	n := p.column.width
	if n == 0 {
		if len(p.b) < 4 {
			return errEnd
		}
		size := binary.LittleEndian.Uint32(p.b)
		if p.b = p.b[4:]; uint64(size) > uint64(len(p.b)) {
			return errEnd
		}
		n = int(size)
	}
	if n > len(p.b) {
		return errEnd
	}
	raw := p.b[:n]
	p.b = p.b[n:]
	return p.column.set(v, raw)
}

// flags decodes booleans: bits side by side, or runs.
type flags struct{ hybrid }

func newFlags(b []byte, encoding int64) (*flags, error) {
	if encoding == plainEncoding {
		return &flags{hybrid{width: 1, packed: b, count: 8 * uint64(len(b))}}, nil
	}
	if len(b) < 4 {
		return nil, errEnd
	}
	return &flags{hybrid{width: 1, b: b[4:]}}, nil // after their length
}

func (f *flags) next(v *Value) error {
	bit, ok := f.hybrid.next()
	if !ok {
		return errEnd
	}
	v.Int = int64(bit & 1)
	return nil
}

// split decodes BYTE_STREAM_SPLIT: the first bytes of all values, the second bytes of all, and so on.
type split struct {
	b      []byte
	at, n  int
	column *Column
}

func newSplit(c *Column, b []byte) (*split, error) {
	if len(b)%c.width != 0 {
		return nil, errEnd
	}
	return &split{b: b, n: len(b) / c.width, column: c}, nil
}

func (s *split) next(v *Value) error {
	if s.at == s.n {
		return errEnd
	}
	var raw [8]byte
	for i := range s.column.width {
		raw[i] = s.b[i*s.n+s.at]
	}
	s.at++
	return s.column.set(v, raw[:s.column.width])
}

// dictionary holds the values that a chunk's indices stand for.
type dictionary struct {
	b      []byte
	starts []uint32 // of each text, which lies after its length
	count  uint32
	column *Column
}

func newDictionary(c *Column, b []byte, count int64) (*dictionary, error) {
	d := &dictionary{b: b, column: c}
	least := c.width
	if least == 0 {
		least = 4 // its length
	}
	if count > int64(len(b)/least) {
		return nil, fmt.Errorf("a dictionary of %d values in %d bytes", count, len(b))
	}
	d.count = uint32(count)
	if c.width > 0 {
		return d, nil
	}
	d.starts = make([]uint32, count)
	var v Value
	p := plain{b, c}
	for i := range d.starts {
		d.starts[i] = uint32(len(b) - len(p.b))
		if err := p.next(&v); err != nil {
			return nil, err
		}
	}
	return d, nil
}

func (d *dictionary) value(v *Value, index uint32) error {
	if index >= d.count {
		return fmt.Errorf("index %d into a dictionary of %d values", index, d.count)
	}
	if d.starts != nil {
		p := plain{d.b[d.starts[index]:], d.column}
		return p.next(v)
	}
	at := int(index) * d.column.width
	return d.column.set(v, d.b[at:at+d.column.width])
}

// indexed decodes values that a dictionary holds: the bits of an index in a byte, and the indices.
type indexed struct {
	hybrid
	d *dictionary
}

func newIndexed(d *dictionary, b []byte) (*indexed, error) {
	if d == nil {
		return nil, errors.New("indices without a dictionary")
	}
	if b[0] > 32 {
		return nil, fmt.Errorf("indices of %d bits", b[0])
	}
	return &indexed{hybrid{width: int(b[0]), b: b[1:]}, d}, nil
}

func (i *indexed) next(v *Value) error {
	index, ok := i.hybrid.next()
	if !ok {
		return errEnd
	}
	return i.d.value(v, index)
}
