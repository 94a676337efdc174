package parquet

import (
	"errors"
	"fmt"
)

// Chunk reads a column of a row group, cell by cell.
type Chunk struct {
	file   *File
	column *Column
	codec  int64
	at     int64 // of the page that comes next
	left   int64 // entries of the pages that come

	dictionary      *dictionary
	dictionaryBytes []byte
	pageBytes       []byte
	last            []byte // the value before, of DELTA_BYTE_ARRAY

	entries                  int64 // of the page
	definitions, repetitions hybrid
	values                   decoder

	definition, repetition uint32 // of the entry at hand
	held                   bool   // it belongs to the next cell
	after                  error  // what is wrong with what follows the cell
	end                    error  // why there are no more cells
}

// Chunk begins a column of a row group. A column that holds neither texts nor numbers, nor lists of them, is an error.
func (f *File) Chunk(group int, c *Column) (*Chunk, error) {
	if c.refused != "" {
		return nil, fmt.Errorf("got %s, want text, numbers or a list of numbers", c.refused)
	}
	k := f.groups[group].chunks[c.leaf]
	return &Chunk{file: f, column: c, codec: k.codec, at: k.start, left: k.values}, nil
}

var (
	errRows   = errors.New("the column has fewer rows than its row group")
	errLevels = errors.New("broken levels")
)

// Cell reads the next cell: keep is called for each of its values, which are one, or the elements of lists one after the other. ok is false
// where the cell is null; a null element of a list is an error. After an error there are no more cells.
func (k *Chunk) Cell(keep func(v *Value) error) (ok bool, err error) {
	if k.end == nil {
		ok, k.end = k.cell(keep)
	}
	return ok && k.end == nil, k.end
}

func (k *Chunk) cell(keep func(v *Value) error) (ok bool, err error) {
	if !k.held {
		if more, err := k.advance(); err != nil {
			return false, err
		} else if !more {
			return false, errRows
		}
	}
	if k.repetition > 0 {
		return false, errors.New("a list goes on where a row begins")
	}
	var v Value
	for {
		k.held = false
		ok = k.definition >= k.column.present
		switch {
		case k.definition == k.column.value:
			err := k.values.next(&v)
			if err == nil {
				err = keep(&v)
			}
			if err != nil {
				return false, err
			}
		case !k.column.List:
			return false, nil
		case k.definition >= k.column.element:
			return false, errors.New("an element of the list is null")
		}
		if !k.column.List {
			return true, nil
		}
		if k.held, err = k.advance(); err != nil || !k.held || k.repetition == 0 {
			k.after = err // of the next cell
			return ok, nil
		}
	}
}

// advance goes to the next entry: a value, a null or an empty list.
func (k *Chunk) advance() (more bool, err error) {
	if k.after != nil {
		return false, k.after
	}
	for k.entries == 0 {
		if k.left <= 0 {
			return false, nil
		}
		from := k.at
		if err := k.open(); err != nil {
			return false, fmt.Errorf("page at byte %d: %w", from, err)
		}
	}
	k.entries--
	if k.column.value > 0 {
		if k.definition, err = level(&k.definitions, k.column.value); err != nil {
			return false, err
		}
	}
	if k.column.List {
		k.repetition, err = level(&k.repetitions, k.column.repetition)
	}
	return err == nil, err
}

func level(h *hybrid, most uint32) (uint32, error) {
	v, ok := h.next()
	if !ok || v > most {
		return 0, errLevels
	}
	return v, nil
}

// open takes the next page.
func (k *Chunk) open() error {
	p, err := k.page()
	if err != nil {
		return err
	}
	switch p.kind {
	case dictionaryPage:
		if k.dictionary != nil {
			return errors.New("a second dictionary")
		}
		if p.encoding != plainEncoding && p.encoding != plainDictionary {
			return fmt.Errorf("a dictionary of encoding %d", p.encoding)
		}
		k.dictionary, err = newDictionary(k.column, p.values, p.entries)
		return err
	case dataPage, dataPage2:
		k.left -= p.entries
		k.entries = p.entries
		k.definitions = hybrid{b: p.definitionLevels, width: bitsOf(k.column.value)}
		k.repetitions = hybrid{b: p.repetitionLevels, width: bitsOf(k.column.repetition)}
		k.values, err = k.decoder(p)
		return err
	}
	return nil // what is not known may be passed over
}

// decoder returns what decodes the values of a page.
func (k *Chunk) decoder(p page) (decoder, error) {
	c := k.column
	isInt := c.physical == int32Type || c.physical == int64Type
	switch e := p.encoding; {
	case len(p.values) == 0:
		return &plain{nil, c}, nil // nulls only
	case e == plainDictionary || e == dictionaryCoded:
		return newIndexed(k.dictionary, p.values)
	case c.physical == boolean && (e == plainEncoding || e == runLengths):
		return newFlags(p.values, e)
	case e == plainEncoding:
		return &plain{p.values, c}, nil
	case e == deltaPacked && isInt:
		d, err := newDelta(p.values, p.entries)
		return ints{d, c}, err
	case e == deltaLengths && c.physical == byteArray:
		return newLengths(p.values, p.entries)
	case e == deltaStrings && (c.physical == byteArray || c.physical == fixedSize):
		return newPrefixed(c, p.values, p.entries, &k.last)
	case e == streamSplit && c.physical != boolean && c.physical != byteArray:
		return newSplit(c, p.values)
	default:
		return nil, fmt.Errorf("encoding %d is not supported here", e)
	}
}
