package text

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// splitSpace calls piece with what lies between white space.
func splitSpace(s string, piece func(string) bool) {
	for word := range strings.FieldsFuncSeq(s, unicode.IsSpace) {
		if !piece(word) {
			return
		}
	}
}

// metaspace writes spaces as a mark, U+2581 unless told otherwise, as SentencePiece does (Kudo and Richardson, EMNLP 2018): one in front
// of the text as well, and each begins a part. after says that the text has been split before.
func (c component) metaspace(after bool) (splitter, error) {
	mark := "\u2581"
	if c.Replacement != nil {
		mark = *c.Replacement
	}
	if utf8.RuneCountInString(mark) != 1 {
		return nil, fmt.Errorf("replacement %q: want one character", mark)
	}
	prepend := is(c.AddPrefixSpace, true)
	switch scheme := text(c.PrependScheme); {
	case scheme == "" || scheme == "always" && prepend || scheme == "never":
		prepend = prepend && scheme != "never"
	case scheme == "first" && !after: // there is but one text
	default:
		return nil, fmt.Errorf("prepend_scheme %q, add_prefix_space %t, behind another pre-tokenizer %t, is not supported", scheme, prepend, after)
	}
	split := is(c.SplitMarks, true)
	return func(s string, piece func(string) bool) {
		if s == "" {
			return
		}
		if s = strings.ReplaceAll(s, " ", mark); prepend && !strings.HasPrefix(s, mark) {
			s = mark + s
		}
		for s != "" {
			n := len(s)
			if split {
				body := strings.TrimPrefix(s, mark)
				if next := strings.Index(body, mark); next >= 0 {
					n += next - len(body)
				}
			}
			if !piece(s[:n]) {
				return
			}
			s = s[n:]
		}
	}, nil
}
