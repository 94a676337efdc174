package schema

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// layout finds the columns of a stream by name and type, and remembers which nobody asked for.
type layout struct {
	name   string // of the stream
	schema *arrow.Schema
	taken  []bool
}

func newLayout(r *stream.Reader) *layout {
	return &layout{name: r.Name(), schema: r.Schema(), taken: make([]bool, r.Schema().NumFields())}
}

// find returns the index of the column called name, -1 where there is none.
func (l *layout) find(name string) (int, error) {
	at := l.schema.FieldIndices(name)
	switch len(at) {
	case 0:
		return -1, nil
	case 1:
		l.taken[at[0]] = true
		return at[0], nil
	}
	return -1, stream.Errorf("%s: column %q is there %d times", l.name, name, len(at))
}

// want returns the index of the column called name, which must be there.
func (l *layout) want(name string) (int, error) {
	i, err := l.find(name)
	if err == nil && i < 0 {
		err = stream.Errorf("%s: column %q is missing", l.name, name)
	}
	return i, err
}

// typed returns the index of the column called name, which must be there with the type.
func (l *layout) typed(name string, want arrow.DataType) (int, error) {
	i, err := l.want(name)
	if err != nil {
		return i, err
	}
	return i, l.check(i, want)
}

// optional is typed for a column that may be missing: -1 then.
func (l *layout) optional(name string, want arrow.DataType) (int, error) {
	i, err := l.find(name)
	if err != nil || i < 0 {
		return i, err
	}
	return i, l.check(i, want)
}

func (l *layout) check(i int, want arrow.DataType) error {
	if f := l.schema.Field(i); !sameType(f.Type, want) {
		return stream.Errorf("%s: column %q: got %s, want %s", l.name, f.Name, typeName(f.Type), typeName(want))
	}
	return nil
}

// sameType compares types but for the name, the metadata and the nullability of a list's values, which differ between
// writers and say nothing about the values that are there.
func sameType(a, b arrow.DataType) bool {
	if a.ID() != b.ID() {
		return false
	}
	switch a := a.(type) {
	case *arrow.FixedSizeListType:
		return a.Len() == b.(*arrow.FixedSizeListType).Len() && sameType(a.Elem(), b.(*arrow.FixedSizeListType).Elem())
	case *arrow.ListType:
		return sameType(a.Elem(), b.(*arrow.ListType).Elem())
	}
	return arrow.TypeEqual(a, b)
}

// typeName writes a type as the streams contract does.
func typeName(t arrow.DataType) string {
	if l, ok := t.(*arrow.FixedSizeListType); ok {
		return fmt.Sprintf("fixed_size_list<item: %s>[%d]", typeName(l.Elem()), l.Len())
	}
	return t.String()
}

// rest returns the indices of the columns that nobody asked for.
func (l *layout) rest() []int {
	var rest []int
	for i, taken := range l.taken {
		if !taken {
			rest = append(rest, i)
		}
	}
	return rest
}

// rows names rows in errors and checks what is the same in every kind of stream.
type rows struct {
	name    string  // of the stream
	first   int64   // position of row 0
	at      []int64 // positions of rows that are not consecutive, else nil
	ids     *array.String
	classes int // 0 where they are not known
}

// position returns the position of row i in the stream.
func (r *rows) position(i int) int64 {
	if r.at != nil {
		return r.at[i]
	}
	return r.first + int64(i)
}

// errorf returns an error about row i of the batch.
func (r *rows) errorf(i int, format string, args ...any) error {
	id := ""
	if r.ids != nil && i < r.ids.Len() && r.ids.IsValid(i) {
		id = fmt.Sprintf(" (id %q)", r.ids.Value(i))
	}
	return stream.Errorf("%s: row %d%s: %w", r.name, r.position(i), id, fmt.Errorf(format, args...))
}

// whole returns an error where a column has nulls.
func (r *rows) whole(column string, a arrow.Array) error {
	if a.NullN() == 0 {
		return nil
	}
	for i := range a.Len() {
		if a.IsNull(i) {
			return r.errorf(i, "%s is null", column)
		}
	}
	return nil
}

// labels returns the values of a label or prediction column with -1 where it is null, which may be where nullable is
// set; the column's own memory where nothing is. Values outside the classes are errors.
func (r *rows) labels(column string, a *array.Int32, nullable bool) ([]int32, error) {
	if !nullable {
		if err := r.whole(column, a); err != nil {
			return nil, err
		}
	}
	values := a.Int32Values()
	if a.NullN() > 0 {
		own := make([]int32, len(values))
		for i, v := range values {
			if own[i] = v; a.IsNull(i) {
				own[i] = -1
			}
		}
		values = own
	}
	for i, v := range values {
		switch {
		case v == -1 && a.IsNull(i):
		case v < 0 && r.classes == 0:
			return nil, r.errorf(i, "%s %d, want 0 or above", column, v)
		case v < 0 || r.classes > 0 && int(v) >= r.classes:
			return nil, r.errorf(i, "%s %d outside 0..%d, the classes", column, v, r.classes-1)
		}
	}
	return values, nil
}

// coalitions returns a column of coalitions of n modalities.
func (r *rows) coalitions(column string, a *array.Uint64, n int) ([]modality.Coalition, error) {
	if err := r.whole(column, a); err != nil {
		return nil, err
	}
	values := view[modality.Coalition](a.Uint64Values())
	all := modality.All(n)
	for i, c := range values {
		if c&^all != 0 {
			return nil, r.errorf(i, "%s %#x has modalities outside the %d of the stream", column, uint64(c), n)
		}
	}
	return values, nil
}
