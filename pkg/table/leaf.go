package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"mmtools/pkg/stream"
)

// leafBatch is how many values of a Parquet column are decoded at once.
const leafBatch = 4096

// maxCell bounds the numbers of a cell: 1 GiB of float32.
const maxCell = 1 << 28

// leaf decodes a Parquet column. Its values come with levels: a repetition level of 0 begins a row.
type leaf struct {
	table   *rowGroups
	column  int
	chunk   int  // the leaf's place among all leaves; -1 where there is none
	several bool // the column is a struct or a map
	levels  levels

	group  int   // that source reads, + 1
	row    int64 // of the group that comes next
	source file.ColumnChunkReader
	kind   kind

	read       func(defs, reps []int16) (levels, values int, err error) // a batch
	defs, reps []int16
	filled, at int // levels of the batch, and the next of them
	values     int // of the batch
	next       int // of the batch's values
	copyOut    func(from int)
	texts      []string // of the cell, or
	ints       []int64
	floats     []float64
}

// kind says how the values of a leaf are meant.
type kind struct {
	unsigned int // bits of an unsigned integer
	half     bool
	refused  string // what it is, where it is neither text nor a number
}

// cell decodes the column's cell of the table's row and returns the number of its values; ok is false where it is null.
func (l *leaf) cell() (n int, ok bool, err error) {
	if l.several || l.chunk < 0 {
		return 0, false, errVector
	}
	if l.source == nil || l.group != l.table.group+1 {
		if err := l.open(); err != nil {
			return 0, false, err
		}
	}
	if l.row > l.table.row {
		return 0, false, errors.New("a cell is read once")
	}
	for {
		ok, err = l.gather()
		if err != nil {
			return 0, false, err
		}
		if l.row++; l.row > l.table.row {
			return len(l.texts) + len(l.ints) + len(l.floats), ok, nil
		}
	}
}

// open begins the column's chunk of the row group.
func (l *leaf) open() (err error) {
	if l.source, err = l.table.r.RowGroup(l.table.group).Column(l.chunk); err != nil {
		return err
	}
	l.group, l.row, l.filled, l.at = l.table.group+1, 0, 0, 0
	if l.defs == nil {
		l.defs, l.reps = make([]int16, leafBatch), make([]int16, leafBatch)
	}
	if l.kind = kindOf(l.source.Descriptor()); l.kind.refused != "" {
		return fmt.Errorf("got %s, want text, numbers or a list of numbers", l.kind.refused)
	}
	switch r := l.source.(type) {
	case *file.BooleanColumnChunkReader:
		bind(l, r.ReadBatch, func(v bool) { l.ints = append(l.ints, map[bool]int64{true: 1}[v]) })
	case *file.Int32ColumnChunkReader:
		bind(l, r.ReadBatch, func(v int32) {
			if l.kind.unsigned > 0 {
				l.ints = append(l.ints, int64(uint32(v)))
			} else {
				l.ints = append(l.ints, int64(v))
			}
		})
	case *file.Int64ColumnChunkReader:
		bind(l, r.ReadBatch, func(v int64) { l.ints = append(l.ints, v) })
	case *file.Float32ColumnChunkReader:
		bind(l, r.ReadBatch, func(v float32) { l.floats = append(l.floats, float64(v)) })
	case *file.Float64ColumnChunkReader:
		bind(l, r.ReadBatch, func(v float64) { l.floats = append(l.floats, v) })
	case *file.ByteArrayColumnChunkReader:
		bind(l, r.ReadBatch, func(v parquet.ByteArray) { l.texts = append(l.texts, string(v)) })
	case *file.FixedLenByteArrayColumnChunkReader: // of two bytes: kindOf lets no other pass
		bind(l, r.ReadBatch, func(v parquet.FixedLenByteArray) {
			l.floats = append(l.floats, float64(stream.Half(binary.LittleEndian.Uint16(v))))
		})
	default:
		return fmt.Errorf("got %s, want text, numbers or a list of numbers", l.source.Type())
	}
	return nil
}

// bind reads batches of one physical type. What a batch holds is valid until the next.
func bind[T any](l *leaf, read func(int64, []T, []int16, []int16) (int64, int, error), keep func(T)) {
	values := make([]T, leafBatch)
	l.read = func(defs, reps []int16) (int, int, error) {
		levels, n, err := read(leafBatch, values, defs, reps)
		return int(levels), n, err
	}
	l.copyOut = func(i int) { keep(values[i]) }
}

// gather reads the values of one row.
func (l *leaf) gather() (ok bool, err error) {
	l.texts, l.ints, l.floats = l.texts[:0], l.ints[:0], l.floats[:0]
	for first := true; ; first = false {
		if l.at == l.filled {
			more, err := l.fill()
			if err != nil {
				return false, err
			}
			if !more && first {
				return false, errors.New("the column has fewer rows than its row group")
			}
			if !more {
				return ok, nil
			}
		}
		def, rep := l.levels.value, int16(0)
		if l.levels.value > 0 {
			def = l.defs[l.at]
		}
		if l.levels.repeated > 0 {
			rep = l.reps[l.at]
		}
		if first && rep != 0 {
			return false, errors.New("a list goes on where a row begins")
		}
		if !first && rep == 0 {
			return ok, nil
		}
		l.at++
		ok = def >= l.levels.present
		switch {
		case def == l.levels.value:
			if l.next == l.values {
				return false, errors.New("fewer values than levels")
			}
			l.copyOut(l.next)
			l.next++
			if len(l.floats)+len(l.ints)+len(l.texts) > maxCell {
				return false, fmt.Errorf("more than %d values in a cell", maxCell)
			}
		case l.levels.repeated > 0 && def >= l.levels.element:
			return false, errors.New("an element of the list is null")
		case l.levels.repeated == 0:
			ok = false
		}
	}
}

// fill decodes the next batch.
func (l *leaf) fill() (more bool, err error) {
	l.at, l.filled, l.next, l.values = 0, 0, 0, 0
	for l.source.HasNext() {
		n, values, err := l.read(l.defs, l.reps)
		if err != nil {
			return false, err
		}
		if n > 0 {
			l.filled, l.values = n, values
			return true, nil
		}
	}
	return false, l.source.Err()
}

func (l *leaf) text(i int) string {
	switch {
	case len(l.texts) > 0:
		return l.texts[i]
	case len(l.ints) > 0 && l.kind.unsigned == 64:
		return strconv.FormatUint(uint64(l.ints[i]), 10)
	case len(l.ints) > 0 && l.source.Type() == parquet.Types.Boolean:
		return strconv.FormatBool(l.ints[i] != 0)
	case len(l.ints) > 0:
		return strconv.FormatInt(l.ints[i], 10)
	case l.source.Type() == parquet.Types.Double:
		return strconv.FormatFloat(l.floats[i], 'g', -1, 64)
	default:
		return strconv.FormatFloat(l.floats[i], 'g', -1, 32)
	}
}

// number appends value i of the cell; a text may hold several.
func (l *leaf) number(dst []float32, i int) ([]float32, error) {
	switch {
	case len(l.floats) > 0:
		return append(dst, float32(l.floats[i])), nil
	case len(l.texts) > 0:
		return appendText(dst, l.texts[i])
	case l.kind.unsigned == 64:
		return append(dst, float32(uint64(l.ints[i]))), nil
	default:
		return append(dst, float32(l.ints[i])), nil
	}
}

// kindOf reads a leaf's logical type.
func kindOf(c *schema.Column) kind {
	switch logical := c.LogicalType().(type) {
	case *schema.DecimalLogicalType:
		return kind{refused: "a decimal"}
	case *schema.IntLogicalType:
		if !logical.IsSigned() {
			return kind{unsigned: int(logical.BitWidth())}
		}
	case *schema.Float16LogicalType, schema.Float16LogicalType:
		if c.TypeLength() == 2 {
			return kind{half: true}
		}
	}
	switch c.PhysicalType() {
	case parquet.Types.FixedLenByteArray:
		return kind{refused: "bytes of a fixed length"}
	case parquet.Types.Int96:
		return kind{refused: "a time of 96 bits"}
	}
	return kind{}
}
