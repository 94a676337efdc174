package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// textType is NumPy's name of texts of one width: byte order, U, characters; or |S and bytes.
var textType = regexp.MustCompile(`^([<>]U|\|S)([1-9][0-9]{0,6})$`)

// IsTexts reports whether an npy file that lies in memory is one that Texts reads, as far as its type tells.
func IsTexts(file []byte) bool {
	h, err := parseNPYHeader(file)
	return err == nil && textType.MatchString(h.descr)
}

// Texts reads an npy file that holds an array of texts, of one dimension, and lies in memory: NumPy's type U, UTF-32 filled up with
// zeros, or S, UTF-8 filled up so.
func Texts(file []byte) ([]string, error) {
	h, err := parseNPYHeader(file)
	if err != nil {
		return nil, err
	}
	parts := textType.FindStringSubmatch(h.descr)
	if parts == nil || len(h.shape) != 1 {
		return nil, fmt.Errorf("npy type %q, shape %v: want one dimension of texts, U or S", h.descr, h.shape)
	}
	width, err := strconv.Atoi(parts[2])
	if err != nil {
		return nil, err
	}
	if parts[1] != "|S" {
		width *= 4
	}
	data := file[h.offset:]
	if h.count > len(data)/width || h.count*width != len(data) {
		return nil, fmt.Errorf("npy shape %v of %s: the file has %d bytes after its header", h.shape, h.descr, len(data))
	}
	texts := make([]string, h.count)
	for i := range texts {
		cell := data[i*width:][:width]
		var ok bool
		switch parts[1] {
		case "<U":
			texts[i], ok = utf32(cell, binary.LittleEndian)
		case ">U":
			texts[i], ok = utf32(cell, binary.BigEndian)
		default:
			texts[i], ok = string(bytes.TrimRight(cell, "\x00")), utf8.Valid(cell)
		}
		if !ok {
			return nil, fmt.Errorf("text %d is not Unicode", i)
		}
	}
	return texts, nil
}

// utf32 returns a text without the zeros behind it; false where it is not Unicode.
func utf32(cell []byte, order binary.ByteOrder) (string, bool) {
	text := make([]rune, 0, len(cell)/4)
	for ; len(cell) > 0; cell = cell[4:] {
		r := rune(order.Uint32(cell))
		if !utf8.ValidRune(r) {
			return "", false
		}
		text = append(text, r)
	}
	return strings.TrimRight(string(text), "\x00"), true
}
