package text

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

func (f *tokenizerFile) normalizers(t *Tokenizer) error {
	for _, c := range f.Normalizer.parts() {
		switch c.Type {
		case "BertNormalizer":
			lower := is(c.Lowercase, true)
			t.normal = append(t.normal, bertNormalizer(is(c.CleanText, true), is(c.HandleChineseChars, true),
				is(c.StripAccents, lower), lower)...)
		case "Lowercase":
			t.normal = append(t.normal, lowercase)
		case "StripAccents":
			t.normal = append(t.normal, dropMarks)
		case "NFC", "NFD", "NFKC", "NFKD":
			form := map[string]norm.Form{"NFC": norm.NFC, "NFD": norm.NFD, "NFKC": norm.NFKC, "NFKD": norm.NFKD}[c.Type]
			t.normal = append(t.normal, form.String)
		case "Replace":
			re, err := c.Pattern.compile()
			if err != nil {
				return fmt.Errorf("normalizer Replace: %w", err)
			}
			t.normal = append(t.normal, func(s string) string { return re.ReplaceAllLiteralString(s, c.Content) })
		case "Strip":
			t.normal = append(t.normal, c.strip)
		case "Precompiled":
			m, err := parseCharsMap(c.CharsMap)
			if err != nil {
				return fmt.Errorf("normalizer Precompiled: %w", err)
			}
			t.normal = append(t.normal, m.normalize)
		default:
			return fmt.Errorf("normalizer %q is not supported: want BertNormalizer, Lowercase, StripAccents, Replace, Strip, Precompiled or a normal form", c.Type)
		}
	}
	return nil
}

// strip takes white space off the ends.
func (c component) strip(s string) string {
	if c.Left {
		s = strings.TrimLeftFunc(s, unicode.IsSpace)
	}
	if c.Right {
		s = strings.TrimRightFunc(s, unicode.IsSpace)
	}
	return s
}

// splitter puts the pre-tokenizers one behind the other.
func (f *tokenizerFile) splitter(t *Tokenizer) error {
	parts := f.PreTokenizer.parts()
	if len(parts) == 0 {
		return fmt.Errorf("no pre-tokenizer: want BertPreTokenizer, ByteLevel, Metaspace, WhitespaceSplit or Split")
	}
	for i, c := range parts {
		split, err := c.preTokenizer(t, i > 0)
		if err != nil {
			return fmt.Errorf("pre-tokenizer %s: %w", c.Type, err)
		}
		if t.split == nil {
			t.split = split
		} else {
			t.split = t.split.then(split)
		}
	}
	return nil
}

// preTokenizer returns what one of them does; after says that it is not the first.
func (c component) preTokenizer(t *Tokenizer, after bool) (splitter, error) {
	switch c.Type {
	case "BertPreTokenizer":
		return splitBERT, nil
	case "WhitespaceSplit":
		return splitSpace, nil
	case "Metaspace":
		return c.metaspace(after)
	case "Split":
		return c.splitter()
	case "ByteLevel":
		if prefix := is(c.AddPrefixSpace, true); prefix && after {
			return nil, fmt.Errorf("a space before every part is not supported")
		} else if prefix {
			t.normal = append(t.normal, func(s string) string {
				if s == "" || strings.HasPrefix(s, " ") {
					return s
				}
				return " " + s
			})
		}
		if is(c.UseRegex, true) {
			return splitGPT2, nil
		}
		return func(s string, piece func(string) bool) {
			if s != "" {
				piece(s)
			}
		}, nil
	}
	return nil, fmt.Errorf("not supported: want BertPreTokenizer, ByteLevel, Metaspace, WhitespaceSplit or Split")
}
