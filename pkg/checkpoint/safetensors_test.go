package checkpoint

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

func openSafe(file []byte) (*Safetensors, error) {
	return OpenSafetensors(bytes.NewReader(file), int64(len(file)), "x.safetensors")
}

// safeFile is a file with this header and this many bytes of data.
func safeFile(header string, data int) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), make([]byte, data)...)
}

// What is read equals PyTorch's conversion to float32; scripts/reference/safetensors.py wrote both.
func TestSafetensorsEqualTorch(t *testing.T) {
	file, err := os.ReadFile("testdata/types.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile("testdata/types.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		Shape  []int
		Values []float64
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	s, err := openSafe(file)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Tensors) != len(want)+1 {
		t.Fatalf("%d tensors, want %d and a counter", len(s.Tensors), len(want))
	}
	for _, tensor := range s.Tensors {
		got, err := s.Read(tensor)
		if tensor.DType == "I64" {
			if !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), "num_batches_tracked") {
				t.Errorf("integers: got %v, %v, want an input error that names the tensor", got, err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		w := want[tensor.Name]
		if !slices.Equal(tensor.Shape, w.Shape) || len(got) != len(w.Values) {
			t.Fatalf("%s: got %v of %d elements, want %v of %d", tensor.Name, tensor.Shape, len(got), w.Shape, len(w.Values))
		}
		for i := range got {
			if math.Float32bits(got[i]) != math.Float32bits(float32(w.Values[i])) {
				t.Errorf("%s[%d]: got %v, PyTorch has %v", tensor.Name, i, got[i], w.Values[i])
			}
		}
	}
}

func TestSafetensorsRoundTrip(t *testing.T) {
	large := make([]float32, 1<<17+3) // more than one chunk
	for i := range large {
		large[i] = float32(i) / 7
	}
	want := []schema.Tensor{
		{Name: "b.weight", Shape: []int{len(large)}, Data: large},
		{Name: "scalar", Data: []float32{-3}},
		{Name: `a "quoted" <ü>`, Shape: []int{2, 1, 3}, Data: []float32{1, 2, 3, 4, 5, math.MaxFloat32}},
		{Name: "empty", Shape: []int{0, 4}},
	}
	var out bytes.Buffer
	if err := WriteSafetensors(&out, want); err != nil {
		t.Fatal(err)
	}
	s, err := openSafe(out.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	if s.Metadata["format"] != "pt" || s.Data()%8 != 0 {
		t.Errorf("metadata %v, data from byte %d", s.Metadata, s.Data())
	}
	for _, w := range want {
		i := slices.IndexFunc(s.Tensors, func(t SafeTensor) bool { return t.Name == w.Name })
		if i < 0 {
			t.Fatalf("no %s", w.Name)
		}
		got, err := s.Read(s.Tensors[i])
		if err != nil || !slices.Equal(got, w.Data) || !slices.Equal(s.Tensors[i].Shape, w.Shape) {
			t.Errorf("%s: shape %v, equal %t, %v", w.Name, s.Tensors[i].Shape, slices.Equal(got, w.Data), err)
		}
	}
	for n := range out.Len() {
		if n > 1000 && n < out.Len()-1000 {
			continue // every truncation of the header and of the last tensors
		}
		if _, err := openSafe(out.Bytes()[:n]); !errors.Is(err, stream.ErrInput) {
			t.Fatalf("cut off after %d bytes: got %v, want an input error", n, err)
		}
	}
}

func TestWriteSafetensorsRefuses(t *testing.T) {
	one := schema.Tensor{Name: "a", Shape: []int{1}, Data: []float32{1}}
	for name, tensors := range map[string][]schema.Tensor{
		"same name": {one, one},
		"metadata":  {{Name: "__metadata__", Shape: []int{1}, Data: []float32{1}}},
		"shape":     {{Name: "a", Shape: []int{2}, Data: []float32{1}}},
	} {
		if err := WriteSafetensors(new(bytes.Buffer), tensors); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// Headers that lie: each is refused, in words that say what is wrong, and without the memory that it claims.
func TestSafetensorsRefuses(t *testing.T) {
	const f32 = `{"dtype":"F32","shape":[2],"data_offsets":[%d,%d]}`
	a := fmt.Sprintf(`"a":`+f32, 0, 8)
	for _, c := range []struct {
		name, header string
		data         int
		want         string
	}{
		{"gap before", fmt.Sprintf(`{"a":`+f32+`}`, 8, 16), 16, "want 0"},
		{"gap after", `{` + a + `}`, 12, "have 8 bytes, the file 12"},
		{"gap between", fmt.Sprintf(`{`+a+`,"b":`+f32+`}`, 12, 20), 20, "want 8"},
		{"overlap", fmt.Sprintf(`{`+a+`,"b":`+f32+`}`, 4, 12), 12, "want 8"},
		{"same bytes", fmt.Sprintf(`{`+a+`,"b":`+f32+`}`, 0, 8), 8, "want 8"},
		{"outside", `{` + a + `}`, 4, "bytes 0 to 8 of 4"},
		{"negative", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}`, 0, "want an integer of 0 or more"},
		{"backwards", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}`, 8, "bytes 8 to 0"},
		{"too large a number", `{"a":{"dtype":"F32","shape":[99999999999999999999],"data_offsets":[0,8]}}`, 8, "99999999999999999999"},
		{"overflow", `{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,0]}}`, 0, "not possible"},
		{"negative shape", `{"a":{"dtype":"F32","shape":[-2,-1],"data_offsets":[0,8]}}`, 8, "got -2"},
		{"fraction", `{"a":{"dtype":"F32","shape":[2.0],"data_offsets":[0,8]}}`, 8, "got 2.0"},
		{"shape and bytes", `{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8, "8 bytes for shape [3]"},
		{"type", `{"a":{"dtype":"F31","shape":[2],"data_offsets":[0,8]}}`, 8, `"F31"`},
		{"three offsets", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,8]}}`, 8, "3 data_offsets"},
		{"no shape", `{"a":{"dtype":"F32","data_offsets":[0,8]}}`, 8, "want dtype, shape"},
		{"null shape", `{"a":{"dtype":"F32","shape":null,"data_offsets":[0,8]}}`, 8, "want ["},
		{"more members", `{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"x":1}}`, 8, `"x"`},
		{"other case", `{"a":{"DTYPE":"F32","shape":[2],"data_offsets":[0,8]}}`, 8, `"DTYPE"`},
		{"same name", `{` + a + `,` + a + `}`, 8, `"a" comes twice`},
		{"same member", `{"a":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}}`, 8, "twice"},
		{"metadata not text", `{"__metadata__":{"a":1}}`, 0, "want a text"},
		{"array", `[]`, 0, "want {"},
		{"number", `1`, 0, "want {"},
		{"cut off", `{"a":{"dtype":"F32"`, 0, "ends in the middle"},
		{"empty", ``, 0, "ends in the middle"},
		{"more", `{} {}`, 0, "more after"},
		{"garbage after", `{}x`, 0, "more after"},
		{"not UTF-8", "{\"\xff\":1}", 0, "UTF-8"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := openSafe(safeFile(c.header, c.data))
			if !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "x.safetensors: ") {
				t.Errorf("got %v, want an input error with %q", err, c.want)
			}
		})
	}
	for _, length := range []uint64{1, 100_000_001, math.MaxInt64, math.MaxUint64} {
		file := binary.LittleEndian.AppendUint64(nil, length)
		if _, err := openSafe(file); !errors.Is(err, stream.ErrInput) {
			t.Errorf("a header of %d bytes: got %v, want an input error", length, err)
		}
	}
	for _, bad := range []float32{float32(math.Inf(1)), float32(math.NaN())} {
		var out bytes.Buffer
		if err := WriteSafetensors(&out, []schema.Tensor{{Name: "a", Shape: []int{2}, Data: []float32{1, bad}}}); err != nil {
			t.Fatal(err)
		}
		s, err := openSafe(out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(s.Tensors[0]); !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), "element 1") {
			t.Errorf("%v: got %v, want an input error that names the element", bad, err)
		}
	}
}

// A file either fails to open, or all of it can be read, and what was read is written and read again as the same.
func FuzzSafetensors(f *testing.F) {
	types, err := os.ReadFile("testdata/types.safetensors")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(types)
	f.Add(safeFile(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"x":"y"}}`, 8))
	f.Add(safeFile(`{"b":{"dtype":"F16","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"BF16","shape":[],"data_offsets":[0,2]}}   `, 2))
	f.Fuzz(func(t *testing.T, file []byte) {
		s, err := openSafe(file)
		if err != nil {
			if !errors.Is(err, stream.ErrInput) {
				t.Errorf("got %v, want an input error", err)
			}
			return
		}
		var tensors []schema.Tensor
		for _, tensor := range s.Tensors {
			data, err := s.Read(tensor)
			if err != nil {
				if !errors.Is(err, stream.ErrInput) {
					t.Errorf("got %v, want an input error", err)
				}
				continue
			}
			tensors = append(tensors, schema.Tensor{Name: tensor.Name, Shape: tensor.Shape, Data: data})
		}
		var out bytes.Buffer
		if err := WriteSafetensors(&out, tensors); err != nil {
			t.Fatal(err)
		}
		again, err := openSafe(out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if len(again.Tensors) != len(tensors) {
			t.Fatalf("%d tensors came back of %d", len(again.Tensors), len(tensors))
		}
	})
}
