package table

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"mmtools/pkg/stream"
)

// lines reads JSON lines: an object a line. A first pass finds the names, for a line may lack some.
type lines struct {
	file    *os.File
	path    string
	text    *bufio.Reader
	buffer  []byte
	columns []string
	places  map[string]int
	cells   []json.RawMessage // nil where the line lacks the key
	line    int
}

func newLines(f *os.File, path string) (*lines, error) {
	l := &lines{file: f, path: path, text: bufio.NewReaderSize(f, 1<<16), places: map[string]int{}}
	for {
		err := l.read(func(key string, _ json.RawMessage) error {
			if _, known := l.places[key]; !known {
				if len(l.columns) == maxColumns {
					return fmt.Errorf("more than %d names", maxColumns)
				}
				l.places[key] = len(l.columns)
				l.columns = append(l.columns, key)
			}
			return nil
		})
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, fmt.Errorf("%s: JSON lines are read twice: %w", path, err)
	}
	l.text.Reset(f)
	l.line, l.cells = 0, make([]json.RawMessage, len(l.columns))
	return l, nil
}

// read reads the object of the next line that is not blank.
func (l *lines) read(member func(key string, value json.RawMessage) error) error {
	for {
		line, err := l.readLine()
		if err != nil {
			return err
		}
		if l.line == 1 {
			line = bytes.TrimPrefix(line, []byte(byteOrderMark))
		}
		if line = bytes.TrimSpace(line); len(line) == 0 {
			continue
		}
		if !utf8.Valid(line) {
			return stream.Errorf("%s: not UTF-8 text", l.Place())
		}
		if err := object(line, member); err != nil {
			return stream.Errorf("%s: %w", l.Place(), err)
		}
		return nil
	}
}

func (l *lines) readLine() ([]byte, error) {
	l.buffer = l.buffer[:0]
	l.line++
	for {
		part, err := l.text.ReadSlice('\n')
		l.buffer = append(l.buffer, part...)
		switch {
		case len(l.buffer) > maxRow:
			return nil, stream.Errorf("%s: more than %d MiB", l.Place(), maxRow>>20)
		case err == nil || err == io.EOF && len(l.buffer) > 0:
			return l.buffer, nil
		case err != bufio.ErrBufferFull:
			return nil, err // io.EOF, or the file's
		}
	}
}

// object calls member for each key of a JSON object, of which none comes twice.
func object(line []byte, member func(key string, value json.RawMessage) error) error {
	d := json.NewDecoder(bytes.NewReader(line))
	if token, err := d.Token(); err != nil || token != json.Delim('{') {
		return errors.New("want a JSON object on each line")
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return err
		}
		key := token.(string) // the decoder lets nothing else stand there
		if seen[key] {
			return fmt.Errorf("%.40q comes twice", key)
		}
		seen[key] = true
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return fmt.Errorf("%.40q: %w", key, err)
		}
		if err := member(key, value); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return fmt.Errorf("the object has no end: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("more after the object")
	}
	return nil
}

func (l *lines) Columns() []string { return l.columns }
func (l *lines) Place() string     { return fmt.Sprintf("%s: line %d", l.path, l.line) }
func (l *lines) Close() error      { return l.file.Close() }

func (l *lines) Next() error {
	clear(l.cells)
	return l.read(func(key string, value json.RawMessage) error {
		i, known := l.places[key]
		if !known {
			return fmt.Errorf("%.40q: the file changed while it was read", key)
		}
		l.cells[i] = value
		return nil
	})
}

func (l *lines) null(column int) bool {
	return l.cells[column] == nil || string(l.cells[column]) == "null"
}

func (l *lines) Text(column int) (string, bool, error) {
	if l.null(column) {
		return "", false, nil
	}
	switch raw := l.cells[column]; raw[0] {
	case '"':
		var text string
		err := json.Unmarshal(raw, &text)
		return text, err == nil, err
	case '[', '{':
		return "", false, l.errorf(column, "%w", errVector)
	default:
		return string(raw), true, nil
	}
}

func (l *lines) Numbers(column int, dst []float32) ([]float32, bool, error) {
	if l.null(column) {
		return dst, false, nil
	}
	raw := l.cells[column]
	if raw[0] == '"' {
		text, _, err := l.Text(column)
		if err != nil || strings.TrimSpace(text) == "" {
			return dst, false, err
		}
		if dst, err = appendText(dst, text); err != nil {
			return dst, false, l.errorf(column, "%w", err)
		}
		return dst, true, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	for {
		token, err := d.Token()
		if err == io.EOF {
			return dst, true, nil
		}
		if err != nil {
			return dst, false, l.errorf(column, "%w", err)
		}
		switch token := token.(type) {
		case json.Number:
			v, err := parseNumber(string(token))
			if err != nil {
				return dst, false, l.errorf(column, "%w", err)
			}
			dst = append(dst, v)
		case json.Delim:
			if token == '[' || token == ']' {
				continue
			}
			return dst, false, l.errorf(column, "got an object, want numbers")
		default:
			return dst, false, l.errorf(column, "got %v, want a number", token)
		}
	}
}

func (l *lines) errorf(column int, format string, args ...any) error {
	return stream.Errorf("%s: %q: %w", l.Place(), l.columns[column], fmt.Errorf(format, args...))
}
