package table

import (
	"errors"
	"io"

	"mmtools/pkg/stream"
)

// maxText bounds a table held whole: 4 GiB, tens of millions of rows. A row costs rowCost beside its text, and each of its cells cellCost: a column of nulls
// takes a few bytes of a Parquet file, however long.
const (
	maxText  = 4 << 30
	rowCost  = 64
	cellCost = 16
)

// Rows are the text of a table, held whole.
type Rows struct {
	Path    string
	Columns []string
	Cells   [][]string // of each row, as long as Columns; "" where null
	places  []string
}

// ReadRows reads the text of a table whole. Vectors have none, nor have columns of types that are neither text nor numbers: who wants others of
// the table is not to miss them.
func ReadRows(path string) (*Rows, error) {
	r, err := Open(path)
	if err != nil {
		return nil, err
	}
	defer r.Close() // only read
	rows := &Rows{Path: path, Columns: r.Columns()}
	for size := 0; ; {
		err := r.Next()
		if err == io.EOF {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		cells := make([]string, len(rows.Columns))
		size += rowCost + cellCost*len(cells)
		for i := range cells {
			if cells[i], _, err = r.Text(i); err != nil && !errors.Is(err, errVector) && !errors.Is(err, errNoText) {
				return nil, err
			}
			size += len(cells[i])
		}
		place := r.Place()
		if size += len(place); size > maxText {
			return nil, stream.Errorf("%s: more than %d GiB in memory", path, maxText>>30)
		}
		rows.Cells = append(rows.Cells, cells)
		rows.places = append(rows.places, place)
	}
}

// Place names a row in messages.
func (r *Rows) Place(row int) string { return r.places[row] }
