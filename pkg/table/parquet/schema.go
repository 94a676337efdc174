package parquet

import (
	"errors"
	"fmt"
	"math/bits"
)

// Physical types.
const (
	boolean   = 0
	int32Type = 1
	int64Type = 2
	int96Type = 3
	float     = 4
	double    = 5
	byteArray = 6
	fixedSize = 7
)

// Kind says what the values of a column are.
type Kind int

const (
	Bool Kind = iota
	Int
	Uint
	Float32 // and of 16 bits
	Float64
	Text
)

// Column is a column of the table.
type Column struct {
	Name string
	Kind Kind
	List bool // its cells hold any number of values
	Byte bool // its numbers are said to be whole, and 0 to 255
	Half bool // its numbers are floats of 16 bits

	refused  string // what it is, where it is neither text nor numbers; "" where it can be read
	leaf     int    // its place in a row group
	leaves   int    // under it: several are a struct or a map
	physical int64
	width    int // of a value, in bytes; 0 for texts

	present    uint32 // definition level from which on the cell is not null
	element    uint32 // from which on the innermost list holds an element
	value      uint32 // of a value that is there
	repetition uint32 // the most lists around a value
}

// Struct reports whether a cell is several values of several names.
func (c *Column) Struct() bool { return c.leaves != 1 }

// element of the schema: a SchemaElement.
type element struct {
	name       string
	physical   int64 // -1 of a group
	width      int64
	repetition int64
	children   int64
	converted  int64
	logical    logical
}

// logical is a LogicalType as far as it decides how numbers are meant.
type logical struct {
	decimal, half, unsigned bool
	bits                    int64 // of an integer
}

// Repetitions.
const (
	optional = 1
	repeated = 2
)

const (
	maxElements = 1 << 18
	maxDepth    = 32
)

func (c *compact) element(kind byte) element {
	e := element{physical: -1, converted: -1}
	c.fields(kind, func(id int64, kind byte) {
		switch id {
		case 1:
			e.physical = c.number(kind)
		case 2:
			e.width = c.number(kind)
		case 3:
			e.repetition = c.number(kind)
		case 4:
			e.name = string(c.binary(kind))
		case 5:
			e.children = c.number(kind)
		case 6:
			e.converted = c.number(kind)
		case 10:
			e.logical = c.logical(kind)
		default:
			c.skip(kind)
		}
	})
	const decimal, uint8Type, uint64Type = 5, 11, 14
	e.logical.decimal = e.logical.decimal || e.converted == decimal
	if e.converted >= uint8Type && e.converted <= uint64Type {
		e.logical.unsigned, e.logical.bits = true, 8<<(e.converted-uint8Type)
	}
	return e
}

func (c *compact) logical(kind byte) (l logical) {
	c.fields(kind, func(id int64, kind byte) {
		switch id {
		case 5:
			l.decimal = true
			c.skip(kind)
		case 10:
			c.fields(kind, func(id int64, kind byte) {
				switch id {
				case 1:
					l.bits = c.number(kind)
				case 2:
					l.unsigned = kind == isFalse
				default:
					c.skip(kind)
				}
			})
		case 15:
			l.half = true
			c.skip(kind)
		default:
			c.skip(kind)
		}
	})
	return l
}

// tree goes through the schema, which lists its elements depth first.
type tree struct {
	elements []element
	columns  []*Column
	leaves   int
}

func columnsOf(elements []element) ([]*Column, error) {
	if len(elements) == 0 {
		return nil, errors.New("no schema")
	}
	t := tree{elements: elements[1:]}
	for range elements[0].children {
		if len(t.elements) == 0 {
			return nil, errors.New("the schema ends early")
		}
		c := &Column{Name: t.elements[0].name}
		if t.elements[0].repetition == optional {
			c.present = 1
		}
		t.columns = append(t.columns, c)
		if err := t.walk(c, levels{}, 1); err != nil {
			return nil, fmt.Errorf("column %q: %w", c.Name, err)
		}
	}
	return t.columns, nil
}

// levels of what lies around an element.
type levels struct{ definition, repetition, element uint32 }

// walk goes through the next element, and what is under it, of a column.
func (t *tree) walk(c *Column, l levels, depth int) error {
	if len(t.elements) == 0 {
		return errors.New("the schema ends early")
	}
	if depth > maxDepth {
		return fmt.Errorf("nested more than %d deep", maxDepth)
	}
	e := t.elements[0]
	t.elements = t.elements[1:]
	switch e.repetition {
	case optional:
		l.definition++
	case repeated:
		l.definition++
		l.repetition++
		l.element = l.definition
	}
	if e.physical < 0 || e.children > 0 {
		for range e.children {
			if err := t.walk(c, l, depth+1); err != nil {
				return err
			}
		}
		return nil
	}
	if c.leaves++; c.leaves == 1 {
		c.leaf = t.leaves
		c.value, c.repetition, c.element, c.List = l.definition, l.repetition, l.element, l.repetition > 0
		c.of(e)
	}
	t.leaves++
	return nil
}

// Refused says what the column is where it is neither text nor numbers, "" else.
func (c *Column) Refused() string { return c.refused }

// of reads what a leaf's values are.
func (c *Column) of(e element) {
	c.physical = e.physical
	c.width = [...]int{boolean: 1, int32Type: 4, int64Type: 8, int96Type: 12, float: 4, double: 8, byteArray: 0, fixedSize: 0}[min(uint64(e.physical), fixedSize)]
	switch {
	case e.logical.decimal:
		c.refused = "a decimal"
	case e.physical == fixedSize && e.logical.half && e.width == 2:
		c.Kind, c.width, c.Half = Float32, 2, true
	case e.physical == boolean:
		c.Kind = Bool
	case e.physical == int32Type || e.physical == int64Type:
		if c.Kind = Int; e.logical.unsigned {
			c.Kind, c.Byte = Uint, e.logical.bits == 8
		}
	case e.physical == float:
		c.Kind = Float32
	case e.physical == double:
		c.Kind = Float64
	case e.physical == byteArray:
		c.Kind = Text
	case e.physical == int96Type:
		c.refused = "a time of 96 bits"
	case e.physical == fixedSize:
		c.refused = "bytes of a fixed length"
	default:
		c.refused = fmt.Sprintf("values of the physical type %d", e.physical)
	}
}

// bitsOf returns how many bits a level up to most takes.
func bitsOf(most uint32) int { return bits.Len32(most) }
