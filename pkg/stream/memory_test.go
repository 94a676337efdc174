package stream

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

// Reading a mapped file once must not keep it in memory: 192 MiB of batches, at most 80 MiB more resident than before.
func TestMappedFileIsPassed(t *testing.T) {
	if resident(t) == 0 {
		t.Skip("/proc/self/statm is not here: the resident memory is not known")
	}
	s := arrow.NewSchema([]arrow.Field{{Name: "x", Type: arrow.PrimitiveTypes.Int64}}, nil)
	path := filepath.Join(t.TempDir(), "big.arrows")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := NewWriter(f, s)
	if err != nil {
		t.Fatal(err)
	}
	const batches, rows = 96, 1 << 18
	b := array.NewInt64Builder(memory.DefaultAllocator)
	for i := range rows {
		b.Append(int64(i))
	}
	column := b.NewArray()
	record := array.NewRecord(s, []arrow.Array{column}, rows)
	for range batches {
		if err := w.Write(record); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	r, err := OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	first, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	first.Retain()
	defer first.Release()
	before, most := resident(t), int64(0)
	var sum int64
	for {
		record, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range record.Column(0).(*array.Int64).Int64Values() {
			sum += v
		}
		most = max(most, resident(t)-before)
	}
	if want := int64(batches-1) * rows * (rows - 1) / 2; sum != want {
		t.Errorf("sum %d, want %d", sum, want)
	}
	if limit := int64(80 << 20); most > limit {
		t.Errorf("%d MiB resident while reading %d MiB, want at most %d", most>>20, batches*rows*8>>20, limit>>20)
	}
	if got := first.Column(0).(*array.Int64).Value(rows - 1); got != rows-1 {
		t.Errorf("a retained record reads %d after its pages were given back, want %d", got, rows-1)
	}
}

// resident returns the process's resident memory in bytes, 0 where it is not known.
func resident(t *testing.T) int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(raw)[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
