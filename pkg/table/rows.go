package table

import (
	"errors"
	"io"

	"mmtools/pkg/stream"
)

// maxText bounds the text of a table held whole: 4 GiB, tens of millions of rows.
const maxText = 4 << 30

// Rows are the text of a table, held whole.
type Rows struct {
	Path    string
	Columns []string
	Cells   [][]string // of each row, as long as Columns; "" where null
	places  []string
}

// ReadRows reads the text of a table whole. Vectors have none.
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
		for i := range cells {
			if cells[i], _, err = r.Text(i); err != nil && !errors.Is(err, errVector) {
				return nil, err
			}
			size += len(cells[i])
		}
		if size > maxText {
			return nil, stream.Errorf("%s: more than %d GiB of text", path, maxText>>30)
		}
		rows.Cells = append(rows.Cells, cells)
		rows.places = append(rows.places, r.Place())
	}
}

// Place names a row in messages.
func (r *Rows) Place(row int) string { return r.places[row] }
