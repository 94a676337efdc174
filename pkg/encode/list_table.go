package encode

import (
	"path/filepath"
	"slices"
	"strings"

	"mmtools/pkg/table"
)

// tableList is a List out of a table of another format than CSV.
type tableList struct{ rows *table.Rows }

// ReadList reads a list from a table, whose extension says what it is: CSV, TSV, JSON lines, Parquet, Arrow.
func ReadList(path string) (List, error) {
	if ext := strings.ToLower(filepath.Ext(path)); ext == ".csv" || ext == ".tsv" || !slices.Contains(table.Formats, ext) {
		return ReadManifest(path)
	}
	rows, err := table.ReadRows(path)
	if err != nil {
		return nil, err
	}
	return tableList{rows}, nil
}

// Name implements List.
func (l tableList) Name() string { return l.rows.Path }

// Columns implements List.
func (l tableList) Columns() []string { return l.rows.Columns }

// Rows implements List.
func (l tableList) Rows() int { return len(l.rows.Cells) }

// Field implements List.
func (l tableList) Field(row, column int) string { return l.rows.Cells[row][column] }

// Place implements List.
func (l tableList) Place(row int) string { return l.rows.Place(row) }
