package parquet

import (
	"encoding/binary"
	"errors"
)

var errDelta = errors.New("broken differences")

// delta decodes DELTA_BINARY_PACKED: blocks of a least difference and, in miniblocks, what each difference is above it.
type delta struct {
	b       []byte // what is left
	left    uint64 // values to come
	minis   uint64 // of a block
	perMini uint64 // values

	value  int64
	begun  bool
	least  int64
	widths []byte // of the miniblocks to come
	mini   []byte
	width  int
	at     uint64 // the next value of the miniblock; perMini after the last
}

func zigzag(v uint64) int64 { return int64(v>>1) ^ -int64(v&1) }

func (d *delta) varint() (uint64, bool) {
	v, n := binary.Uvarint(d.b)
	if n <= 0 {
		return 0, false
	}
	d.b = d.b[n:]
	return v, true
}

// newDelta reads what comes before the blocks: of entries, at most.
func newDelta(b []byte, entries int64) (*delta, error) {
	d := &delta{b: b}
	var block, first uint64
	for _, v := range []*uint64{&block, &d.minis, &d.left, &first} {
		var ok bool
		if *v, ok = d.varint(); !ok {
			return nil, errEnd
		}
	}
	const maxBlock = 1 << 24
	if block == 0 || block > maxBlock || d.minis == 0 || d.minis > block || block%d.minis != 0 || block/d.minis%8 != 0 || d.left > uint64(entries) {
		return nil, errDelta
	}
	d.perMini, d.value = block/d.minis, zigzag(first)
	d.at = d.perMini
	return d, nil
}

func (d *delta) next() (int64, error) {
	if d.left == 0 {
		return 0, errEnd
	}
	d.left--
	if !d.begun {
		d.begun = true
		return d.value, nil
	}
	if d.at == d.perMini {
		if err := d.miniblock(); err != nil {
			return 0, err
		}
	}
	if (d.at+1)*uint64(d.width) > 8*uint64(len(d.mini)) {
		return 0, errEnd
	}
	d.value += d.least + int64(bitsAt(d.mini, d.at*uint64(d.width), d.width))
	d.at++
	return d.value, nil
}

// miniblock goes to the next one, and into the next block where there is none.
func (d *delta) miniblock() error {
	if len(d.widths) == 0 {
		least, ok := d.varint()
		if !ok || d.minis > uint64(len(d.b)) {
			return errEnd
		}
		d.least, d.widths, d.b = zigzag(least), d.b[:d.minis], d.b[d.minis:]
	}
	d.width, d.widths, d.at = int(d.widths[0]), d.widths[1:], 0
	if d.width > 64 {
		return errDelta
	}
	size := min(d.perMini/8*uint64(d.width), uint64(len(d.b)))
	d.mini, d.b = d.b[:size], d.b[size:]
	return nil
}

// rest returns what follows the values, of which none has been asked for.
func (d delta) rest() ([]byte, error) {
	for n := uint64(1); n < d.left; n += d.perMini {
		if err := d.miniblock(); err != nil {
			return nil, err
		}
	}
	return d.b, nil
}

// ints are the values of DELTA_BINARY_PACKED.
type ints struct {
	d      *delta
	column *Column
}

func (i ints) next(v *Value) (err error) {
	v.Int, err = i.d.next()
	if i.column.width == 4 {
		i.column.int32(v, uint32(v.Int))
	}
	return err
}

// lengths decodes DELTA_LENGTH_BYTE_ARRAY: the lengths of all values, and the bytes of all.
type lengths struct {
	d *delta
	b []byte
}

func newLengths(b []byte, entries int64) (*lengths, error) {
	d, err := newDelta(b, entries)
	if err != nil {
		return nil, err
	}
	rest, err := d.rest()
	return &lengths{d, rest}, err
}

func (l *lengths) next(v *Value) error {
	n, err := l.d.next()
	if err != nil {
		return err
	}
	if n < 0 || n > int64(len(l.b)) {
		return errEnd
	}
	v.Bytes, l.b = l.b[:n], l.b[n:]
	return nil
}

// prefixed decodes DELTA_BYTE_ARRAY: how much of the value before each begins with, and what follows.
type prefixed struct {
	prefixes *delta
	suffixes *lengths
	last     *[]byte // of the chunk: some writers go on from the page before, where a page's first prefix should be empty
	column   *Column
}

func newPrefixed(c *Column, b []byte, entries int64, last *[]byte) (*prefixed, error) {
	prefixes, err := newDelta(b, entries)
	if err != nil {
		return nil, err
	}
	rest, err := prefixes.rest()
	if err != nil {
		return nil, err
	}
	suffixes, err := newLengths(rest, entries)
	return &prefixed{prefixes, suffixes, last, c}, err
}

func (p *prefixed) next(v *Value) error {
	n, err := p.prefixes.next()
	if err != nil {
		return err
	}
	if err := p.suffixes.next(v); err != nil {
		return err
	}
	if n < 0 || n > int64(len(*p.last)) || n+int64(len(v.Bytes)) > maxPage {
		return errDelta
	}
	*p.last = append((*p.last)[:n], v.Bytes...)
	return p.column.set(v, *p.last)
}
