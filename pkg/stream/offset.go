package stream

import (
	"fmt"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// offsets reads the rows+1 offsets, of width bytes each, of a column and returns them and the last. They begin at 0 or
// above and never fall. A column of no rows may have none.
func (c *columns) offsets(width int64, rows int) (*memory.Buffer, int64, error) {
	b, err := c.next("offset", (int64(rows)+1)*width, width, rows == 0)
	if err != nil || b == nil {
		return nil, 0, err
	}
	if width == 4 {
		return checkOffsets(b, arrow.Int32Traits.CastFromBytes(b.Bytes()))
	}
	return checkOffsets(b, arrow.Int64Traits.CastFromBytes(b.Bytes()))
}

func checkOffsets[T int32 | int64](b *memory.Buffer, offsets []T) (*memory.Buffer, int64, error) {
	last := offsets[0]
	if last < 0 {
		return nil, 0, fmt.Errorf("offset %d of value 0", last)
	}
	for i, o := range offsets[1:] {
		if o < last {
			return nil, 0, fmt.Errorf("offset %d after %d at value %d", o, last, i)
		}
		last = o
	}
	return b, int64(last), nil
}

// checkText holds every string against UTF-8.
func checkText(offsets *memory.Buffer, width int64, rows int, values []byte, valid *memory.Buffer) error {
	if offsets == nil {
		return nil
	}
	if width == 4 {
		return checkUTF8(arrow.Int32Traits.CastFromBytes(offsets.Bytes()), rows, values, valid)
	}
	return checkUTF8(arrow.Int64Traits.CastFromBytes(offsets.Bytes()), rows, values, valid)
}

func checkUTF8[T int32 | int64](offsets []T, rows int, values []byte, valid *memory.Buffer) error {
	// Where the whole is valid and no string begins inside a rune, each string is: one pass over long runs is many
	// times as fast as a call for every short string.
	if whole := values[offsets[0]:]; utf8.Valid(whole) && startsAtRunes(offsets, values) {
		return nil
	}
	for i := range rows {
		if valid != nil && !bitutil.BitIsSet(valid.Bytes(), i) {
			continue // the bytes under a null mean nothing
		}
		if !utf8.Valid(values[offsets[i]:offsets[i+1]]) {
			return fmt.Errorf("value %d is not UTF-8", i)
		}
	}
	return nil
}

func startsAtRunes[T int32 | int64](offsets []T, values []byte) bool {
	for _, o := range offsets {
		if int(o) < len(values) && !utf8.RuneStart(values[o]) {
			return false
		}
	}
	return true
}
