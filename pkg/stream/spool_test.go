package stream

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

func spoolSource(t *testing.T) []byte {
	t.Helper()
	meta := arrow.NewMetadata([]string{"mm.stream"}, []string{"samples"})
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, &meta)
	var out bytes.Buffer
	w, err := NewWriter(&out, s)
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	for batch := range 3 {
		for i := range 5 {
			b.Field(0).(*array.Int64Builder).Append(int64(10*batch + i))
		}
		if err := w.Write(b.NewRecord()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestSpool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	pipe, err := NewReader(bytes.NewReader(spoolSource(t)), WithName("stdin"))
	if err != nil {
		t.Fatal(err)
	}
	r, copied, err := Spool(pipe)
	if err != nil {
		t.Fatal(err)
	}
	if err := pipe.Close(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("the copy has a name: %v", left)
	}
	if !r.Mapped() || r.Name() != "stdin" || copied == 0 {
		t.Errorf("mapped %t, name %q, %d bytes", r.Mapped(), r.Name(), copied)
	}
	if kind, _ := r.Schema().Metadata().GetValue("mm.stream"); kind != "samples" {
		t.Errorf("the copy's mm.stream is %q", kind)
	}
	for range 2 {
		var got []int64
		for {
			record, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, record.Column(0).(*array.Int64).Int64Values()...)
		}
		if len(got) != 15 || got[0] != 0 || got[14] != 24 {
			t.Errorf("got %v", got)
		}
		if err := r.Rewind(); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestSpoolOfACutStreamFails(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	data := spoolSource(t)
	pipe, err := NewReader(bytes.NewReader(data[:len(data)-8]), WithName("stdin"))
	if err != nil {
		t.Fatal(err)
	}
	defer pipe.Close()
	if _, _, err := Spool(pipe); !errors.Is(err, ErrInput) {
		t.Errorf("got %v, want an input error", err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("a failed copy was left: %v", left)
	}
}
