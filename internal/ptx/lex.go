package ptx

import (
	"fmt"
	"strings"
)

// token is a word, a number, a string or one character.
type token struct {
	text string
	line int
}

// inWord tells what names, numbers and instructions are made of; a dot is in "ld.global.f32" and "%tid.x".
func inWord(c byte) bool {
	return c == '_' || c == '$' || c == '%' || c == '.' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// lex cuts PTX into tokens, without its comments, which end with the line.
func lex(text string) ([]token, error) {
	var all []token
	line := 1
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\n':
			line++
			i++
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case strings.HasPrefix(text[i:], "//"):
			for i < len(text) && text[i] != '\n' {
				i++
			}
		case c == '"':
			n := strings.IndexAny(text[i+1:], "\"\n")
			if n < 0 || text[i+1+n] == '\n' {
				return nil, fmt.Errorf("%d: a string that does not end", line)
			}
			all = append(all, token{text[i : i+n+2], line})
			i += n + 2
		case inWord(c) || c == '-':
			from := i
			for i++; i < len(text) && inWord(text[i]); {
				i++
			}
			all = append(all, token{text[from:i], line})
		case strings.IndexByte("{}[](),;:@!+<>", c) >= 0:
			all = append(all, token{text[i : i+1], line})
			i++
		default:
			return nil, fmt.Errorf("%d: unknown character %q", line, c)
		}
	}
	return all, nil
}
