package stream

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
)

func dictionaryOf(index, values arrow.DataType) *arrow.DictionaryType {
	return &arrow.DictionaryType{IndexType: index, ValueType: values}
}

// seeker is what Arrow's file writer wants.
type seeker struct{ bytes.Buffer }

func (s *seeker) Seek(int64, int) (int64, error) { return int64(s.Len()), nil }

// arrows writes records with Arrow's own writer.
func arrows(t testing.TB, file bool, records []arrow.Record, opts ...ipc.Option) []byte {
	t.Helper()
	var out seeker
	opts = append(opts, ipc.WithSchema(records[0].Schema()))
	var w interface {
		Write(arrow.Record) error
		Close() error
	} = ipc.NewWriter(&out, opts...)
	if file {
		var err error
		if w, err = ipc.NewFileWriter(&out, opts...); err != nil {
			t.Fatal(err)
		}
	}
	for _, rec := range records {
		if err := w.Write(rec); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// written are columns as some write them, and as they are read.
func written() (stored, read []arrow.Field) {
	p := arrow.PrimitiveTypes
	text, raw := arrow.BinaryTypes.String, arrow.BinaryTypes.Binary
	for i, c := range []struct{ stored, read arrow.DataType }{
		{dictionaryOf(p.Int8, text), text},
		{dictionaryOf(p.Uint16, raw), raw},
		{dictionaryOf(p.Int64, p.Int64), p.Int64},
		{dictionaryOf(p.Uint8, p.Float32), p.Float32},
		{arrow.ListOf(dictionaryOf(p.Int32, text)), arrow.ListOf(text)},
		{arrow.StructOf(arrow.Field{Name: "a", Type: dictionaryOf(p.Uint32, text), Nullable: true}, arrow.Field{Name: "b", Type: p.Int8, Nullable: true}),
			arrow.StructOf(arrow.Field{Name: "a", Type: text, Nullable: true}, arrow.Field{Name: "b", Type: p.Int8, Nullable: true})},
		{arrow.BinaryTypes.StringView, text},
		{arrow.BinaryTypes.BinaryView, arrow.BinaryTypes.Binary},
		{arrow.LargeListOf(arrow.BinaryTypes.StringView), arrow.LargeListOf(text)},
		{arrow.FixedSizeListOf(2, arrow.BinaryTypes.StringView), arrow.FixedSizeListOf(2, text)},
	} {
		name := fmt.Sprint(i)
		stored = append(stored, arrow.Field{Name: name, Type: c.stored, Nullable: true})
		read = append(read, arrow.Field{Name: name, Type: c.read, Nullable: true})
	}
	return stored, read
}

var writtenBatches = []string{`[
 {"0":"a","1":"/wABAg==","2":7,"3":1.5,"4":["x","yy",null],"5":{"a":"in","b":1},"6":"twelve bytes","7":"AAEC","8":["more than twelve bytes","s"],"9":["p","q"]},
 {"0":null,"1":null,"2":null,"3":null,"4":null,"5":null,"6":null,"7":null,"8":null,"9":null},
 {"0":"b","1":"/wABAg==","2":-7,"3":1.5,"4":[],"5":{"a":null,"b":2},"6":"thirteen byte","7":"","8":[],"9":["a text that is longer than the view",null]},
 {"0":"a","1":"","2":7,"3":2.5,"4":["yy"],"5":{"a":"in","b":null},"6":"","7":"AAECAwQFBgcICQoLDA0ODw==","8":[null],"9":[null,"q"]}
]`, `[
 {"0":"c","1":"AA==","2":8,"3":0,"4":["z","x"],"5":{"a":"out","b":3},"6":"ö","7":"/w==","8":["ü"],"9":["r","s"]},
 {"0":"a","1":"/wABAg==","2":7,"3":1.5,"4":null,"5":{"a":"in","b":3},"6":"and one more that is long","7":null,"8":["x"],"9":null}
]`}

func fromJSON(t testing.TB, mem memory.Allocator, fields []arrow.Field) []arrow.Record {
	t.Helper()
	var records []arrow.Record
	for _, text := range writtenBatches {
		rec, _, err := array.RecordFromJSON(mem, arrow.NewSchema(fields, nil), strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, rec)
	}
	return records
}

// encoded are streams with dictionaries and views in every form. The file format holds one dictionary a column, and so one batch here.
func encoded(t testing.TB) map[string][]byte {
	t.Helper()
	stored, _ := written()
	records := fromJSON(t, memory.DefaultAllocator, stored)
	return map[string][]byte{
		"stream":      arrows(t, false, records),
		"stream zstd": arrows(t, false, records, ipc.WithZstd()),
		"stream lz4":  arrows(t, false, records, ipc.WithLZ4()),
		"file":        arrows(t, true, records[:1]),
		"file zstd":   arrows(t, true, records[:1], ipc.WithZstd()),
	}
}

// TestDictionariesAndViews: both are read as the plain values that they stand for, replaced dictionaries among them, again after Rewind.
func TestDictionariesAndViews(t *testing.T) {
	_, read := written()
	want := fromJSON(t, memory.DefaultAllocator, read)
	for name, b := range encoded(t) {
		opens := []func([]byte, ...Option) (*Reader, error){openMapped}
		if !isFileFormat(b) {
			opens = append(opens, openPiped)
		}
		for _, open := range opens {
			mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
			r, err := open(b, WithAllocator(mem))
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			n := 1
			if r.Mapped() {
				n = 2
			}
			for range n {
				rows := 0
				for i := 0; ; i++ {
					got, err := r.Next()
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					if !array.RecordEqual(got, want[i]) || !got.Schema().Equal(want[i].Schema()) {
						t.Errorf("%s: got %v, want %v", name, got, want[i])
					}
					rows += int(got.NumRows())
				}
				if rows != 6 && !(rows == 4 && strings.HasPrefix(name, "file")) {
					t.Errorf("%s: %d rows", name, rows)
				}
				if r.Mapped() {
					if err := r.Rewind(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			mem.AssertSize(t, 0)
		}
	}
}

// TestDictionaryDeltas: what a batch adds to a dictionary stands behind what was there, and records keep their values.
func TestDictionaryDeltas(t *testing.T) {
	dt := dictionaryOf(arrow.PrimitiveTypes.Int8, arrow.BinaryTypes.String)
	schema := arrow.NewSchema([]arrow.Field{{Name: "x", Type: dt, Nullable: true}}, nil)
	var records []arrow.Record
	values := [][]string{{"a", "b", "a"}, {"c"}, {"d", "a", "e", "c"}, {"b"}}
	dictionary := array.NewStringBuilder(memory.DefaultAllocator)
	place := map[string]int8{}
	for _, batch := range values {
		indices := array.NewInt8Builder(memory.DefaultAllocator)
		for _, v := range batch {
			if _, ok := place[v]; !ok {
				place[v] = int8(len(place))
			}
			indices.Append(place[v])
		}
		names := make([]string, len(place))
		for w, at := range place {
			names[at] = w
		}
		dictionary.AppendValues(names, nil)
		column := array.NewDictionaryArray(dt, indices.NewArray(), dictionary.NewArray())
		records = append(records, array.NewRecord(schema, []arrow.Array{column}, int64(len(batch))))
	}
	stream := arrows(t, false, records, ipc.WithDictionaryDeltas(true))
	r, err := openPiped(append(stream, stream...)) // joined to itself: the second has dictionaries of its own
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for _, batch := range append(values, values...) {
		got, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range batch {
			if v := got.Column(0).(*array.String).Value(i); v != want {
				t.Errorf("got %q, want %q", v, want)
			}
		}
	}
	if parts := len(r.decoder.dictionaries[0].parts); parts != 3 {
		t.Errorf("a dictionary of %d parts, want 3: the writer sent no deltas", parts)
	}
}

// Truncated and corrupt, streams with dictionaries and views are held to what all others are.
func TestTruncatedAndCorruptDictionaries(t *testing.T) {
	all := encoded(t)
	for _, name := range []string{"stream", "file"} {
		b := all[name]
		opens := []func([]byte, ...Option) (*Reader, error){openMapped}
		if !isFileFormat(b) {
			opens = append(opens, openPiped)
		}
		for _, open := range opens {
			for n := 0; n < len(b); n += 3 {
				if err := consume(open, b[:n:n]); !errors.Is(err, ErrInput) {
					t.Fatalf("%s cut at %d of %d: got %v, want an input error", name, n, len(b), err)
				}
			}
			mem := capped{memory.NewGoAllocator(), t, 2 * firstChunk}
			for i := 0; i < len(b); i += 3 {
				bad := bytes.Clone(b)
				bad[i] ^= 1 << (i % 8)
				if err := consume(open, bad, WithAllocator(mem)); err != nil && !errors.Is(err, ErrInput) {
					t.Fatalf("%s: byte %d: %v is not an input error", name, i, err)
				}
			}
		}
	}
}

// TestDictionaryBombs: a text named by every row, and views that all show the same, cost no more than the limit.
func TestDictionaryBombs(t *testing.T) {
	const rows = 1 << 16
	long := strings.Repeat("x", 1<<16)
	dt := dictionaryOf(arrow.PrimitiveTypes.Int8, arrow.BinaryTypes.String)
	text := array.NewStringBuilder(memory.DefaultAllocator)
	text.Append(long)
	indices := array.NewInt8Builder(memory.DefaultAllocator)
	indices.AppendValues(make([]int8, rows), nil)
	dictionary := array.NewDictionaryArray(dt, indices.NewArray(), text.NewArray())

	views := memory.NewBufferBytes(bytes.Repeat([]byte{0, 0, 1, 0, 'x', 'x', 'x', 'x', 0, 0, 0, 0, 0, 0, 0, 0}, rows))
	data := array.NewData(arrow.BinaryTypes.StringView, rows, []*memory.Buffer{nil, views, memory.NewBufferBytes([]byte(long))}, nil, 0, 0)
	for name, column := range map[string]arrow.Array{"dictionary": dictionary, "views": array.MakeFromData(data)} {
		schema := arrow.NewSchema([]arrow.Field{{Name: "odd", Type: column.DataType()}}, nil)
		b := arrows(t, false, []arrow.Record{array.NewRecord(schema, []arrow.Array{column}, rows)})
		before := allocated()
		err := consume(openMapped, b, WithLimits(Limits{Batch: 1 << 26}))
		if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), `column "odd"`) || !strings.Contains(err.Error(), "over the batch's limit") {
			t.Errorf("%s: got %v", name, err)
		}
		if got := allocated() - before; got > 16<<20 {
			t.Errorf("%s: allocated %d bytes", name, got)
		}
		err = consume(openMapped, b) // 4 GiB, which the default limit allows and offsets of 32 bits do not
		if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), "offsets of 32 bits") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestIndexOutOfDictionary: an index that leads out of the dictionary names its place; one under a null means nothing.
func TestIndexOutOfDictionary(t *testing.T) {
	dt := dictionaryOf(arrow.PrimitiveTypes.Int8, arrow.BinaryTypes.String)
	schema := arrow.NewSchema([]arrow.Field{{Name: "odd", Type: dt, Nullable: true}}, nil)
	text := array.NewStringBuilder(memory.DefaultAllocator)
	text.Append("a")
	only := text.NewArray()
	for _, test := range []struct {
		index []int8
		valid []bool
		want  string
	}{
		{[]int8{0, 1}, []bool{true, false}, ""},
		{[]int8{0, 0, 1}, nil, "index 1 at value 2 is not in its dictionary"},
		{[]int8{-1}, nil, "index -1 at value 0 is not in its dictionary"},
	} {
		indices := array.NewInt8Builder(memory.DefaultAllocator)
		indices.AppendValues(test.index, test.valid)
		column := array.NewData(dt, len(test.index), indices.NewArray().Data().Buffers(), nil, array.UnknownNullCount, 0)
		column.SetDictionary(only.Data())
		b := arrows(t, false, []arrow.Record{array.NewRecord(schema, []arrow.Array{array.MakeFromData(column)}, int64(len(test.index)))})
		err := consume(openPiped, b)
		if test.want == "" && err != nil || test.want != "" && (!errors.Is(err, ErrInput) || !strings.Contains(err.Error(), test.want)) {
			t.Errorf("%v: got %v, want %q", test.index, err, test.want)
		}
	}
}
