package media

import (
	"encoding/binary"
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf8"
)

// textType is NumPy's name of texts of one width: byte order, U, characters.
var textType = regexp.MustCompile(`^([<>])U([1-9][0-9]{0,6})$`)

// Texts reads an npy file that holds an array of texts, of one dimension, and lies in memory: NumPy's type U, UTF-32 filled up with
// zeros.
func Texts(file []byte) ([]string, error) {
	h, err := parseNPYHeader(file)
	if err != nil {
		return nil, err
	}
	parts := textType.FindStringSubmatch(h.descr)
	if parts == nil || len(h.shape) != 1 {
		return nil, fmt.Errorf("npy type %q, shape %v: want one dimension of texts, U", h.descr, h.shape)
	}
	chars, err := strconv.Atoi(parts[2])
	if err != nil {
		return nil, err
	}
	data := file[h.offset:]
	if h.count > len(data)/(4*chars) || h.count*4*chars != len(data) {
		return nil, fmt.Errorf("npy shape %v of %s: the file has %d bytes after its header", h.shape, h.descr, len(data))
	}
	var order binary.ByteOrder = binary.LittleEndian
	if parts[1] == ">" {
		order = binary.BigEndian
	}
	texts := make([]string, h.count)
	var text []rune
	for i := range texts {
		text = text[:0]
		for j := range chars {
			r := rune(order.Uint32(data[4*(i*chars+j):]))
			if !utf8.ValidRune(r) {
				return nil, fmt.Errorf("text %d is not Unicode", i)
			}
			text = append(text, r)
		}
		n := len(text)
		for n > 0 && text[n-1] == 0 {
			n--
		}
		texts[i] = string(text[:n])
	}
	return texts, nil
}
