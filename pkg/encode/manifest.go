package encode

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"mmtools/pkg/stream"
)

// byteOrderMark is what some spreadsheets write before UTF-8 text.
const byteOrderMark = "\ufeff"

// manifest is a CSV file with a header, held whole.
type manifest struct {
	path    string
	columns []string
	rows    [][]string // each as long as columns
	lines   []int      // of each row, from 1
}

// maxManifest bounds a list: tens of millions of rows.
const maxManifest = 4 << 30

// ReadManifest reads a CSV file (RFC 4180, UTF-8), or one separated by tabs where its name ends in .tsv. Its first line names
// the columns, each once, and every row has as many fields.
func ReadManifest(path string) (List, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxManifest {
		return nil, stream.Errorf("%s: %d bytes: a list is held whole, and at most %d", path, info.Size(), maxManifest)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(text) {
		return nil, stream.Errorf("%s: not UTF-8 text", path)
	}
	r := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(text, []byte(byteOrderMark))))
	if strings.HasSuffix(path, ".tsv") {
		r.Comma = '\t'
	}
	m := &manifest{path: path}
	for {
		record, err := r.Read()
		switch {
		case err == io.EOF && m.columns == nil:
			return nil, stream.Errorf("%s: empty: want a line that names the columns", path)
		case err == io.EOF:
			return m, nil
		case errors.Is(err, csv.ErrFieldCount):
			line, _ := r.FieldPos(0)
			return nil, stream.Errorf("%s: line %d: %d fields, the first line names %d columns", path, line, len(record), len(m.columns))
		case err != nil:
			return nil, stream.Errorf("%s: %w", path, err) // names line and column
		}
		if m.columns == nil {
			for i, name := range record {
				if slices.Contains(record[:i], name) {
					return nil, stream.Errorf("%s: column %q twice", path, name)
				}
			}
			m.columns = record
			continue
		}
		line, _ := r.FieldPos(0)
		m.rows, m.lines = append(m.rows, record), append(m.lines, line)
	}
}

// Name implements List.
func (m *manifest) Name() string { return m.path }

// Columns implements List.
func (m *manifest) Columns() []string { return m.columns }

// Rows implements List.
func (m *manifest) Rows() int { return len(m.rows) }

// Field implements List.
func (m *manifest) Field(row, column int) string { return m.rows[row][column] }

// Place implements List.
func (m *manifest) Place(row int) string { return fmt.Sprintf("%s: line %d", m.path, m.lines[row]) }
