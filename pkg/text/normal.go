package text

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// normalizer is one step of what a tokenizer does to a text before it splits it.
type normalizer func(string) string

// cleanText drops control characters and turns white space into spaces (BERT's clean_text).
func cleanText(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == 0 || r == 0xfffd:
			return -1
		case r == '\t' || r == '\n' || r == '\r' || unicode.IsSpace(r):
			return ' '
		case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co):
			return -1
		}
		return r
	}, s)
}

// spaceIdeographs puts spaces around each CJK ideograph (BERT's handle_chinese_chars).
func spaceIdeographs(s string) string {
	var b strings.Builder
	for _, r := range s {
		if ideograph(r) {
			b.WriteByte(' ')
			b.WriteRune(r)
			b.WriteByte(' ')
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// ideograph tells BERT's blocks of CJK ideographs.
func ideograph(r rune) bool {
	return r >= 0x4e00 && r <= 0x9fff || r >= 0x3400 && r <= 0x4dbf || r >= 0x20000 && r <= 0x2a6df ||
		r >= 0x2a700 && r <= 0x2b73f || r >= 0x2b740 && r <= 0x2b81f || r >= 0x2b820 && r <= 0x2ceaf ||
		r >= 0xf900 && r <= 0xfaff || r >= 0x2f800 && r <= 0x2fa1f
}

// stripAccents decomposes and drops the marks.
func stripAccents(s string) string { return dropMarks(norm.NFD.String(s)) }

func dropMarks(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, s)
}

// lowercase maps each code point; U+0130 alone has a lower case of two.
func lowercase(s string) string {
	return strings.ReplaceAll(strings.Map(func(r rune) rune {
		if r == 0x130 {
			return r
		}
		return unicode.ToLower(r)
	}, s), "\u0130", "i\u0307")
}

// bertNormalizer is BERT's, in its order.
func bertNormalizer(clean, ideographs, accents, lower bool) []normalizer {
	var steps []normalizer
	if clean {
		steps = append(steps, cleanText)
	}
	if ideographs {
		steps = append(steps, spaceIdeographs)
	}
	if accents {
		steps = append(steps, stripAccents)
	}
	if lower {
		steps = append(steps, lowercase)
	}
	return steps
}
