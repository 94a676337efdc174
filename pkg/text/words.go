package text

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// words is a text's words in lower case, one after the other in memory.
type words struct {
	normal []byte
	text   []byte
	ends   []int // of each word in text
}

// split fills w with the words of s.
func (w *words) split(s string) {
	w.text, w.ends = w.text[:0], w.ends[:0]
	if !utf8.ValidString(s) { // which norm may leave as it is, with what follows
		s = strings.ToValidUTF8(s, string(utf8.RuneError))
	}
	w.normal = norm.NFKC.AppendString(w.normal[:0], s)
	inside := false
	for rest := w.normal; len(rest) > 0; {
		r, n := utf8.DecodeRune(rest)
		rest = rest[n:]
		if wordRune(r) {
			w.text = utf8.AppendRune(w.text, unicode.ToLower(r))
			inside = true
			continue
		}
		if inside {
			w.ends = append(w.ends, len(w.text))
			inside = false
		}
	}
	if inside {
		w.ends = append(w.ends, len(w.text))
	}
}

// wordRune tells whether r belongs to a word; utf8.RuneError, which stands for bytes that are no UTF-8, does not.
func wordRune(r rune) bool { return unicode.In(r, unicode.L, unicode.M, unicode.N) }

// word returns the i-th word.
func (w *words) word(i int) []byte {
	start := 0
	if i > 0 {
		start = w.ends[i-1]
	}
	return w.text[start:w.ends[i]]
}
