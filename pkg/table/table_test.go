package table

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/stream"
)

// write lays a file into a folder of the test and returns its path.
func write(t testing.TB, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

// npy lays out a version 1.0 npy file in C order.
func npy(descr, shape string, data []byte) []byte {
	header := fmt.Sprintf("{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", descr, shape)
	b := binary.LittleEndian.AppendUint16([]byte("\x93NUMPY\x01\x00"), uint16(len(header)))
	return append(append(b, header...), data...)
}

func floats(values ...float32) (b []byte) {
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

// texts is an array of texts of three characters, as NumPy's <U3.
func texts(all ...string) (b []byte) {
	for _, text := range all {
		runes := append([]rune(text), 0, 0, 0)
		for _, r := range runes[:3] {
			b = binary.LittleEndian.AppendUint32(b, uint32(r))
		}
	}
	return npy("<U3", fmt.Sprintf("(%d,)", len(all)), b)
}

type entry struct {
	name string
	data []byte
}

// npz is a zip of the entries, in their order.
func npz(t testing.TB, method uint16, entries ...entry) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 9) })
	for _, e := range entries {
		w, err := z.CreateHeader(&zip.FileHeader{Name: e.name, Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(e.data); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func tensors(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func TestFeatures(t *testing.T) {
	two := npy("<f4", "(2, 3)", floats(1, 2, 3, 4, 5, 6))
	one := npy("<f4", "(3,)", floats(7, 8, 9))
	stored := npz(t, zip.Store, entry{"audio.npy", two}, entry{"names.npy", texts("a", "b-ü")})
	single := npz(t, zip.Deflate, entry{"a.npy", one}, entry{"b.npy", npy("<f4", "(3,)", floats(4, 5, 6))})
	rows := `{"x":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}}`
	each := `{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,12]},"b":{"dtype":"F32","shape":[3],"data_offsets":[12,24]}}`
	six := floats(1, 2, 3, 4, 5, 6)
	for _, test := range []struct {
		name   string
		source Source
		data   []byte
		ids    []string
		want   [][]float32 // nil where null
	}{
		{"npy", Source{Path: "x.npy"}, two, nil, [][]float32{{1, 2, 3}, {4, 5, 6}}},
		{"npz stored", Source{Path: "x.npz", Values: "audio", IDs: "names"}, stored, []string{"a", "b-ü"}, [][]float32{{1, 2, 3}, {4, 5, 6}}},
		{"npz without ids", Source{Path: "x.npz", Values: "audio"}, stored, nil, [][]float32{{1, 2, 3}, {4, 5, 6}}},
		{"npz an array a sample", Source{Path: "x.npz"}, single, []string{"a", "b"}, [][]float32{{7, 8, 9}, {4, 5, 6}}},
		{"safetensors", Source{Path: "x.safetensors", Values: "x"}, tensors(rows, six), nil, [][]float32{{1, 2, 3}, {4, 5, 6}}},
		{"safetensors a tensor a sample", Source{Path: "x.safetensors"}, tensors(each, six), []string{"a", "b"}, [][]float32{{1, 2, 3}, {4, 5, 6}}},
		{"csv, a column a number", Source{Path: "x.csv", Values: "f*"}, []byte("id,f0,f1,label\na,1,2,x\nb,-.5,1e3,y\n"), []string{"a", "b"}, [][]float32{{1, 2}, {-.5, 1000}}},
		{"csv, columns by name", Source{Path: "x.csv", Values: "f1,f0", IDs: "label"}, []byte("id,f0,f1,label\na,1,2,x\nb,-.5,1e3,y\n"), []string{"x", "y"}, [][]float32{{2, 1}, {1000, -.5}}},
		{"csv, pandas' lists", Source{Path: "x.csv"}, []byte("id,v\na,\"[1, 2.5]\"\nc,\nb,3 4\n"), []string{"a", "c", "b"}, [][]float32{{1, 2.5}, nil, {3, 4}}},
		{"csv, null first", Source{Path: "x.csv"}, []byte("id,v\na,\nc,1;2\n"), []string{"a", "c"}, [][]float32{nil, {1, 2}}},
		{"tsv", Source{Path: "x.tsv"}, []byte("v\tid\r\n1,2\ta\r\n"), []string{"a"}, [][]float32{{1, 2}}},
		{"json lines", Source{Path: "x.jsonl", Values: "v"}, []byte("{\"id\":\"a\",\"v\":[[1,2],[3,4]]}\n\n{\"v\":null,\"id\":7}\n{\"id\":\"c\",\"v\":[5,6,7,8.5],\"more\":true}"), []string{"a", "7", "c"}, [][]float32{{1, 2, 3, 4}, nil, {5, 6, 7, 8.5}}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.source.Path = write(t, test.source.Path, test.data)
			f, err := OpenFeatures(test.source)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if !slices.Equal(f.IDs(), test.ids) || f.Rows() != len(test.want) || len(f.Bytes()) == 0 {
				t.Fatalf("%d rows, ids %q, want %d, %q", f.Rows(), f.IDs(), len(test.want), test.ids)
			}
			for i, want := range test.want {
				got := make([]float32, f.Shape()[0])
				if err := f.Read(i, got); err != nil || f.Present(i) != (want != nil) || want != nil && !slices.Equal(got, want) {
					t.Errorf("row %d: got %v, %v, there %t, want %v", i, got, err, f.Present(i), want)
				}
			}
		})
	}
}

func TestBadFeatures(t *testing.T) {
	huge := npz(t, zip.Deflate, entry{"a.npy", npy("<f4", "(1000,)", make([]byte, 4000))})
	at := bytes.Index(huge, []byte("PK\x01\x02")) // the central directory's entry: its uncompressed size
	binary.LittleEndian.PutUint32(huge[at+24:], 1<<31)
	for _, test := range []struct {
		source Source
		data   string
		want   string
	}{
		{Source{Path: "x.csv"}, "", "empty: want a line that names the columns"},
		{Source{Path: "x.csv"}, "id,id\n", `column "id" twice`},
		{Source{Path: "x.csv", Values: "w"}, "id,v\n", `no column "w": it has id, v`},
		{Source{Path: "x.csv", Values: "w*"}, "id,v\n", `no column begins with "w"`},
		{Source{Path: "x.csv", IDs: "name"}, "id,v\n", `no column "name"`},
		{Source{Path: "x.csv"}, "id,v,w\n", "2 columns beside the ids"},
		{Source{Path: "x.csv"}, "id,v\na,1 2\nb,1\n", "line 3: 1 numbers, the rows before have 2"},
		{Source{Path: "x.csv"}, "id,v\na,1 2\nb,1,2\n", "line 3: 3 fields, the first line names 2"},
		{Source{Path: "x.csv"}, "id,v\na,1 x\n", `line 2: column "v": "x" is not a finite number`},
		{Source{Path: "x.csv"}, "id,v\na,nan\n", `"nan" is not a finite number`},
		{Source{Path: "x.csv"}, "id,v\na,1e40\n", `"1e40" is not a finite number`},
		{Source{Path: "x.csv"}, "id,v\na,1\na,2\n", `row 1: id "a" is also that of row 0`},
		{Source{Path: "x.csv"}, "id,v\n,1\n", "row 0: empty id"},
		{Source{Path: "x.csv"}, "id,v\n\"a,1\n", "line 2, character"},
		{Source{Path: "x.csv"}, "id,v\na\xff,1\n", "line 2: not UTF-8"},
		{Source{Path: "x.csv"}, "id,v\na,\n", "no row holds numbers"},
		{Source{Path: "x.csv", Values: "f*"}, "id,f0,f1\na,1,\n", "line 2: some of the numbers are null"},
		{Source{Path: "x.jsonl"}, "{\"id\":\"a\",\"v\":1}\n[1]\n", "line 2: want a JSON object"},
		{Source{Path: "x.jsonl"}, "{\"id\":\"a\",\"v\":1} {}\n", "line 1: more after the object"},
		{Source{Path: "x.jsonl"}, "{\"id\":\"a\",\"id\":\"b\"}\n", `line 1: "id" comes twice`},
		{Source{Path: "x.jsonl"}, "{\"id\":\"a\",\"v\":[1,null]}\n", `line 1: "v": got <nil>, want a number`},
		{Source{Path: "x.jsonl"}, "{\"id\":\"a\",\"v\":{}}\n", `line 1: "v": got an object`},
		{Source{Path: "x.jsonl"}, "{\"id\":\"a\",\"v\":[1}\n", "line 1"},
		{Source{Path: "x.parquet"}, "PAR1 and no more", "x.parquet"},
		{Source{Path: "x.parquet"}, "no", "not a Parquet file"},
		{Source{Path: "x.arrow"}, "ARROW1\x00\x00", "x.arrow"},
		{Source{Path: "x.npy"}, "no", "not an npy file"},
		{Source{Path: "x.npy", Values: "v"}, "no", "without names"},
		{Source{Path: "x.npz"}, "no", "x.npz"},
		{Source{Path: "x.npz", Values: "b"}, string(npz(t, zip.Store, entry{"a.npy", nil})), `no array "b": it has a`},
		{Source{Path: "x.npz"}, string(npz(t, zip.Store, entry{"readme.txt", nil})), `"readme.txt" is no npy file`},
		{Source{Path: "x.npz"}, string(npz(t, zip.Store)), "no array"},
		{Source{Path: "x.npz"}, string(huge), "bytes cannot come from"},
		{Source{Path: "x.npz", Values: "a", IDs: "b"}, string(npz(t, zip.Store, entry{"a.npy", npy("|u1", "(2,)", []byte{1, 2})}, entry{"b.npy", texts("x")})), `1 ids in "b", 2 rows in "a"`},
		{Source{Path: "x.npz"}, string(npz(t, zip.Store, entry{"a.npy", npy("|u1", "(2,)", []byte{1, 2})}, entry{"b.npy", npy("|u1", "(1,)", []byte{1})})), "all have one shape"},
		{Source{Path: "x.safetensors"}, string(tensors("{}", nil)), "no tensor"},
		{Source{Path: "x.safetensors"}, "no", "no safetensors file"},
		{Source{Path: "x.safetensors", Values: "y"}, string(tensors(`{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, []byte{1})), `no tensor "y": it has x`},
		{Source{Path: "x.pkl"}, "", "ends in one of .npy"},
	} {
		test.source.Path = write(t, test.source.Path, []byte(test.data))
		f, err := OpenFeatures(test.source)
		if err == nil {
			f.Close()
		}
		if !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), test.source.Path) {
			t.Errorf("%s: %.40q: got %v, want an input error with the file and %q", filepath.Base(test.source.Path), test.data, err, test.want)
		}
	}
}

func TestNotFiniteFeatures(t *testing.T) {
	f, err := OpenFeatures(Source{Path: write(t, "x.npy", npy("<f4", "(2, 1)", floats(1, float32(math.NaN()))))})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := f.Read(1, make([]float32, 1)); !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), "row 1: number 0 is not finite") {
		t.Errorf("got %v", err)
	}
}

func TestReadRows(t *testing.T) {
	path := write(t, "x.csv", []byte("\ufeffid,label\r\na,\"x, y\"\r\n\r\nb,\r\n"))
	rows, err := ReadRows(path)
	if err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(rows.Columns, rows.Cells) != "[id label] [[a x, y] [b ]]" || rows.Place(1) != path+": line 4" {
		t.Errorf("%q %q, %s", rows.Columns, rows.Cells, rows.Place(1))
	}
}

// A row without an end is refused before it fills the memory.
func TestEndlessRow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.csv")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("id,v\n\"a"); err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(maxRow + 1<<22); err != nil { // the rest is zeros, and takes no disk
		t.Fatal(err)
	}
	if err := readAll(path); !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), "a row of more than 64 MiB") {
		t.Errorf("got %v", err)
	}
}

// Every truncation of a table of another writer is an error, never a panic.
func TestTruncatedTables(t *testing.T) {
	for _, name := range []string{"duckdb-zstd.parquet", "duckdb-v2.parquet", "arrowjs-plain.arrows"} {
		whole, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), name)
		for n := 0; n < len(whole); n += 37 {
			if err := os.WriteFile(path, whole[:n], 0o666); err != nil {
				t.Fatal(err)
			}
			if err := readAll(path); !errors.Is(err, stream.ErrInput) {
				t.Fatalf("%s: %d of %d bytes: got %v", name, n, len(whole), err)
			}
		}
	}
}

// No bytes make a reader panic; errors in them are input errors.
func FuzzTables(f *testing.F) {
	for _, name := range []string{"duckdb-zstd.parquet", "duckdb-v2.parquet", "polars.parquet", "arrowjs-plain.arrows"} {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(filepath.Ext(name), data)
	}
	f.Add(".csv", []byte("id,v\na,\"[1, 2]\"\n"))
	f.Add(".jsonl", []byte("{\"id\":\"a\",\"v\":[1,2]}\n"))
	f.Add(".npz", npz(f, zip.Deflate, entry{"a.npy", npy("<f4", "(2,)", floats(1, 2))}, entry{"b.npy", texts("a")}))
	f.Add(".safetensors", tensors(`{"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}`, []byte{1}))
	f.Fuzz(func(t *testing.T, ext string, data []byte) {
		if !slices.Contains(append([]string{".npz", ".safetensors"}, Formats...), ext) {
			return
		}
		path := write(t, "x"+ext, data)
		var err error
		if slices.Contains(Formats, ext) {
			err = readSome(path, 1<<12) // a Parquet file of a few bytes can hold billions
		} else {
			var features *Features
			if features, err = OpenFeatures(Source{Path: path}); err == nil {
				row := make([]float32, min(features.size, 1<<16))
				for i := range min(features.Rows(), 10) {
					if features.size == len(row) && features.Present(i) {
						if err = features.Read(i, row); err != nil {
							break
						}
					}
				}
				features.Close()
			}
		}
		if err != nil && !errors.Is(err, stream.ErrInput) {
			t.Fatalf("%v is no input error", err)
		}
	})
}

// FuzzSample: the file of one sample is read or refused as bad input.
func FuzzSample(f *testing.F) {
	one := npy("<f4", "(2, 2)", floats(1, 2, 3, 4))
	f.Add(".npy", one, "")
	f.Add(".npz", npz(f, zip.Store, entry{"a.npy", one}, entry{"b.npy", one}), "b")
	f.Add(".npz", npz(f, zip.Deflate, entry{"a.npy", one}), "")
	f.Add(".safetensors", tensors(`{"x":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]}}`, []byte{1, 2}), "x")
	f.Fuzz(func(t *testing.T, ext string, data []byte, values string) {
		sample, err := OpenSample("x"+ext, data, values)
		if err == nil {
			if sample.size <= 1<<16 {
				err = sample.Read(0, make([]float32, sample.size))
			}
			err = errors.Join(err, sample.Close())
		}
		if err != nil && !errors.Is(err, stream.ErrInput) {
			t.Fatalf("%v is no input error", err)
		}
	})
}
