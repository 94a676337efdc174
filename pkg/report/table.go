package report

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Table is rows of text under headings. The first column names the row; the others hold figures, which are aligned to
// the right. Every row has as many cells as there are headings.
type Table struct {
	Caption string
	Head    []string
	Rows    [][]string
}

// Add appends a row.
func (t *Table) Add(cells ...string) {
	if len(cells) != len(t.Head) {
		panic(fmt.Sprintf("report: row of %d cells in a table of %d columns", len(cells), len(t.Head)))
	}
	t.Rows = append(t.Rows, cells)
}

// WriteText writes the table for a terminal: columns two spaces apart, and the caption, where there is one, above.
func (t *Table) WriteText(w io.Writer) error {
	width := make([]int, len(t.Head))
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		for i, cell := range row {
			width[i] = max(width[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	if t.Caption != "" {
		b.WriteString(t.Caption + "\n")
	}
	for _, row := range append([][]string{t.Head}, t.Rows...) {
		for i, cell := range row {
			space := strings.Repeat(" ", width[i]-utf8.RuneCountInString(cell))
			switch {
			case i > 0:
				b.WriteString("  " + space + cell)
			case len(row) > 1:
				b.WriteString(cell + space)
			default:
				b.WriteString(cell)
			}
		}
		b.WriteByte('\n')
	}
	_, err := io.WriteString(w, b.String())
	return err
}
