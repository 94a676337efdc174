package stream

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// TestArrowReadsOurs: Arrow's own readers read what we write, in every form.
func TestArrowReadsOurs(t *testing.T) {
	for _, form := range forms {
		t.Run(form.name, func(t *testing.T) {
			schema, rec := sample(t, memory.DefaultAllocator)
			b := write(t, schema, rec, 2, form.opts...)
			var got []arrow.Record
			if form.file {
				r, err := ipc.NewFileReader(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				for i := range r.NumRecords() {
					rec, err := r.RecordAt(i)
					if err != nil {
						t.Fatal(err)
					}
					got = append(got, rec)
				}
			} else {
				r, err := ipc.NewReader(bytes.NewReader(b))
				if err != nil {
					t.Fatal(err)
				}
				for r.Next() {
					r.Record().Retain()
					got = append(got, r.Record())
				}
				if r.Err() != nil {
					t.Fatal(r.Err())
				}
			}
			if len(got) != 2 {
				t.Fatalf("%d records, want 2", len(got))
			}
			for _, g := range got {
				if !array.RecordEqual(g, rec) || !g.Schema().Equal(schema) {
					t.Errorf("got %v, want %v", g, rec)
				}
			}
		})
	}
}

// TestWeReadArrows: we read what Arrow's own writers write, sliced records and records without rows among it.
func TestWeReadArrows(t *testing.T) {
	schema, rec := sample(t, memory.DefaultAllocator)
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	records := []arrow.Record{rec, rec.NewSlice(1, 3), b.NewRecord(), rec.NewSlice(0, 1)}
	for _, test := range []struct {
		name string
		opts []ipc.Option
	}{
		{"plain", nil}, {"zstd", []ipc.Option{ipc.WithZstd()}}, {"lz4", []ipc.Option{ipc.WithLZ4()}},
		{"zstd where it saves", []ipc.Option{ipc.WithZstd(), ipc.WithMinSpaceSavings(0.3)}},
	} {
		t.Run(test.name, func(t *testing.T) {
			opts := append([]ipc.Option{ipc.WithSchema(schema)}, test.opts...)
			var out bytes.Buffer
			w := ipc.NewWriter(&out, opts...)
			path := filepath.Join(t.TempDir(), "x.arrow")
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			fw, err := ipc.NewFileWriter(f, opts...)
			if err != nil {
				t.Fatal(err)
			}
			for _, rec := range records {
				if err := errors.Join(w.Write(rec), fw.Write(rec)); err != nil {
					t.Fatal(err)
				}
			}
			if err := errors.Join(w.Close(), fw.Close(), f.Close()); err != nil {
				t.Fatal(err)
			}
			check := func(r *Reader, err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				for i, want := range records {
					got, err := r.Next()
					if err != nil {
						t.Fatal(err)
					}
					if !array.RecordEqual(got, want) {
						t.Errorf("record %d: got %v, want %v", i, got, want)
					}
				}
				if _, err := r.Next(); err != io.EOF {
					t.Errorf("got %v, want io.EOF", err)
				}
			}
			check(NewReader(bytes.NewReader(out.Bytes())))
			check(openBytes(t, out.Bytes()))
			check(OpenFile(path))
		})
	}
}

// TestUnsupported: what is not supported is an error that names the column, never a wrong value.
func TestUnsupported(t *testing.T) {
	nested := dictionaryOf(arrow.PrimitiveTypes.Int8, arrow.ListOf(arrow.PrimitiveTypes.Int8))
	deep := arrow.DataType(arrow.PrimitiveTypes.Int8)
	for range DefaultDepth {
		deep = arrow.ListOf(deep)
	}
	for _, test := range []struct {
		name string
		dt   arrow.DataType
		want string
	}{
		{"dictionary of lists", nested, "a dictionary of list<item: int8, nullable> is not supported"},
		{"dictionary of bits", dictionaryOf(arrow.PrimitiveTypes.Int8, arrow.FixedWidthTypes.Boolean), "a dictionary of bool is not supported"},
		{"union", arrow.SparseUnionOf([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Int8}}, []arrow.UnionTypeCode{0}), "union is not supported"},
		{"map", arrow.MapOf(arrow.BinaryTypes.String, arrow.PrimitiveTypes.Int8), "map is not supported"},
		{"run-end encoding", arrow.RunEndEncodedOf(arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int8), "run-end encoding is not supported"},
		{"list view", arrow.ListViewOf(arrow.PrimitiveTypes.Int8), "list view is not supported"},
		{"too deep", deep, "nested deeper than"},
	} {
		t.Run(test.name, func(t *testing.T) {
			schema := arrow.NewSchema([]arrow.Field{{Name: "odd", Type: test.dt, Nullable: true}}, nil)
			var out bytes.Buffer
			if err := ipc.NewWriter(&out, ipc.WithSchema(schema)).Close(); err != nil {
				t.Fatal(err)
			}
			err := consume(openPiped, out.Bytes())
			if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), `column "odd"`) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an input error that names the column with %q", err, test.want)
			}
		})
	}
}

// TestEveryType: schema and an empty record of every supported type survive.
func TestEveryType(t *testing.T) {
	types := []arrow.DataType{
		arrow.Null, arrow.FixedWidthTypes.Boolean, arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int16, arrow.PrimitiveTypes.Int32,
		arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Uint8, arrow.PrimitiveTypes.Uint16, arrow.PrimitiveTypes.Uint32, arrow.PrimitiveTypes.Uint64,
		arrow.FixedWidthTypes.Float16, arrow.PrimitiveTypes.Float32, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.Binary, arrow.BinaryTypes.String,
		arrow.BinaryTypes.LargeBinary, arrow.BinaryTypes.LargeString, &arrow.FixedSizeBinaryType{ByteWidth: 3},
		&arrow.Decimal128Type{Precision: 10, Scale: 2}, &arrow.Decimal256Type{Precision: 60, Scale: -2},
		arrow.FixedWidthTypes.Date32, arrow.FixedWidthTypes.Date64, arrow.FixedWidthTypes.Time32s, arrow.FixedWidthTypes.Time32ms,
		arrow.FixedWidthTypes.Time64us, arrow.FixedWidthTypes.Time64ns, arrow.FixedWidthTypes.Timestamp_s, &arrow.TimestampType{Unit: arrow.Nanosecond},
		arrow.FixedWidthTypes.Duration_s, arrow.FixedWidthTypes.Duration_ns, arrow.FixedWidthTypes.MonthInterval,
		arrow.FixedWidthTypes.DayTimeInterval, arrow.FixedWidthTypes.MonthDayNanoInterval,
		arrow.ListOf(arrow.BinaryTypes.String), arrow.LargeListOfNonNullable(arrow.PrimitiveTypes.Int8), arrow.FixedSizeListOf(2, arrow.FixedWidthTypes.Boolean),
		arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int8}), arrow.StructOf(),
	}
	for _, dt := range types {
		t.Run(dt.String(), func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: dt, Nullable: true}}, nil)
			b := array.NewBuilder(mem, dt)
			defer b.Release()
			b.AppendNulls(2)
			b.AppendEmptyValues(3)
			column := b.NewArray()
			defer column.Release()
			rec := array.NewRecord(schema, []arrow.Array{column}, 5)
			defer rec.Release()
			for _, form := range forms {
				r, err := openMapped(write(t, schema, rec, 1, form.opts...), WithAllocator(mem))
				if err != nil {
					t.Fatal(err)
				}
				if !r.Schema().Equal(schema) {
					t.Errorf("%s: schema: got %v, want %v", form.name, r.Schema(), schema)
				}
				if got, err := r.Next(); err != nil {
					t.Errorf("%s: %v", form.name, err)
				} else if !array.RecordEqual(got, rec) {
					t.Errorf("%s: got %v, want %v", form.name, got, rec)
				}
				r.Close()
			}
		})
	}
}
