package parquet

import (
	"encoding/binary"
	"errors"
)

var errThrift = errors.New("broken header")

// compact reads Thrift's compact protocol (github.com/apache/thrift, doc/specs/thrift-compact-protocol.md). After an error it reads zeros.
type compact struct {
	b   []byte // what is left
	err error
}

// Types of the protocol.
const (
	isTrue   = 1
	isFalse  = 2
	isByte   = 3
	isInt16  = 4
	isInt32  = 5
	isInt64  = 6
	isDouble = 7
	isBinary = 8
	isList   = 9
	isSet    = 10
	isMap    = 11
	isStruct = 12
	isUUID   = 13
)

// maxNesting bounds how deep fields that are not known may nest.
const maxNesting = 32

func (c *compact) fail() {
	if c.err == nil {
		c.err = errThrift
	}
	c.b = nil
}

func (c *compact) take(n uint64) []byte {
	if n > uint64(len(c.b)) {
		c.fail()
		return nil
	}
	taken := c.b[:n]
	c.b = c.b[n:]
	return taken
}

func (c *compact) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *compact) varint() uint64 {
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *compact) zigzag() int64 {
	v := c.varint()
	return int64(v>>1) ^ -int64(v&1)
}

// number reads an integer of any width.
func (c *compact) number(kind byte) int64 {
	switch kind {
	case isByte:
		return int64(int8(c.byte()))
	case isInt16, isInt32, isInt64:
		return c.zigzag()
	}
	c.fail()
	return 0
}

func (c *compact) binary(kind byte) []byte {
	if kind != isBinary {
		c.fail()
		return nil
	}
	return c.take(c.varint())
}

// fields calls read for each field of a struct; it reads the field's value, or skips it.
func (c *compact) fields(kind byte, read func(id int64, kind byte)) {
	if kind != isStruct {
		c.fail()
	}
	for id := int64(0); c.err == nil; {
		head := c.byte()
		kind := head & 15
		if kind == 0 {
			return
		}
		if delta := int64(head >> 4); delta > 0 {
			id += delta
		} else {
			id = c.zigzag()
		}
		if c.err == nil {
			read(id, kind)
		}
	}
}

// list calls read for each element, which takes a byte at least.
func (c *compact) list(kind byte, read func(kind byte)) {
	if kind != isList && kind != isSet {
		c.fail()
	}
	head := c.byte()
	n := uint64(head >> 4)
	if n == 15 {
		n = c.varint()
	}
	if n > uint64(len(c.b)) {
		c.fail()
	}
	for ; n > 0 && c.err == nil; n-- {
		read(head & 15)
	}
}

// skip passes over the value of a field.
func (c *compact) skip(kind byte) { c.skipNested(kind, maxNesting) }

func (c *compact) skipNested(kind byte, depth int) {
	if depth == 0 {
		c.fail()
		return
	}
	element := func(kind byte) {
		if kind == isTrue || kind == isFalse {
			kind = isByte // in a list a boolean is a byte, in a field it is the type
		}
		c.skipNested(kind, depth-1)
	}
	switch kind {
	case isTrue, isFalse:
	case isByte:
		c.take(1)
	case isInt16, isInt32, isInt64:
		c.varint()
	case isDouble:
		c.take(8)
	case isUUID:
		c.take(16)
	case isBinary:
		c.binary(kind)
	case isList, isSet:
		c.list(kind, element)
	case isMap:
		n := c.varint()
		if n == 0 {
			return
		}
		kinds := c.byte()
		for ; n > 0 && c.err == nil; n-- {
			element(kinds >> 4)
			element(kinds & 15)
		}
	case isStruct:
		c.fields(kind, func(_ int64, kind byte) { c.skipNested(kind, depth-1) })
	default:
		c.fail()
	}
}
