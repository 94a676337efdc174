package table

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"mmtools/pkg/stream"
)

// byteOrderMark is what some spreadsheets write before UTF-8 text.
const byteOrderMark = "\ufeff"

// delimited reads CSV (RFC 4180, UTF-8), or the same with tabs.
type delimited struct {
	file    *os.File
	path    string
	guard   *guarded
	csv     *csv.Reader
	columns []string
	row     []string
	line    int
}

func newDelimited(f *os.File, path string, comma rune) (*delimited, error) {
	d := &delimited{file: f, path: path, guard: &guarded{r: f}}
	text := bufio.NewReader(d.guard)
	if mark, err := text.Peek(len(byteOrderMark)); err == nil && string(mark) == byteOrderMark {
		text.Discard(len(byteOrderMark)) // what Peek has read
	}
	d.csv = csv.NewReader(text)
	d.csv.Comma, d.csv.ReuseRecord = comma, true
	if err := d.read(); err == io.EOF {
		return nil, stream.Errorf("%s: empty: want a line that names the columns", path)
	} else if err != nil {
		return nil, err
	}
	d.columns = append(d.columns, d.row...)
	return d, checkColumns(path, d.columns)
}

// read reads a record whatever its number of fields.
func (d *delimited) read() error {
	d.guard.reset()
	d.csv.FieldsPerRecord = -1
	row, err := d.csv.Read()
	var syntax *csv.ParseError
	var file *os.PathError
	switch {
	case err == io.EOF, errors.As(err, &file):
		return err
	case errors.As(err, &syntax):
		return stream.Errorf("%s: line %d, character %d: %w", d.path, syntax.Line, syntax.Column, syntax.Err)
	case err != nil:
		return fmt.Errorf("%s: after line %d: %w", d.path, d.line, err)
	}
	d.row = row
	d.line, _ = d.csv.FieldPos(0)
	for _, text := range row {
		if !utf8.ValidString(text) {
			return stream.Errorf("%s: not UTF-8 text", d.Place())
		}
	}
	return nil
}

func (d *delimited) Columns() []string { return d.columns }
func (d *delimited) Place() string     { return fmt.Sprintf("%s: line %d", d.path, d.line) }
func (d *delimited) Close() error      { return d.file.Close() }

func (d *delimited) Next() error {
	if err := d.read(); err != nil {
		return err
	}
	if len(d.row) != len(d.columns) {
		return stream.Errorf("%s: %d fields, the first line names %d columns", d.Place(), len(d.row), len(d.columns))
	}
	return nil
}

// Text returns a field; an empty one is text like any other.
func (d *delimited) Text(column int) (string, bool, error) {
	return strings.Clone(d.row[column]), true, nil
}

// Numbers takes an empty field for null.
func (d *delimited) Numbers(column int, dst []float32) ([]float32, bool, error) {
	if strings.TrimSpace(d.row[column]) == "" {
		return dst, false, nil
	}
	dst, err := appendText(dst, d.row[column])
	if err != nil {
		return dst, false, stream.Errorf("%s: column %q: %w", d.Place(), d.columns[column], err)
	}
	return dst, true, nil
}
