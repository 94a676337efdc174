package encode

import (
	"fmt"
	"slices"
	"strings"
)

// List is a table of samples, a row each, all of it text: a file with named columns, or a data set's published lists.
type List interface {
	Name() string // for messages: the file's
	Columns() []string
	Rows() int
	Field(row, column int) string
	// Place names a row in a message: "train.csv: line 7".
	Place(row int) string
}

// Condition keeps the rows whose column holds one of the values.
type Condition struct {
	Column string
	Values []string
}

// Column returns the place of a list's column.
func Column(l List, name string) (int, error) {
	if i := slices.Index(l.Columns(), name); i >= 0 {
		return i, nil
	}
	return 0, fmt.Errorf("%s: no column %q: it has %s", l.Name(), name, strings.Join(l.Columns(), ", "))
}

// Holds tells whether a list has all these columns, and each names something: of a data set's list, something that is there.
func Holds(l List, columns ...string) bool {
	for _, name := range columns {
		column := slices.Index(l.Columns(), name)
		if column < 0 || !holds(l, column) {
			return false
		}
	}
	return true
}

func holds(l List, column int) bool {
	if set, ok := l.(*datasetList); ok && column >= len(datasetColumns) {
		return set.holds(column)
	}
	for row := range l.Rows() {
		if l.Field(row, column) != "" {
			return true
		}
	}
	return false
}

// columnsOf returns the places of several columns.
func columnsOf(l List, names ...string) ([]int, error) {
	places := make([]int, len(names))
	for i, name := range names {
		var err error
		if places[i], err = Column(l, name); err != nil {
			return nil, err
		}
	}
	return places, nil
}

// values returns the column of every row.
func values(l List, column int) []string {
	values := make([]string, l.Rows())
	for i := range values {
		values[i] = l.Field(i, column)
	}
	return values
}

// where returns the rows that meet every condition, in order.
func where(l List, conditions []Condition) ([]int, error) {
	columns := make([]int, len(conditions))
	for i, c := range conditions {
		var err error
		if columns[i], err = Column(l, c.Column); err != nil {
			return nil, err
		}
	}
	var kept []int
rows:
	for i := range l.Rows() {
		for k, c := range conditions {
			if !slices.Contains(c.Values, l.Field(i, columns[k])) {
				continue rows
			}
		}
		kept = append(kept, i)
	}
	return kept, nil
}
