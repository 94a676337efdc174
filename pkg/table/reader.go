package table

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mmtools/pkg/stream"
)

// Reader goes through the rows of a table. It belongs to one goroutine.
type Reader interface {
	// Columns returns the names of the columns, each once.
	Columns() []string
	// Next goes to the next row, the first at the first call; io.EOF after the last.
	Next() error
	// Text returns a cell of the row, a number in its shortest form; ok is false where it is null. A vector is an error.
	Text(column int) (text string, ok bool, err error)
	// Numbers appends those of a cell of the row to dst, nested lists in row-major order; ok is false where it is null. Text that is
	// no number, and a null among the numbers, are errors.
	Numbers(column int, dst []float32) (numbers []float32, ok bool, err error)
	// Place names the row in messages: the file, and its line or row.
	Place() string
	Close() error
}

// Formats are the extensions of the files that Open reads.
var Formats = []string{".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".arrow", ".arrows", ".ipc", ".feather"}

// maxColumns bounds the columns of a table, and maxRow the bytes of a row of text.
const (
	maxColumns = 1 << 16
	maxRow     = 64 << 20
)

// Open opens a table; the extension of its name says what it is.
func Open(path string) (Reader, error) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".csv":
		return openText(path, func(f *os.File) (Reader, error) { return newDelimited(f, path, ',') })
	case ".tsv":
		return openText(path, func(f *os.File) (Reader, error) { return newDelimited(f, path, '\t') })
	case ".jsonl", ".ndjson":
		return openText(path, func(f *os.File) (Reader, error) { return newLines(f, path) })
	case ".parquet":
		return openParquet(path)
	case ".arrow", ".arrows", ".ipc", ".feather":
		return openArrow(path)
	default:
		return nil, stream.Errorf("%s: a table's name ends in one of %s", path, strings.Join(Formats, ", "))
	}
}

// openText opens a file for a reader that closes it; on an error it is closed here.
func openText(path string, read func(*os.File) (Reader, error)) (Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r, err := read(f)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// Column returns the place of a column by its name.
func Column(r Reader, path, name string) (int, error) {
	columns := r.Columns()
	if i := slices.Index(columns, name); i >= 0 {
		return i, nil
	}
	return 0, stream.Errorf("%s: no column %q: it has %s", path, name, few(columns))
}

// few lists the first names, and how many more there are.
func few(names []string) string {
	const most = 12
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}

// checkColumns returns an error for a name that comes twice, or too many.
func checkColumns(path string, names []string) error {
	if len(names) > maxColumns {
		return stream.Errorf("%s: %d columns, at most %d", path, len(names), maxColumns)
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] {
			return stream.Errorf("%s: column %q twice", path, name)
		}
		seen[name] = true
	}
	return nil
}

// errNoText is what is wrong with the text of a column of a type that is neither text nor numbers.
var errNoText = errors.New("want text or a number")

// errVector is what is wrong with the text of a cell that holds several values.
var errVector = errors.New("got a list or a struct, want one value")

// guarded bounds how much is read between two calls of reset: a row without an end must not fill the memory.
type guarded struct {
	r     io.Reader
	since int
}

func (g *guarded) Read(p []byte) (int, error) {
	if g.since > maxRow {
		return 0, stream.Errorf("a row of more than %d MiB", maxRow>>20)
	}
	n, err := g.r.Read(p)
	g.since += n
	return n, err
}

func (g *guarded) reset() { g.since = 0 }
