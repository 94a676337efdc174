package text

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"unicode/utf8"
)

// charsMap is what SentencePiece compiles its normalisation rules to: a trie of what is replaced, a double array (Aoe 1989, as Yata's
// Darts-clone lays it out), and the replacements, each with a 0 behind it. At every place the longest match is replaced.
//
// Hugging Face's library looks at clusters of characters in place of places, and there takes the shortest match: they differ
// where a rule's text begins another's.
type charsMap struct {
	units []uint32
	texts string
}

func parseCharsMap(encoded string) (*charsMap, error) {
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return nil, err
	}
	if len(raw) < 4 {
		return nil, errors.New("no size of its trie")
	}
	size := int64(binary.LittleEndian.Uint32(raw))
	raw = raw[4:]
	if size%4 != 0 || size == 0 || size > int64(len(raw)) {
		return nil, errors.New("its trie does not lie in it")
	}
	m := &charsMap{texts: string(raw[size:])}
	for at := int64(0); at < size; at += 4 {
		m.units = append(m.units, binary.LittleEndian.Uint32(raw[at:]))
	}
	return m, nil
}

func (m *charsMap) normalize(s string) string {
	var b strings.Builder
	for s != "" {
		n, text := m.longest(s)
		if n == 0 {
			r, width := utf8.DecodeRuneInString(s)
			n, text = width, string(r) // what is no UTF-8 becomes U+FFFD
		}
		b.WriteString(text)
		s = s[n:]
	}
	return b.String()
}

// longest returns the bytes of the longest match that s begins with, 0 for none, and what replaces it.
func (m *charsMap) longest(s string) (n int, text string) {
	unit := m.units[0]
	node := offsetOf(unit)
	for i := range len(s) {
		if node ^= uint32(s[i]); int64(node) >= int64(len(m.units)) {
			break
		}
		if unit = m.units[node]; unit&(1<<31|0xff) != uint32(s[i]) {
			break
		}
		node ^= offsetOf(unit)
		if unit>>8&1 == 0 || int64(node) >= int64(len(m.units)) {
			continue
		}
		if at := m.units[node] & (1<<31 - 1); int64(at) <= int64(len(m.texts)) {
			n = i + 1
			text, _, _ = strings.Cut(m.texts[at:], "\x00")
		}
	}
	return n, text
}

// offsetOf returns where a unit's children lie.
func offsetOf(unit uint32) uint32 { return unit >> 10 << (unit & (1 << 9) >> 6) }
