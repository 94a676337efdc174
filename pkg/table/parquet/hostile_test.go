package parquet

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/pierrec/lz4/v4"
)

// readAll reads the cells of every column, at most so many of each.
func readAll(data []byte, cells int64) error {
	f, err := Open(data)
	if err != nil {
		return err
	}
	defer f.Close()
	for group := range f.Groups() {
		for _, c := range f.Columns() {
			if c.Struct() {
				continue
			}
			k, err := f.Chunk(group, c)
			if err != nil {
				return err
			}
			values := int64(0)
			for range min(f.Rows(group), cells) {
				_, err := k.Cell(func(*Value) error {
					if values++; values > 4*cells {
						return fmt.Errorf("more than %d values", values)
					}
					return nil
				})
				if err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// allocated returns how many bytes f allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Whatever a byte becomes, the file is read or refused, in memory of the size of what its bytes can expand to.
func TestChangedBytes(t *testing.T) {
	columns := table()
	for _, l := range []layout{{dictionary: true}, {delta: true, version: 1}, {codec: compress.Codecs.Snappy}} {
		for _, c := range []int{1, 7, 9} {
			whole := write(t, columns[c:c+1], l)
			for i := 0; i < len(whole); i += 1 + len(whole)/100 {
				n := allocated(func() {
					for _, b := range []byte{0, 0x7f, 0x80, 0xff, whole[i] ^ 1} {
						changed := slices.Clone(whole)
						changed[i] = b
						readAll(changed, tableRows)
					}
				})
				if n > 64<<20 {
					t.Fatalf("byte %d: %d MiB for %d bytes", i, n>>20, len(whole))
				}
			}
		}
	}
}

func TestCutFiles(t *testing.T) {
	whole := write(t, table()[:1], layout{dictionary: true})
	for n := range whole {
		if err := readAll(whole[:n], tableRows); err == nil {
			t.Fatalf("%d of %d bytes: no error", n, len(whole))
		}
	}
}

// What a decoder is told and what is there.
func TestHostileValues(t *testing.T) {
	text := &Column{physical: byteArray, Kind: Text}
	number := &Column{physical: int32Type, Kind: Int, width: 4}
	three, err := newDictionary(number, make([]byte, 12), 3)
	if err != nil {
		t.Fatal(err)
	}
	first := func(d decoder, err error) error {
		if err != nil {
			return err
		}
		return d.next(&Value{})
	}
	for _, test := range []struct {
		name, want string
		got        func() error
	}{
		{"an index of 32 bits into three values", "index 4294967295 into a dictionary of 3 values", func() error { return first(newIndexed(three, []byte{32, 2, 0xff, 0xff, 0xff, 0xff})) }},
		{"a packed index", "index 3 into a dictionary of 3 values", func() error { return first(newIndexed(three, []byte{2, 3, 3, 0})) }},
		{"indices of 33 bits", "indices of 33 bits", func() error { return first(newIndexed(three, []byte{33, 2})) }},
		{"no dictionary", "without a dictionary", func() error { return first(newIndexed(nil, []byte{1, 2, 0})) }},
		{"a dictionary of many", "a dictionary of 1000000000 values in 12 bytes", func() error { _, err := newDictionary(number, make([]byte, 12), 1e9); return err }},
		{"a dictionary of many texts", "a dictionary of 4 values in 12 bytes", func() error { _, err := newDictionary(text, make([]byte, 12), 4); return err }},
		{"a text longer than the page", "ends early", func() error { return first(&plain{[]byte{5, 0, 0, 0, 'a'}, text}, nil) }},
		{"differences of more values than entries", "broken differences", func() error { return first(newLengths([]byte{0x80, 1, 4, 9, 0}, 8)) }},
		{"blocks of no miniblock", "broken differences", func() error { return first(newLengths([]byte{0x80, 1, 0, 1, 0}, 8)) }},
		{"blocks of 2^35 values", "broken differences", func() error { return first(newLengths([]byte{0x80, 0x80, 0x80, 0x80, 0x80, 1, 1, 1, 0}, 8)) }},
		{"a negative length", "ends early", func() error { return first(newLengths([]byte{0x80, 1, 4, 1, 1}, 8)) }},
		{"a prefix of nothing", "broken differences", func() error {
			return first(newPrefixed(text, []byte{0x80, 1, 4, 1, 2, 0x80, 1, 4, 1, 0}, 1, new([]byte)))
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var err error
			n := allocated(func() { err = test.got() })
			if err == nil || !strings.Contains(err.Error(), test.want) || n > 1<<20 {
				t.Errorf("got %v in %d bytes, want %q", err, n, test.want)
			}
		})
	}
}

// beyond is a file whose indices are read with 32 bits each, which makes most of them larger than the dictionary.
func beyond(t testing.TB) []byte {
	t.Helper()
	data := write(t, table()[7:8], layout{dictionary: true})
	f, err := Open(data)
	if err != nil {
		t.Fatal(err)
	}
	k, err := f.Chunk(0, f.Columns()[0])
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, err := k.page()
		if err != nil {
			t.Fatal(err)
		}
		if p.kind == dataPage {
			p.values[0] = 32 // they lie in the file, which is not compressed
			return data
		}
	}
}

// Of a file such as this Arrow's decoder makes room for as many values as its largest index says.
func TestIndicesBeyondTheDictionary(t *testing.T) {
	data := beyond(t)
	var err error
	n := allocated(func() { err = readAll(data, tableRows) })
	if err == nil || !strings.Contains(err.Error(), "into a dictionary of") || n > 1<<20 {
		t.Errorf("got %v in %d bytes", err, n)
	}
}

// A page's claim is held against what its bytes can expand to, and what they do.
func TestExpand(t *testing.T) {
	want := bytes.Repeat([]byte("modality "), 1000)
	block := make([]byte, lz4.CompressBlockBound(len(want)))
	n, err := lz4.CompressBlock(want, block, nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := map[int64][]byte{lz4Raw: block[:n], snappyCodec: pack(t, compress.Codecs.Snappy, want), gzipCodec: pack(t, compress.Codecs.Gzip, want),
		brotliCodec: pack(t, compress.Codecs.Brotli, want), zstdCodec: pack(t, compress.Codecs.Zstd, want), uncompressed: want}
	for codec, raw := range packed {
		k := &Chunk{file: &File{}, codec: codec}
		defer k.file.Close()
		var buffer []byte
		if got, err := k.expand(&buffer, raw, int64(len(want))); err != nil || !bytes.Equal(got, want) {
			t.Errorf("codec %d: %d bytes, %v", codec, len(got), err)
		}
		for _, size := range []int64{1, int64(len(want)) - 1, int64(len(want)) + 1, maxPage} {
			if n := allocated(func() {
				if _, err := k.expand(&buffer, raw, size); err == nil {
					t.Errorf("codec %d: %d bytes for %d: no error", codec, size, len(want))
				}
			}); n > 16<<20 {
				t.Errorf("codec %d: %d MiB where %d bytes were claimed", codec, n>>20, size)
			}
		}
	}
	for _, codec := range []int64{lzoCodec, lz4Hadoop, 8, -1} {
		k := &Chunk{file: &File{}, codec: codec}
		if _, err := k.expand(new([]byte), want, 1); err == nil {
			t.Errorf("codec %d: no error", codec)
		}
	}
}

func pack(t *testing.T, codec compress.Compression, data []byte) []byte {
	t.Helper()
	c, err := compress.GetCodec(codec)
	if err != nil {
		t.Fatal(err)
	}
	return c.Encode(make([]byte, c.CompressBound(int64(len(data)))), data)
}

func FuzzParquet(f *testing.F) {
	columns := table()
	for i := range columns {
		for _, l := range []layout{{dictionary: true}, {delta: true, version: 1}} {
			f.Add(write(f, columns[i:i+1], l))
		}
	}
	f.Add(beyond(f))
	for _, name := range []string{"duckdb-v2.parquet", "polars.parquet", "duckdb-brotli.parquet"} {
		data, err := os.ReadFile("../testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { readAll(data, 1<<12) })
}
