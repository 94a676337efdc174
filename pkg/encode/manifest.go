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

// Condition keeps the rows whose column holds one of the values.
type Condition struct {
	Column string
	Values []string
}

// readManifest reads a CSV file (RFC 4180, UTF-8), or one separated by tabs where its name ends in .tsv. Its first line names
// the columns, each once, and every row has as many fields.
func readManifest(path string) (*manifest, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("%s: not UTF-8 text", path)
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
			return nil, fmt.Errorf("%s: empty: want a line that names the columns", path)
		case err == io.EOF:
			return m, nil
		case errors.Is(err, csv.ErrFieldCount):
			line, _ := r.FieldPos(0)
			return nil, fmt.Errorf("%s: line %d: %d fields, the first line names %d columns", path, line, len(record), len(m.columns))
		case err != nil:
			return nil, fmt.Errorf("%s: %w", path, err) // names line and column
		}
		if m.columns == nil {
			for i, name := range record {
				if slices.Contains(record[:i], name) {
					return nil, fmt.Errorf("%s: column %q twice", path, name)
				}
			}
			m.columns = record
			continue
		}
		line, _ := r.FieldPos(0)
		m.rows, m.lines = append(m.rows, record), append(m.lines, line)
	}
}

// column returns the place of a column.
func (m *manifest) column(name string) (int, error) {
	if i := slices.Index(m.columns, name); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%s: no column %q: it has %s", m.path, name, strings.Join(m.columns, ", "))
}

// values returns the column of every row.
func (m *manifest) values(column int) []string {
	values := make([]string, len(m.rows))
	for i, row := range m.rows {
		values[i] = row[column]
	}
	return values
}

// where returns the rows that meet every condition, in order.
func (m *manifest) where(conditions []Condition) ([]int, error) {
	columns := make([]int, len(conditions))
	for i, c := range conditions {
		var err error
		if columns[i], err = m.column(c.Column); err != nil {
			return nil, err
		}
	}
	var kept []int
rows:
	for i, row := range m.rows {
		for k, c := range conditions {
			if !slices.Contains(c.Values, row[columns[k]]) {
				continue rows
			}
		}
		kept = append(kept, i)
	}
	return kept, nil
}

// place names a row in a message.
func (m *manifest) place(row int) string { return fmt.Sprintf("%s: line %d", m.path, m.lines[row]) }
