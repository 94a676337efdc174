package text

import (
	"fmt"
	"regexp"
	"strings"
)

// pattern is what Replace and Split look for.
type pattern struct{ Regex, String *string }

// space is \s as Hugging Face's regular expressions have it, all of Unicode's white space, where Go's is ASCII alone.
const space = `\t-\r\x{85}\p{Z}`

// maxPattern bounds an expression, which is compiled.
const maxPattern = 1 << 12

// compile returns the expression, or the text, as one of Go's, which takes time that grows with the text alone and knows no looking
// ahead or behind.
func (p *pattern) compile() (*regexp.Regexp, error) {
	switch {
	case p != nil && p.String != nil && *p.String != "":
		return regexp.Compile(regexp.QuoteMeta(*p.String))
	case p == nil || p.Regex == nil || len(*p.Regex) > maxPattern:
		return nil, fmt.Errorf("want an expression of at most %d bytes, or a text", maxPattern)
	}
	var b strings.Builder
	class := false
	for s := *p.Regex; s != ""; {
		n := 1
		switch {
		case s[0] == '\\' && len(s) > 1:
			n = 2
			switch {
			case s[1] == 's' && class:
				b.WriteString(space)
			case s[1] == 's':
				b.WriteString("[" + space + "]")
			case s[1] == 'S' && !class:
				b.WriteString("[^" + space + "]")
			default:
				b.WriteString(s[:2])
			}
			s = s[n:]
			continue
		case s[0] == '[':
			class = true
		case s[0] == ']':
			class = false
		}
		b.WriteByte(s[0])
		s = s[n:]
	}
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil, fmt.Errorf("expression %q is not supported: %w", *p.Regex, err)
	}
	return re, nil
}

// splitter calls piece with the parts of s, until it returns false.
type splitter func(s string, piece func(string) bool)

// then splits each part again.
func (outer splitter) then(inner splitter) splitter {
	return func(s string, piece func(string) bool) {
		outer(s, func(part string) bool {
			more := true
			inner(part, func(p string) bool {
				more = piece(p)
				return more
			})
			return more
		})
	}
}

// splitter returns what a Split does: its matches are the parts where it is inverted and removes, as CLIP's, or matches and what
// lies between them are.
func (c component) splitter() (splitter, error) {
	re, err := c.Pattern.compile()
	if err != nil {
		return nil, err
	}
	between := c.Behavior == "Isolated"
	if !between && !(c.Behavior == "Removed" && c.Invert) {
		return nil, fmt.Errorf("behavior %q, inverted %t, is not supported: want Isolated, or Removed and inverted", c.Behavior, c.Invert)
	}
	return func(s string, piece func(string) bool) {
		for s != "" {
			at := re.FindStringIndex(s)
			if at == nil || at[1] == 0 { // none, or an empty one in front of all
				at = []int{len(s), len(s)}
			}
			if at[0] > 0 && between && !piece(s[:at[0]]) || at[1] > at[0] && !piece(s[at[0]:at[1]]) {
				return
			}
			s = s[at[1]:]
		}
	}, nil
}
