package media

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxNPYHeader bounds the header text; NumPy itself refuses more than 10,000 characters, version 1.0 cannot say more.
const maxNPYHeader = 1<<16 - 1

// npyHeader is what the header of an npy file says.
type npyHeader struct {
	descr   string
	fortran bool
	shape   []int
	offset  int // first byte of the data
	count   int // elements, the product of shape
}

// parseNPYHeader reads the header of an npy file, versions 1.0 to 3.0, of which data is the beginning or the whole
// (numpy.lib.format, "Format Version 1.0"):
//
//	"\x93NUMPY" major minor length(uint16, from 2.0 on uint32) {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
//
// The dictionary must hold these three keys, each once, and nothing else.
func parseNPYHeader(data []byte) (npyHeader, error) {
	var h npyHeader
	if len(data) < 10 || !bytes.HasPrefix(data, []byte("\x93NUMPY")) {
		return h, errors.New("not an npy file: it does not begin with \\x93NUMPY")
	}
	var length uint32
	switch major, minor := data[6], data[7]; {
	case major == 1 && minor == 0:
		length, h.offset = uint32(binary.LittleEndian.Uint16(data[8:])), 10
	case (major == 2 || major == 3) && minor == 0:
		if len(data) < 12 {
			return h, errors.New("the header is cut short")
		}
		length, h.offset = binary.LittleEndian.Uint32(data[8:]), 12
	default:
		return h, fmt.Errorf("npy version %d.%d: want 1.0, 2.0 or 3.0", major, minor)
	}
	if length > maxNPYHeader {
		return h, fmt.Errorf("the header claims %d bytes: at most %d are allowed", length, maxNPYHeader)
	}
	if int(length) > len(data)-h.offset {
		return h, fmt.Errorf("the header claims %d bytes: the file has %d more", length, len(data)-h.offset)
	}
	p := literal{text: string(data[h.offset : h.offset+int(length)])}
	h.offset += int(length)
	if !utf8.ValidString(p.text) {
		return h, errors.New("the header is not text")
	}
	if err := p.dictionary(&h); err != nil {
		return h, fmt.Errorf("npy header, byte %d: %w", p.at, err)
	}
	h.count = 1
	zero := false
	for _, d := range h.shape {
		if d == 0 {
			zero = true
			continue
		}
		high, low := bits.Mul64(uint64(h.count), uint64(d))
		if high != 0 || low > 1<<62 {
			return h, fmt.Errorf("npy shape %v: too many elements", h.shape)
		}
		h.count = int(low)
	}
	if zero {
		h.count = 0
	}
	return h, nil
}

// literal parses the few Python literals that an npy header may hold: text is the header, at the next byte.
type literal struct {
	text string
	at   int
}

func (p *literal) dictionary(h *npyHeader) error {
	if err := p.expect('{'); err != nil {
		return err
	}
	seen := map[string]bool{}
	for !p.take('}') {
		key, err := p.quoted()
		if err != nil {
			return err
		}
		if seen[key] {
			return fmt.Errorf("key %q twice", key)
		}
		seen[key] = true
		if err := p.expect(':'); err != nil {
			return err
		}
		switch key {
		case "descr":
			h.descr, err = p.descr()
		case "fortran_order":
			h.fortran, err = p.boolean()
		case "shape":
			h.shape, err = p.tuple()
		default:
			err = fmt.Errorf("unknown key %q", key)
		}
		if err != nil {
			return err
		}
		if !p.take(',') {
			if err := p.expect('}'); err != nil {
				return err
			}
			break
		}
	}
	for _, key := range []string{"descr", "fortran_order", "shape"} {
		if !seen[key] {
			return fmt.Errorf("no key %q", key)
		}
	}
	if p.space(); p.at != len(p.text) {
		return errors.New("text after the dictionary")
	}
	return nil
}

func (p *literal) space() {
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
}

// take skips space and then c, if c comes next.
func (p *literal) take(c byte) bool {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == c {
		p.at++
		return true
	}
	return false
}

func (p *literal) expect(c byte) error {
	if !p.take(c) {
		return fmt.Errorf("want %q", c)
	}
	return nil
}

// quoted reads a string in single or double quotes; escapes are refused, no npy header needs one.
func (p *literal) quoted() (string, error) {
	p.space()
	if p.at == len(p.text) || p.text[p.at] != '\'' && p.text[p.at] != '"' {
		return "", errors.New("want a quoted string")
	}
	quote := p.text[p.at]
	end := strings.IndexByte(p.text[p.at+1:], quote)
	if end < 0 {
		return "", errors.New("unclosed string")
	}
	s := p.text[p.at+1 : p.at+1+end]
	if strings.ContainsAny(s, "\\\n") {
		return "", fmt.Errorf("string %q holds an escape", s)
	}
	p.at += end + 2
	return s, nil
}

func (p *literal) descr() (string, error) {
	p.space()
	if p.at < len(p.text) && p.text[p.at] == '[' {
		return "", errors.New("structured types are not supported: save one array a file")
	}
	return p.quoted()
}

func (p *literal) boolean() (bool, error) {
	p.space()
	switch rest := p.text[p.at:]; {
	case strings.HasPrefix(rest, "True"):
		p.at += len("True")
		return true, nil
	case strings.HasPrefix(rest, "False"):
		p.at += len("False")
		return false, nil
	}
	return false, errors.New("want True or False")
}

// tuple reads (), (3,), (3, 4); Python 2 wrote 3L.
func (p *literal) tuple() ([]int, error) {
	if err := p.expect('('); err != nil {
		return nil, err
	}
	shape := []int{}
	comma := true
	for !p.take(')') {
		if !comma {
			return nil, errors.New(`want "," or ")"`)
		}
		p.space()
		from := p.at
		for p.at < len(p.text) && (p.text[p.at] >= '0' && p.text[p.at] <= '9' || p.text[p.at] == '-') {
			p.at++
		}
		d, err := strconv.ParseInt(p.text[from:p.at], 10, 62)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("dimension %q: want a whole number, zero or more", p.text[from:p.at])
		}
		if p.at < len(p.text) && p.text[p.at] == 'L' {
			p.at++
		}
		if shape = append(shape, int(d)); len(shape) > 64 {
			return nil, errors.New("more than 64 dimensions")
		}
		comma = p.take(',')
	}
	if len(shape) == 1 && !comma {
		return nil, errors.New("a number in brackets is not a tuple")
	}
	return shape, nil
}
