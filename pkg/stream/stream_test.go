package stream

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// sample is a record with every kind of layout that is supported.
func sample(t testing.TB, mem memory.Allocator) (*arrow.Schema, arrow.Record) {
	t.Helper()
	text := arrow.NewMetadata([]string{"mm.modality"}, []string{"audio"})
	schemaMeta := arrow.NewMetadata([]string{"mm.stream", "other"}, []string{"samples", "x"})
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String},
		{Name: "label", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "x", Type: arrow.FixedSizeListOf(3, arrow.PrimitiveTypes.Float32), Nullable: true, Metadata: text},
		{Name: "right", Type: arrow.FixedSizeListOf(4, arrow.FixedWidthTypes.Boolean), Nullable: true},
		{Name: "shape", Type: arrow.ListOf(arrow.PrimitiveTypes.Int64), Nullable: true},
		{Name: "data", Type: arrow.BinaryTypes.LargeBinary, Nullable: true},
		{Name: "pair", Type: arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
			arrow.Field{Name: "b", Type: arrow.LargeListOf(arrow.PrimitiveTypes.Uint8), Nullable: true}), Nullable: true},
		{Name: "none", Type: arrow.Null, Nullable: true},
		{Name: "when", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
	}, &schemaMeta)
	rec, _, err := array.RecordFromJSON(mem, schema, bytes.NewReader([]byte(`[
	 {"id":"a","label":1,"x":[1,2,3],"right":[true,false,true,true],"shape":[2,3],"data":"AAEC","pair":{"a":1.5,"b":[1,2]},"when":"2020-01-01 00:00:00"},
	 {"id":"é","label":null,"x":null,"right":null,"shape":null,"data":null,"pair":null},
	 {"id":"ccc","label":0,"x":[4,5,6],"right":[false,false,false,true],"shape":[],"data":"","pair":{"a":null,"b":null},"when":"2021-01-01 00:00:00"}
	]`)))
	if err != nil {
		t.Fatal(err)
	}
	return schema, rec
}

// write returns a stream of the record n times.
func write(t testing.TB, schema *arrow.Schema, rec arrow.Record, n int, opts ...Option) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := NewWriter(&out, schema, opts...)
	if err != nil {
		t.Fatal(err)
	}
	for range n {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// drain reads to the end and returns how many batches there were.
func drain(r *Reader) (int, error) {
	for n := 0; ; n++ {
		if _, err := r.Next(); err == io.EOF {
			return n, nil
		} else if err != nil {
			return n, err
		}
	}
}

func openBytes(t testing.TB, b []byte, opts ...Option) (*Reader, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "in.arrow")
	if err := os.WriteFile(path, b, 0o666); err != nil {
		t.Fatal(err)
	}
	return OpenFile(path, opts...)
}

func TestRoundTrip(t *testing.T) {
	for _, test := range []struct {
		name string
		opts []Option
		pipe bool
	}{
		{"stream", nil, true},
		{"stream zstd", []Option{WithCompression("zstd")}, true},
		{"stream lz4", []Option{WithCompression("lz4")}, true},
		{"file", []Option{WithFileFormat()}, false},
		{"file zstd", []Option{WithFileFormat(), WithCompression("zstd")}, false},
		{"file lz4", []Option{WithFileFormat(), WithCompression("lz4")}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			defer mem.AssertSize(t, 0)
			schema, rec := sample(t, mem)
			defer rec.Release()
			b := write(t, schema, rec, 3, append(test.opts, WithAllocator(mem))...)
			check := func(r *Reader, err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
				defer r.Close()
				if !r.Schema().Equal(schema) || !r.Schema().Metadata().Equal(schema.Metadata()) {
					t.Errorf("schema: got %v, want %v", r.Schema(), schema)
				}
				for i := range 3 {
					got, err := r.Next()
					if err != nil {
						t.Fatal(err)
					}
					if !array.RecordEqual(got, rec) {
						t.Errorf("batch %d: got %v, want %v", i, got, rec)
					}
				}
				if _, err := r.Next(); err != io.EOF {
					t.Errorf("at the end: got %v, want io.EOF", err)
				}
			}
			check(openBytes(t, b, WithAllocator(mem)))
			if test.pipe {
				check(NewReader(bytes.NewReader(b), WithAllocator(mem)))
			}
		})
	}
}
