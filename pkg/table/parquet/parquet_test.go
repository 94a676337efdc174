package parquet

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/float16"
	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/compress"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"
)

// layout says how Arrow's writer is to write a file.
type layout struct {
	version    pq.DataPageVersion
	codec      compress.Compression
	dictionary bool
	delta      bool
}

const tableRows = 400

// written is a column that Arrow's writer writes, and what is to come out: of each row its values, nil where it is null.
type written struct {
	node  schema.Node
	write func(w file.ColumnChunkWriter, defs, reps []int16)
	value func(i int) Value
	delta pq.Encoding
}

// table has a column of every type that is read, each with nulls, and a list.
func table() []written {
	r := rand.New(rand.NewPCG(1, 2))
	ints, halves := make([]int64, 3*tableRows), make([]float16.Num, 3*tableRows)
	texts, fixed := make([]pq.ByteArray, 3*tableRows), make([]pq.FixedLenByteArray, 3*tableRows)
	for i := range ints {
		ints[i] = r.Int64N(1<<(1+i%62)) - r.Int64N(1<<(1+i%31))
		if i%50 < 20 { // runs
			ints[i] = int64(i / 50)
		}
		halves[i] = float16.New(float32(ints[i] % 1000))
		texts[i] = fmt.Appendf(nil, "clip-%d/%s", ints[i]%200, bytes.Repeat([]byte("é"), i%5))
		fixed[i] = binary16(halves[i])
	}
	optional := pq.Repetitions.Optional
	logical := func(name string, l schema.LogicalType, physical pq.Type, size int) schema.Node {
		return schema.MustPrimitive(schema.NewPrimitiveNodeLogical(name, optional, l, physical, size, -1))
	}
	whole := func(bits int) func(i int) Value {
		return func(i int) Value { return Value{Int: ints[i] << (64 - bits) >> (64 - bits)} }
	}
	packed, plain := pq.Encodings.DeltaBinaryPacked, pq.Encodings.Plain
	number := func(i int) Value { return Value{Float: float64(float32(ints[i]) / 3)} }
	writeFloat := func(w file.ColumnChunkWriter, defs, reps []int16) {
		put(w.(*file.Float32ColumnChunkWriter).WriteBatch, defs, reps, func(i int) float32 { return float32(ints[i]) / 3 })
	}
	return []written{
		{schema.NewBooleanNode("flag", optional, -1), func(w file.ColumnChunkWriter, defs, reps []int16) {
			put(w.(*file.BooleanColumnChunkWriter).WriteBatch, defs, reps, func(i int) bool { return ints[i]&1 == 1 })
		}, func(i int) Value { return Value{Int: ints[i] & 1} }, plain},
		{schema.NewInt32Node("i32", optional, -1), func(w file.ColumnChunkWriter, defs, reps []int16) {
			put(w.(*file.Int32ColumnChunkWriter).WriteBatch, defs, reps, func(i int) int32 { return int32(ints[i]) })
		}, whole(32), packed},
		{logical("u32", schema.NewIntLogicalType(32, false), pq.Types.Int32, 0), func(w file.ColumnChunkWriter, defs, reps []int16) {
			put(w.(*file.Int32ColumnChunkWriter).WriteBatch, defs, reps, func(i int) int32 { return int32(ints[i]) })
		}, func(i int) Value { return Value{Int: int64(uint32(ints[i]))} }, packed},
		{schema.NewInt64Node("i64", optional, -1), func(w file.ColumnChunkWriter, defs, reps []int16) {
			put(w.(*file.Int64ColumnChunkWriter).WriteBatch, defs, reps, func(i int) int64 { return ints[i] })
		}, whole(64), packed},
		{schema.NewFloat32Node("f32", optional, -1), writeFloat, number, plain},
		{schema.NewFloat64Node("f64", optional, -1), func(w file.ColumnChunkWriter, defs, reps []int16) {
			put(w.(*file.Float64ColumnChunkWriter).WriteBatch, defs, reps, func(i int) float64 { return float64(ints[i]) / 3 })
		}, func(i int) Value { return Value{Float: float64(ints[i]) / 3} }, plain},
		{logical("half", schema.Float16LogicalType{}, pq.Types.FixedLenByteArray, 2), func(w file.ColumnChunkWriter, defs, reps []int16) {
			put(w.(*file.FixedLenByteArrayColumnChunkWriter).WriteBatch, defs, reps, func(i int) pq.FixedLenByteArray { return fixed[i] })
		}, func(i int) Value { return Value{Float: float64(halves[i].Float32())} }, plain},
		{logical("text", schema.StringLogicalType{}, pq.Types.ByteArray, 0), func(w file.ColumnChunkWriter, defs, reps []int16) {
			put(w.(*file.ByteArrayColumnChunkWriter).WriteBatch, defs, reps, func(i int) pq.ByteArray { return texts[i] })
		}, func(i int) Value { return Value{Bytes: texts[i]} }, pq.Encodings.DeltaByteArray},
		{logical("lengths", schema.StringLogicalType{}, pq.Types.ByteArray, 0), func(w file.ColumnChunkWriter, defs, reps []int16) {
			put(w.(*file.ByteArrayColumnChunkWriter).WriteBatch, defs, reps, func(i int) pq.ByteArray { return texts[i] })
		}, func(i int) Value { return Value{Bytes: texts[i]} }, pq.Encodings.DeltaLengthByteArray},
		{schema.MustGroup(schema.ListOfWithName("list", schema.NewFloat32Node("element", pq.Repetitions.Required, -1), optional, -1)), writeFloat, number, plain},
	}
}

func binary16(n float16.Num) []byte { b := n.Uint16(); return []byte{byte(b), byte(b >> 8)} }

// put writes as many values as levels say: the definition level of a value is the highest that there is.
func put[T any](write func([]T, []int16, []int16) (int64, error), defs, reps []int16, value func(i int) T) {
	most := slices.Max(defs)
	var values []T
	for _, d := range defs {
		if d == most {
			values = append(values, value(len(values)))
		}
	}
	if _, err := write(values, defs, reps); err != nil {
		panic(err)
	}
}

// levelsFor makes rows: null, a value, and of a list also an empty one and up to four elements.
func levelsFor(list bool) (defs, reps []int16, lengths []int) {
	for i := range tableRows {
		switch {
		case i%7 == 3:
			defs, reps, lengths = append(defs, 0), append(reps, 0), append(lengths, -1)
		case !list:
			defs, reps, lengths = append(defs, 1), append(reps, 0), append(lengths, 1)
		case i%5 == 0:
			defs, reps, lengths = append(defs, 1), append(reps, 0), append(lengths, 0)
		default:
			for e := range 1 + i%4 {
				defs, reps = append(defs, 2), append(reps, int16(min(e, 1)))
			}
			lengths = append(lengths, 1+i%4)
		}
	}
	if !list {
		reps = nil
	}
	return defs, reps, lengths
}

func listed(n schema.Node) bool { return n.Type() == schema.Group }

// write is a file of two row groups, each with all rows, in small pages.
func write(t testing.TB, columns []written, l layout) []byte {
	t.Helper()
	fields := schema.FieldList{}
	options := []pq.WriterProperty{pq.WithDataPageVersion(l.version), pq.WithCompression(l.codec), pq.WithDictionaryDefault(l.dictionary),
		pq.WithDataPageSize(1 << 10), pq.WithBatchSize(64), pq.WithVersion(pq.V2_LATEST)}
	for _, c := range columns {
		fields = append(fields, c.node)
		if l.delta {
			options = append(options, pq.WithEncodingFor(c.node.Name(), c.delta))
		}
	}
	var out bytes.Buffer
	w := file.NewParquetWriter(&out, schema.MustGroup(schema.NewGroupNode("schema", pq.Repetitions.Required, fields, -1)),
		file.WithWriterProps(pq.NewWriterProperties(options...)))
	for range 2 {
		group := w.AppendRowGroup()
		for _, c := range columns {
			chunk, err := group.NextColumn()
			if err != nil {
				t.Fatal(err)
			}
			defs, reps, _ := levelsFor(listed(c.node))
			c.write(chunk, defs, reps)
			if err := chunk.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if err := group.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// What Arrow's writer writes comes out, in every encoding and compression that it has.
func TestWrittenByArrow(t *testing.T) {
	columns := table()
	for _, version := range []pq.DataPageVersion{pq.DataPageV1, pq.DataPageV2} {
		for _, codec := range []compress.Compression{compress.Codecs.Uncompressed, compress.Codecs.Snappy, compress.Codecs.Gzip, compress.Codecs.Brotli, compress.Codecs.Zstd} {
			for _, how := range []string{"plain", "dictionary", "delta"} {
				l := layout{version, codec, how == "dictionary", how == "delta"}
				t.Run(fmt.Sprintf("page %d, %s, %s", version+1, codec, how), func(t *testing.T) {
					f, err := Open(write(t, columns, l))
					if err != nil {
						t.Fatal(err)
					}
					defer f.Close()
					for group := range f.Groups() {
						for i, c := range columns {
							compare(t, f, group, f.Columns()[i], c)
						}
					}
				})
			}
		}
	}
}

func compare(t *testing.T, f *File, group int, c *Column, want written) {
	t.Helper()
	_, _, lengths := levelsFor(listed(want.node))
	if c.Name != want.node.Name() || c.List != listed(want.node) || c.Struct() || f.Rows(group) != tableRows {
		t.Fatalf("got column %+v of %d rows", c, f.Rows(group))
	}
	k, err := f.Chunk(group, c)
	if err != nil {
		t.Fatal(err)
	}
	next := 0
	for row, length := range lengths {
		n := 0
		ok, err := k.Cell(func(v *Value) error {
			w := want.value(next)
			if v.Int != w.Int || math.Float64bits(v.Float) != math.Float64bits(w.Float) || !bytes.Equal(v.Bytes, w.Bytes) {
				return fmt.Errorf("value %d: got %+v, want %+v", next, *v, w)
			}
			n++
			next++
			return nil
		})
		if err != nil || ok != (length >= 0) || n != max(length, 0) {
			t.Fatalf("%s: row %d: %d values, there %t, %v: want %d", c.Name, row, n, ok, err, length)
		}
	}
	if _, err := k.Cell(func(*Value) error { return nil }); err != errRows {
		t.Errorf("%s: after the last row: %v", c.Name, err)
	}
}
