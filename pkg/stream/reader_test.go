package stream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"
	"unsafe"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
	"golang.org/x/sys/unix"
)

// numbers returns a record of n float64.
func numbers(n int) (*arrow.Schema, arrow.Record) {
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Float64}}, nil)
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	b.Reserve(n)
	for i := range n {
		b.UnsafeAppend(float64(i))
	}
	column := b.NewArray()
	defer column.Release()
	return schema, array.NewRecord(schema, []arrow.Array{column}, int64(n))
}

func inside(part, whole []byte) bool {
	from := uintptr(unsafe.Pointer(unsafe.SliceData(whole)))
	at := uintptr(unsafe.Pointer(unsafe.SliceData(part)))
	return at >= from && at+uintptr(len(part)) <= from+uintptr(len(whole))
}

func TestMappedIsZeroCopy(t *testing.T) {
	schema, rec := numbers(1000)
	for _, opts := range [][]Option{nil, {WithFileFormat()}} {
		mem := capped{memory.NewGoAllocator(), t, 0}
		r, err := openBytes(t, write(t, schema, rec, 3, opts...), WithAllocator(mem))
		if err != nil {
			t.Fatal(err)
		}
		if !r.Mapped() {
			t.Error("a regular file is not mapped")
		}
		for range 2 {
			for range 3 {
				got, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if values := got.Column(0).Data().Buffers()[1]; !inside(values.Bytes(), r.mapped) {
					t.Error("values are not in the mapping")
				}
			}
			if _, err := r.Next(); err != io.EOF {
				t.Errorf("got %v, want io.EOF", err)
			}
			if err := r.Rewind(); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestUnalignedIsCopied(t *testing.T) {
	schema, rec := numbers(1000)
	b := write(t, schema, rec, 2)
	for shift := range 8 {
		moved := append(make([]byte, shift, shift+len(b)), b...)[shift:]
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		r, err := openMapped(moved, WithAllocator(mem))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			got, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			values := got.Column(0).Data().Buffers()[1].Bytes()
			if uintptr(unsafe.Pointer(&values[0]))%8 != 0 {
				t.Errorf("shifted by %d: values are not aligned", shift)
			}
			if !array.RecordEqual(got, rec) {
				t.Errorf("shifted by %d: values differ", shift)
			}
		}
		r.Close()
		mem.AssertSize(t, 0)
	}
}

// TestRetain: a record kept is the same after the reader went on, and after Close where it came from a pipe.
func TestRetain(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	schema, rec := sample(t, mem)
	defer rec.Release()
	for _, opts := range [][]Option{nil, {WithCompression("zstd")}} {
		b := write(t, schema, rec, 5, opts...)
		r, err := NewReader(bytes.NewReader(b), WithAllocator(mem))
		if err != nil {
			t.Fatal(err)
		}
		if r.Mapped() || !errors.Is(r.Rewind(), ErrNotSeekable) {
			t.Error("a pipe says that it can be read again")
		}
		var kept []arrow.Record
		for range 5 {
			got, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			got.Retain()
			kept = append(kept, got)
		}
		r.Close()
		for i, k := range kept {
			if !array.RecordEqual(k, rec) {
				t.Errorf("record %d changed", i)
			}
			k.Release()
		}
		if _, err := r.Next(); err == nil || err == io.EOF {
			t.Errorf("Next after Close: %v", err)
		}
	}
}

func TestNamedPipeAndOffset(t *testing.T) {
	b := small(t)
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := unix.Mkfifo(fifo, 0o600); err != nil {
		t.Skip("no named pipes here: ", err)
	}
	go os.WriteFile(fifo, b, 0)
	r, err := OpenFile(fifo)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := drain(r); n != 2 || err != nil || r.Mapped() {
		t.Errorf("named pipe: %d batches, %v, mapped %t", n, err, r.Mapped())
	}

	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, append([]byte("12345"), b...), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.Seek(5, io.SeekStart)
	r, err = FromFile(f, WithName("stdin"))
	if err != nil {
		t.Fatal(err)
	}
	if n, err := drain(r); n != 2 || err != nil || !r.Mapped() {
		t.Errorf("from byte 5 on: %d batches, %v, mapped %t", n, err, r.Mapped())
	}
	if err := errors.Join(r.Rewind(), r.Close()); err != nil {
		t.Error(err)
	}
}

func TestOpenFileErrors(t *testing.T) {
	dir := t.TempDir()
	if _, err := OpenFile(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) || errors.Is(err, ErrInput) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := OpenFile(dir); err == nil || errors.Is(err, ErrInput) {
		t.Errorf("a folder: %v", err)
	}
}

// TestMemoryOfAPipe: what a pipe allocates does not grow with the number of batches.
func TestMemoryOfAPipe(t *testing.T) {
	schema, rec := numbers(1 << 15)
	b := write(t, schema, rec, 200) // 50 MiB
	before := allocated()
	r, err := NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if n, err := drain(r); n != 200 || err != nil {
		t.Fatal(n, err)
	}
	if got := allocated() - before; got > 8<<20 {
		t.Errorf("allocated %d bytes for 200 batches of 256 KiB", got)
	}
}

func BenchmarkReader(b *testing.B) {
	schema, rec := numbers(1 << 20)
	for _, test := range []struct {
		name string
		opts []Option
		open func([]byte, ...Option) (*Reader, error)
	}{
		{"mapped", nil, openMapped}, {"piped", nil, openPiped},
		{"mapped zstd", []Option{WithCompression("zstd")}, openMapped}, {"mapped lz4", []Option{WithCompression("lz4")}, openMapped},
	} {
		var out bytes.Buffer
		w, err := NewWriter(&out, schema, test.opts...)
		if err != nil {
			b.Fatal(err)
		}
		for range 8 {
			w.Write(rec)
		}
		w.Close()
		b.Run(test.name, func(b *testing.B) {
			b.SetBytes(8 * rec.NumRows() * 8)
			b.ReportAllocs()
			for b.Loop() {
				r, err := test.open(out.Bytes())
				if err != nil {
					b.Fatal(err)
				}
				if n, err := drain(r); n != 8 || err != nil {
					b.Fatal(n, err)
				}
				r.Close()
			}
		})
	}
}

func ExampleReader() {
	schema, rec := numbers(3)
	var pipe bytes.Buffer
	w, _ := NewWriter(&pipe, schema)
	w.Write(rec)
	cut := bytes.Clone(pipe.Bytes()) // the writer has not said that it is done
	w.Close()

	for _, b := range [][]byte{pipe.Bytes(), cut} {
		r, _ := NewReader(bytes.NewReader(b), WithName("stdin"))
		for {
			rec, err := r.Next()
			if err != nil {
				fmt.Println(err)
				break
			}
			fmt.Println(rec.NumRows(), "rows")
		}
	}
	// Output:
	// 3 rows
	// EOF
	// 3 rows
	// stdin: batch 1: stream ends without its end marker: its writer failed or was cut off
}
