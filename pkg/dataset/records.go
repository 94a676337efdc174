package dataset

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"

	"mmtools/pkg/stream"
)

// records calls record with the fields of each record of a list: RFC 4180, with any separator.
func (l *lists) records(file string, comma rune, record func(fields []string, place string) error) error {
	f, err := l.fs.Open(file)
	if err != nil {
		return err
	}
	defer f.Close() // only read
	text := bufio.NewReader(io.LimitReader(f, maxList))
	if mark, err := text.Peek(3); err == nil && string(mark) == "\ufeff" {
		text.Discard(3) // what Peek has read
	}
	r := csv.NewReader(text)
	r.Comma, r.FieldsPerRecord = comma, -1
	for n := 0; ; n++ {
		fields, err := r.Read()
		var syntax *csv.ParseError
		switch {
		case err == io.EOF:
			return nil
		case errors.As(err, &syntax):
			return stream.Errorf("%s: line %d, character %d: %w", file, syntax.Line, syntax.Column, syntax.Err)
		case err != nil:
			return fmt.Errorf("%s: %w", file, err)
		case n > maxEntries:
			return stream.Errorf("%s: more than %d records", file, maxEntries)
		}
		line, _ := r.FieldPos(0)
		place := fmt.Sprintf("%s: line %d", file, line)
		for _, field := range fields {
			if !utf8.ValidString(field) {
				return stream.Errorf("%s: not UTF-8 text", place)
			}
		}
		if err := record(fields, place); err != nil {
			return stream.Errorf("%s: %w", place, err)
		}
	}
}

// maxList bounds a list: what lies behind it is not read.
const maxList = 1 << 30
