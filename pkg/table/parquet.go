package table

import (
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow/memory"
	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"mmtools/pkg/stream"
)

// rowGroups reads Parquet. A column is decoded only from where it is asked for.
type rowGroups struct {
	f       *os.File
	r       *file.Reader
	path    string
	columns []string
	leaves  []*leaf // of each column
	group   int     // the row group that the row is in
	row     int64   // of the row group
	rows    int64   // of the row group
	whole   int64   // of the table, from 0
}

func newParquet(f *os.File, path string) (t *rowGroups, err error) {
	defer recovered(path, &err)
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	const magic = "PAR1"
	head := make([]byte, len(magic))
	if n, err := f.ReadAt(head, 0); n < len(magic) || string(head) != magic || info.Size() < 12 {
		if err != nil && err != io.EOF {
			return nil, err
		}
		return nil, stream.Errorf("%s: not a Parquet file: it does not begin with %s", path, magic)
	}
	properties := parquet.NewReaderProperties(memory.DefaultAllocator)
	properties.BufferedStreamEnabled = true // page by page, not a whole column chunk
	r, err := file.NewParquetReader(f, file.WithReadProps(properties))
	if err != nil {
		return nil, stream.Errorf("%s: %w", path, err)
	}
	t = &rowGroups{f: f, r: r, path: path, group: -1, row: -1, whole: -1}
	root := r.MetaData().Schema
	for i := range root.Root().NumFields() {
		t.columns = append(t.columns, root.Root().Field(i).Name())
		t.leaves = append(t.leaves, &leaf{table: t, column: i, chunk: -1})
	}
	for i := range root.NumColumns() {
		at := root.Root().FieldIndexByField(root.ColumnRoot(i))
		if at < 0 {
			return nil, stream.Errorf("%s: leaf %d belongs to no column", path, i)
		}
		if l := t.leaves[at]; l.chunk < 0 {
			l.chunk, l.levels = i, levelsOf(root.Column(i))
		} else {
			l.several = true
		}
	}
	return t, checkColumns(path, t.columns)
}

// recovered makes an error of a panic: Arrow's Parquet reader panics on broken files.
func recovered(path string, err *error) {
	if p := recover(); p != nil {
		*err = stream.Errorf("%s: broken Parquet: %v", path, p)
	}
}

func (t *rowGroups) Columns() []string { return t.columns }
func (t *rowGroups) Place() string     { return fmt.Sprintf("%s: row %d", t.path, t.whole) }
func (t *rowGroups) Close() error      { return t.f.Close() }

func (t *rowGroups) Next() (err error) {
	defer recovered(t.path, &err)
	t.row++
	t.whole++
	for t.group < 0 || t.row >= t.rows {
		if t.group++; t.group >= t.r.NumRowGroups() {
			return io.EOF
		}
		t.row, t.rows = 0, t.r.RowGroup(t.group).NumRows()
	}
	return nil
}

func (t *rowGroups) Text(column int) (text string, ok bool, err error) {
	defer recovered(t.path, &err)
	l := t.leaves[column]
	n, ok, err := l.cell()
	if err == nil && ok && (n != 1 || l.levels.repeated > 0) {
		err = errVector
	}
	if err != nil || !ok {
		return "", false, t.wrap(column, err)
	}
	if text = l.text(0); !utf8.ValidString(text) {
		return "", false, t.wrap(column, errors.New("not UTF-8 text"))
	}
	return text, true, nil
}

func (t *rowGroups) Numbers(column int, dst []float32) (numbers []float32, ok bool, err error) {
	defer recovered(t.path, &err)
	l := t.leaves[column]
	n, ok, err := l.cell()
	for i := 0; i < n && err == nil; i++ {
		dst, err = l.number(dst, i)
	}
	return dst, ok && err == nil, t.wrap(column, err)
}

func (t *rowGroups) wrap(column int, err error) error {
	if err == nil {
		return nil
	}
	return stream.Errorf("%s: column %q: %w", t.Place(), t.columns[column], err)
}

// levels says what the definition and repetition levels of a leaf mean.
type levels struct {
	present  int16 // definition level from which on the column itself is not null
	element  int16 // from which on the innermost list holds an element
	value    int16 // of a value that is there
	repeated int16 // the most lists around a value
}

func levelsOf(c *schema.Column) levels {
	l := levels{value: c.MaxDefinitionLevel(), repeated: c.MaxRepetitionLevel()}
	var path []schema.Node
	for n := c.SchemaNode(); n != nil && n.Parent() != nil; n = n.Parent() {
		path = append(path, n)
	}
	depth := int16(0)
	for i := len(path) - 1; i >= 0; i-- { // from the root
		switch path[i].RepetitionType() {
		case parquet.Repetitions.Optional:
			depth++
			if i == len(path)-1 {
				l.present = 1
			}
		case parquet.Repetitions.Repeated:
			depth++
			l.element = depth
		}
	}
	return l
}
