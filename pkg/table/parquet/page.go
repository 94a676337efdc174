package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// Page types.
const (
	dataPage       = 0
	dictionaryPage = 2
	dataPage2      = 3
)

// Encodings.
const (
	plainEncoding   = 0
	plainDictionary = 2
	runLengths      = 3
	deltaPacked     = 5
	deltaLengths    = 6
	deltaStrings    = 7
	dictionaryCoded = 8
	streamSplit     = 9
)

// maxPage is the most that a page may expand to.
const maxPage = 1 << 30

// header is a PageHeader with the one of its type.
type header struct {
	kind               int64
	expanded, stored   int64 // bytes
	sum                int64 // CRC-32 of the bytes as they are stored
	summed             bool
	entries            int64
	encoding           int64
	definitionEncoding int64
	repetitionEncoding int64
	definitions        int64 // bytes, of a data page 2
	repetitions        int64
	plain              bool // a data page 2 that is not compressed
}

func (c *compact) header() (h header) {
	h.definitionEncoding, h.repetitionEncoding = runLengths, runLengths
	c.fields(isStruct, func(id int64, kind byte) {
		switch id {
		case 1:
			h.kind = c.number(kind)
		case 2:
			h.expanded = c.number(kind)
		case 3:
			h.stored = c.number(kind)
		case 4:
			h.sum, h.summed = c.number(kind), true
		case 5, 7:
			c.counts(kind, &h.entries, &h.encoding, &h.definitionEncoding, &h.repetitionEncoding)
		case 8:
			c.fields(kind, func(id int64, kind byte) {
				switch id {
				case 1:
					h.entries = c.number(kind)
				case 4:
					h.encoding = c.number(kind)
				case 5:
					h.definitions = c.number(kind)
				case 6:
					h.repetitions = c.number(kind)
				case 7:
					h.plain = kind == isFalse
				default:
					c.skip(kind)
				}
			})
		default:
			c.skip(kind)
		}
	})
	return h
}

// counts reads the first fields of a struct, which are numbers but in a dictionary's header, where a boolean is the third.
func (c *compact) counts(kind byte, into ...*int64) {
	c.fields(kind, func(id int64, kind byte) {
		if id < 1 || id > int64(len(into)) || kind == isTrue || kind == isFalse {
			c.skip(kind)
			return
		}
		*into[id-1] = c.number(kind)
	})
}

// page is a page's bytes, expanded.
type page struct {
	header
	definitionLevels, repetitionLevels []byte
	values                             []byte
}

// page reads the page that comes next in a chunk.
func (k *Chunk) page() (p page, err error) {
	if k.at < int64(len(magic)) || k.at >= int64(len(k.file.data)) {
		return p, errors.New("its pages end early")
	}
	c := compact{b: k.file.data[k.at:]}
	p.header = c.header()
	if c.err != nil {
		return p, c.err
	}
	switch {
	case p.stored < 0 || p.stored > int64(len(c.b)):
		return p, fmt.Errorf("%d bytes, the file has %d more", p.stored, len(c.b))
	case p.expanded < 0 || p.expanded > maxPage:
		return p, fmt.Errorf("claims to expand to %d bytes: at most %d are read", p.expanded, maxPage)
	case p.entries < 0 || p.definitions < 0 || p.repetitions < 0:
		return p, errThrift
	}
	raw := c.b[:p.stored]
	k.at = int64(len(k.file.data)-len(c.b)) + p.stored
	if p.summed && crc32.ChecksumIEEE(raw) != uint32(p.sum) {
		return p, errors.New("wrong checksum")
	}
	return p, k.split(&p, raw)
}

// split expands a page and parts its levels from its values.
func (k *Chunk) split(p *page, raw []byte) (err error) {
	switch p.kind {
	case dictionaryPage:
		p.values, err = k.expand(&k.dictionaryBytes, raw, p.expanded)
	case dataPage:
		if p.values, err = k.expand(&k.pageBytes, raw, p.expanded); err != nil {
			return err
		}
		if k.column.repetition > 0 {
			if p.repetitionLevels, err = p.cut(p.repetitionEncoding); err != nil {
				return err
			}
		}
		if k.column.value > 0 {
			p.definitionLevels, err = p.cut(p.definitionEncoding)
		}
	case dataPage2:
		levels := p.repetitions + p.definitions
		if levels > p.stored || levels > p.expanded {
			return errors.New("levels of more bytes than the page")
		}
		p.repetitionLevels, p.definitionLevels = raw[:p.repetitions], raw[p.repetitions:levels]
		if p.plain {
			p.values = raw[levels:]
		} else {
			p.values, err = k.expand(&k.pageBytes, raw[levels:], p.expanded-levels)
		}
	}
	return err
}

// cut takes the levels that a data page 1 begins with: their length in four bytes, and they.
func (p *page) cut(encoding int64) ([]byte, error) {
	if encoding != runLengths {
		return nil, fmt.Errorf("levels of encoding %d are not supported", encoding)
	}
	if len(p.values) < 4 {
		return nil, errEnd
	}
	n := int64(binary.LittleEndian.Uint32(p.values))
	if n > int64(len(p.values)-4) {
		return nil, errEnd
	}
	levels := p.values[4 : 4+n]
	p.values = p.values[4+n:]
	return levels, nil
}
