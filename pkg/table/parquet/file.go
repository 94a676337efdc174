package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"

	"mmtools/pkg/stream"
)

// File is a Parquet file. It belongs to one goroutine.
type File struct {
	data    []byte
	columns []*Column
	groups  []group
	zstd    stream.Zstd
}

// group is a RowGroup.
type group struct {
	rows   int64
	chunks []chunk // of each leaf of the schema
}

// chunk is a ColumnChunk.
type chunk struct {
	codec  int64
	values int64 // entries of all pages, nulls and empty lists among them
	start  int64 // of the first page
}

const (
	magic     = "PAR1"
	encrypted = "PARE"
	// maxFooter is the most that a file's metadata may come to: about a million column chunks.
	maxFooter = 128 << 20
)

// Open reads the metadata of a file, which is to stay in memory as long as it is read.
func Open(data []byte) (*File, error) {
	if len(data) < 12 || string(data[:4]) != magic && string(data[:4]) != encrypted {
		return nil, errors.New("not a Parquet file: it does not begin with " + magic)
	}
	end := len(data) - 8
	switch string(data[end+4:]) {
	case magic:
	case encrypted:
		return nil, errors.New("encrypted")
	default:
		return nil, errors.New("cut off: it does not end with " + magic)
	}
	size := int64(binary.LittleEndian.Uint32(data[end:]))
	if size > int64(end-4) || size > maxFooter {
		return nil, fmt.Errorf("metadata of %d bytes in a file of %d", size, len(data))
	}
	f := &File{data: data[:end-int(size)]}
	return f, f.footer(data[end-int(size) : end])
}

// footer reads the FileMetaData.
func (f *File) footer(b []byte) error {
	c := compact{b: b}
	var elements []element
	secret := false
	c.fields(isStruct, func(id int64, kind byte) {
		switch id {
		case 2:
			c.list(kind, func(kind byte) {
				if len(elements) == maxElements {
					c.err = fmt.Errorf("more than %d columns", maxElements)
					return
				}
				elements = append(elements, c.element(kind))
			})
		case 4:
			c.list(kind, func(kind byte) { f.groups = append(f.groups, c.group(kind)) })
		case 8:
			secret = true
			c.skip(kind)
		default:
			c.skip(kind)
		}
	})
	switch {
	case c.err != nil:
		return fmt.Errorf("reading its metadata: %w", c.err)
	case secret:
		return errors.New("encrypted")
	}
	var err error
	if f.columns, err = columnsOf(elements); err != nil {
		return err
	}
	leaves := 0
	for _, column := range f.columns {
		leaves += column.leaves
	}
	for i, g := range f.groups {
		if len(g.chunks) != leaves || g.rows < 0 {
			return fmt.Errorf("row group %d: %d columns of %d rows, the schema has %d columns", i, len(g.chunks), g.rows, leaves)
		}
	}
	return nil
}

func (c *compact) group(kind byte) (g group) {
	c.fields(kind, func(id int64, kind byte) {
		switch id {
		case 1:
			c.list(kind, func(kind byte) { g.chunks = append(g.chunks, c.chunk(kind)) })
		case 3:
			g.rows = c.number(kind)
		default:
			c.skip(kind)
		}
	})
	return g
}

func (c *compact) chunk(kind byte) (k chunk) {
	there := false
	c.fields(kind, func(id int64, kind byte) {
		switch id {
		case 1:
			c.err = errors.New("columns in other files are not supported")
		case 3:
			there = true
			k = c.meta(kind)
		default:
			c.skip(kind)
		}
	})
	if !there {
		c.fail()
	}
	return k
}

// meta reads a ColumnMetaData.
func (c *compact) meta(kind byte) (k chunk) {
	var dictionary int64
	c.fields(kind, func(id int64, kind byte) {
		switch id {
		case 4:
			k.codec = c.number(kind)
		case 5:
			k.values = c.number(kind)
		case 9:
			k.start = c.number(kind)
		case 11:
			dictionary = c.number(kind)
		default:
			c.skip(kind)
		}
	})
	if dictionary > 0 && dictionary < k.start {
		k.start = dictionary
	}
	return k
}

// Columns returns the columns of the table.
func (f *File) Columns() []*Column { return f.columns }

// Groups returns the number of row groups.
func (f *File) Groups() int { return len(f.groups) }

// Rows returns the number of rows of a row group.
func (f *File) Rows(group int) int64 { return f.groups[group].rows }

// Close frees what decoding needed.
func (f *File) Close() { f.zstd.Close() }
