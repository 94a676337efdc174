package stream

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"pgregory.net/rapid"
)

// FuzzReader: any bytes end in an input error or in values that can be read, in bounded memory; and a stream read from a
// mapping and from a pipe is the same.
func FuzzReader(f *testing.F) {
	for _, form := range forms {
		f.Add(small(f, form.opts...))
	}
	schema, rec := numbers(20)
	for _, form := range forms {
		b := write(f, schema, rec, 1, form.opts...)
		f.Add(b)
		f.Add(slicesConcat(b, b))
		f.Add(b[:len(b)-8])
	}
	for _, b := range encoded(f) {
		f.Add(b)
	}
	limits := WithLimits(Limits{Batch: 1 << 24, Metadata: 1 << 20})
	f.Fuzz(func(t *testing.T, b []byte) {
		mem := memory.NewCheckedAllocator(capped{memory.NewGoAllocator(), t, 1<<24 + 64})
		defer mem.AssertSize(t, 0)
		opts := []Option{limits, WithAllocator(mem), WithName("in")}
		mapped := consume(openMapped, b, opts...)
		errs := []error{mapped}
		if !isFileFormat(b) {
			piped := consume(openPiped, b, opts...)
			if (mapped == nil) != (piped == nil) {
				t.Errorf("mapped: %v; piped: %v", mapped, piped)
			}
			errs = append(errs, piped)
		}
		for _, err := range errs {
			if err != nil && (!errors.Is(err, ErrInput) || !strings.HasPrefix(err.Error(), "in: ")) {
				t.Errorf("%v is not an input error that names the stream", err)
			}
		}
	})
}

// TestRoundTripOfAny: any record of any shape survives any form.
func TestRoundTripOfAny(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		schema, records := anyRecords(t, mem)
		form := forms[rapid.IntRange(0, len(forms)-1).Draw(t, "form")]
		var out bytes.Buffer
		w, err := NewWriter(&out, schema, append(form.opts, WithAllocator(mem))...)
		if err != nil {
			t.Fatal(err)
		}
		for _, rec := range records {
			if err := w.Write(rec); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		open := openMapped
		if !form.file && rapid.Bool().Draw(t, "piped") {
			open = openPiped
		}
		r, err := open(out.Bytes(), WithAllocator(mem))
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range records {
			got, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if !array.RecordEqual(got, want) {
				t.Fatalf("record %d: got %v, want %v", i, got, want)
			}
			want.Release()
		}
		if n, err := drain(r); n != 0 || err != nil {
			t.Fatalf("%d records more, %v", n, err)
		}
		r.Close()
		if n := mem.CurrentAlloc(); n != 0 {
			t.Fatalf("%d bytes are not released", n)
		}
	})
}

// anyRecords draws a schema of three columns and records of it.
func anyRecords(t *rapid.T, mem memory.Allocator) (*arrow.Schema, []arrow.Record) {
	size := rapid.Int32Range(1, 9).Draw(t, "list size")
	schema := arrow.NewSchema([]arrow.Field{
		{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
		{Name: "l", Type: arrow.ListOf(arrow.BinaryTypes.LargeString), Nullable: true},
		{Name: "f", Type: arrow.FixedSizeListOf(size, arrow.PrimitiveTypes.Uint16), Nullable: true},
	}, nil)
	text := rapid.String()
	var records []arrow.Record
	for range rapid.IntRange(0, 4).Draw(t, "records") {
		b := array.NewRecordBuilder(mem, schema)
		for range rapid.IntRange(0, 20).Draw(t, "rows") {
			if rapid.Bool().Draw(t, "string") {
				b.Field(0).(*array.StringBuilder).Append(text.Draw(t, "s"))
			} else {
				b.Field(0).AppendNull()
			}
			list := b.Field(1).(*array.ListBuilder)
			list.Append(rapid.Bool().Draw(t, "list"))
			for range rapid.IntRange(0, 3).Draw(t, "length") {
				list.ValueBuilder().(*array.LargeStringBuilder).Append(text.Draw(t, "l"))
			}
			fixed := b.Field(2).(*array.FixedSizeListBuilder)
			fixed.Append(rapid.Bool().Draw(t, "fixed"))
			for range size {
				fixed.ValueBuilder().(*array.Uint16Builder).Append(rapid.Uint16().Draw(t, "f"))
			}
		}
		records = append(records, b.NewRecord())
		b.Release()
	}
	return schema, records
}
