package table

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/float16"
	"github.com/apache/arrow/go/v17/arrow/ipc"
	"github.com/apache/arrow/go/v17/arrow/memory"
	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/file"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"mmtools/pkg/stream"
)

func halves(values ...float32) (all []float16.Num, b []byte) {
	for _, v := range values {
		all = append(all, float16.New(v))
		b = binary.LittleEndian.AppendUint16(b, float16.New(v).Uint16())
	}
	return all, b
}

// What is stored as float16 or uint8 is taken so, whatever the file, and read as float32 where that is asked for.
func TestElements(t *testing.T) {
	half, halfBytes := halves(0.5, -2, 65504, 1e-7)
	bytesOf := []byte{1, 2, 3, 255}
	little := npy("<f2", "(2, 2)", halfBytes)
	big := slices.Clone(halfBytes)
	for i := 0; i < len(big); i += 2 {
		big[i], big[i+1] = big[i+1], big[i]
	}
	tensor := func(dtype string, data []byte) []byte {
		return tensors(`{"x":{"dtype":"`+dtype+`","shape":[2,2],"data_offsets":[0,`+map[string]string{"U8": "4", "F16": "8"}[dtype]+`]}}`, data)
	}
	for _, test := range []struct {
		name string
		data []byte
		want any // of the first row, 2 numbers of it
	}{
		{"uint8.npy", npy("|u1", "(2, 2)", bytesOf), bytesOf[:2]},
		{"fortran.npy", []byte(strings.Replace(string(npy("|u1", "(2, 2)", []byte{1, 3, 2, 255})), "False", "True ", 1)), bytesOf[:2]},
		{"half.npy", little, half[:2]},
		{"big.npy", npy(">f2", "(2, 2)", big), half[:2]},
		{"int8.npy", npy("|i1", "(2, 2)", []byte{1, 2, 3, 4}), []float32{1, 2}},
		{"each.npz", npz(t, zip.Deflate, entry{"a.npy", npy("|u1", "(2,)", bytesOf[:2])}, entry{"b.npy", npy("|u1", "(2,)", bytesOf[2:])}), bytesOf[:2]},
		{"mixed.npz", npz(t, zip.Store, entry{"a.npy", npy("|u1", "(2,)", bytesOf[:2])}, entry{"b.npy", npy("<f2", "(2,)", halfBytes[4:])}), []float32{1, 2}},
		{"uint8.safetensors", tensor("U8", bytesOf), bytesOf[:2]},
		{"half.safetensors", tensor("F16", halfBytes), half[:2]},
		{"numbers.csv", []byte("v\n1 2\n3 4\n"), []float32{1, 2}},
		{"uint8.arrow", listFile(t, arrow.PrimitiveTypes.Uint8, 1, 2), bytesOf[:2]},
		{"half.arrow", listFile(t, arrow.FixedWidthTypes.Float16, 0.5, -2), half[:2]},
		{"uint8.parquet", parquetOf(t, schema.NewIntLogicalType(8, false), 1, 2), bytesOf[:1]},
		{"uint16.parquet", parquetOf(t, schema.NewIntLogicalType(16, false), 1, 2), []float32{1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := Source{Path: write(t, test.name, test.data)}
			if filepath.Ext(test.name) == ".safetensors" {
				s.Values = "x"
			}
			f, err := OpenFeatures(s)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			n := reflect.ValueOf(test.want).Len()
			got := reflect.MakeSlice(reflect.TypeOf(test.want), n, n).Interface()
			if err := f.Take(0, got); err != nil || !reflect.DeepEqual(got, test.want) {
				t.Errorf("%s: got %v, %v, want %v", f.Element(), got, err, test.want)
			}
			wide := make([]float32, n)
			if err := f.Read(0, wide); err != nil {
				t.Error(err)
			}
			for i, v := range wide {
				want := reflect.ValueOf(test.want).Index(i).Interface()
				if h, ok := want.(float16.Num); ok {
					want = h.Float32()
				}
				if u, ok := want.(uint8); ok {
					want = float32(u)
				}
				if v != want {
					t.Errorf("read: got %v, want %v", v, want)
				}
			}
		})
	}
}

// listFile is an Arrow file with the column v, whose one row lists the numbers.
func listFile(t *testing.T, of arrow.DataType, numbers ...float32) []byte {
	t.Helper()
	s := arrow.NewSchema([]arrow.Field{{Name: "v", Type: arrow.ListOf(of)}}, nil)
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	list := b.Field(0).(*array.ListBuilder)
	list.Append(true)
	for _, v := range numbers {
		switch values := list.ValueBuilder().(type) {
		case *array.Uint8Builder:
			values.Append(uint8(v))
		case *array.Float16Builder:
			values.Append(float16.New(v))
		}
	}
	return arrowFile(t, b)
}

// arrowFile is an Arrow file with the rows of b.
func arrowFile(t *testing.T, b *array.RecordBuilder) []byte {
	t.Helper()
	record := b.NewRecord()
	defer record.Release()
	path := filepath.Join(t.TempDir(), "x.arrow")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w, err := ipc.NewFileWriter(out, ipc.WithSchema(record.Schema()))
	if err == nil {
		err = errors.Join(w.Write(record), w.Close(), out.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A column of a type that is neither text nor numbers, such as the times of a data frame, has no text, and is not in the way of the others.
func TestReadRowsBesideOtherTypes(t *testing.T) {
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema([]arrow.Field{
		{Name: "when", Type: arrow.FixedWidthTypes.Timestamp_us}, {Name: "id", Type: arrow.BinaryTypes.LargeString},
	}, nil))
	defer b.Release()
	for i, id := range []string{"a", "b"} {
		b.Field(0).(*array.TimestampBuilder).Append(arrow.Timestamp(i))
		b.Field(1).(*array.LargeStringBuilder).Append(id)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"x.arrow":   {arrowFile(t, b), "[when id] [[ a] [ b]]"},
		"x.parquet": {parquetOf(t, schema.NewDecimalLogicalType(9, 2), 1, 2), "[v] [[] []]"},
	} {
		path := write(t, name, c.data)
		rows, err := ReadRows(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(rows.Columns, rows.Cells); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
		r, err := Open(path)
		if err == nil {
			err = r.Next()
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Text(0); !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), "want text or a number") {
			t.Errorf("%s: got %v of the column itself", name, err)
		}
		r.Close()
	}
}

// parquetOf is a Parquet file with a column v of whole numbers.
func parquetOf(t *testing.T, l schema.LogicalType, numbers ...int32) []byte {
	t.Helper()
	v := schema.MustPrimitive(schema.NewPrimitiveNodeLogical("v", pq.Repetitions.Required, l, pq.Types.Int32, 0, -1))
	path := filepath.Join(t.TempDir(), "x.parquet")
	out, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := file.NewParquetWriter(out, schema.MustGroup(schema.NewGroupNode("schema", pq.Repetitions.Required, schema.FieldList{v}, -1)))
	group := w.AppendRowGroup()
	column, err := group.NextColumn()
	if err == nil {
		_, err = column.(*file.Int32ColumnChunkWriter).WriteBatch(numbers, nil, nil)
	}
	if err := errors.Join(err, column.Close(), group.Close(), w.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// A column that says 8 bits and holds more is refused.
func TestElementOutOfRange(t *testing.T) {
	path := write(t, "x.parquet", parquetOf(t, schema.NewIntLogicalType(8, false), 1, 256))
	if _, err := OpenFeatures(Source{Path: path}); !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), path+": row 1: 256 in a column of 8 bits") {
		t.Errorf("got %v", err)
	}
}

func TestNotFiniteHalf(t *testing.T) {
	f, err := OpenFeatures(Source{Path: write(t, "x.npy", npy("<f2", "(1, 2)", []byte{0, 0x3c, 0, 0x7c}))})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Take(0, make([]float16.Num, 2)); !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), "row 0: number 1 is not finite") {
		t.Errorf("got %v", err)
	}
}

// Every number of 16 bits is written as it is read.
func TestHalvesStay(t *testing.T) {
	for bits := range 1 << 16 {
		if bits&0x7c00 == 0x7c00 {
			continue
		}
		raw, err := appendElements(nil, []float32{stream.Half(uint16(bits))}, Float16)
		if err != nil || binary.LittleEndian.Uint16(raw) != uint16(bits) {
			t.Fatalf("%#04x became %x, %v", bits, raw, err)
		}
	}
}

// A folder's files are samples in the order of their names.
func TestFolder(t *testing.T) {
	dir := t.TempDir()
	put := func(name string, data []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put("b.npy", npy("|u1", "(1, 2)", []byte{3, 4}))
	put("a.npz", npz(t, zip.Deflate, entry{"x.npy", npy("|u1", "(1, 2)", []byte{1, 2})}))
	put("readme.txt", nil)
	put(".hidden.npy", nil)
	open := func() (*Features, error) { return OpenFeatures(Source{Path: dir}) }
	f, err := open()
	if err != nil {
		t.Fatal(err)
	}
	got := make([]uint8, 2)
	if err := f.Take(1, got); err != nil || f.Element() != Uint8 || !slices.Equal(got, []uint8{3, 4}) || !slices.Equal(f.IDs(), []string{"a", "b"}) || !slices.Equal(f.Shape(), []int{1, 2}) {
		t.Errorf("got %v of %v, %v, %v", got, f.IDs(), f.Shape(), err)
	}
	put("b.npy", npy("<f4", "(1, 2)", floats(1, 2))) // of another type, after it was listed
	if err := f.Take(1, got); !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), "b.npy: float32, the first file has uint8") {
		t.Errorf("got %v", err)
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{"b.npz": `id "b" is also that of row 1`, "c.npy": "c.npy: not a regular file"} {
		if name == "c.npy" {
			if err := os.Mkdir(filepath.Join(dir, name), 0o777); err != nil {
				t.Fatal(err)
			}
		} else {
			put(name, nil)
		}
		if _, err := open(); !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
		os.Remove(filepath.Join(dir, name))
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "out.npy")); err != nil {
		t.Fatal(err)
	}
	if _, err := open(); !errors.Is(err, stream.ErrInput) {
		t.Errorf("a link out of the folder: got %v", err)
	}
}
