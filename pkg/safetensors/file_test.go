package safetensors

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
)

// file is a safetensors file with this header and data.
func file(header string, data []byte) []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(b, header...), data...)
}

func open(b []byte) (*File, error) { return Open(bytes.NewReader(b), int64(len(b)), "x.safetensors") }

// The three numbers 0, 1 and the last of each type's range, or what float32 makes of it.
func TestReadEveryType(t *testing.T) {
	le := binary.LittleEndian
	for _, test := range []struct {
		dtype string
		data  []byte
		want  []float32
	}{
		{"F64", le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, 0), math.Float64bits(1)), math.Float64bits(1e300)), []float32{0, 1, float32(math.Inf(1))}},
		{"F32", le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, 0), math.Float32bits(1)), math.Float32bits(-2.5)), []float32{0, 1, -2.5}},
		{"F16", []byte{0, 0, 0, 0x3c, 1, 0x80}, []float32{0, 1, -1.0 / (1 << 24)}}, // the smallest subnormal
		{"BF16", []byte{0, 0, 0x80, 0x3f, 0x20, 0xc0}, []float32{0, 1, -2.5}},
		{"I64", le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, 0), 1), math.MaxUint64), []float32{0, 1, -1}},
		{"I32", le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, 0), 1), math.MaxUint32), []float32{0, 1, -1}},
		{"I16", []byte{0, 0, 1, 0, 0, 0x80}, []float32{0, 1, -32768}},
		{"I8", []byte{0, 1, 0x80}, []float32{0, 1, -128}},
		{"U64", le.AppendUint64(le.AppendUint64(le.AppendUint64(nil, 0), 1), math.MaxUint64), []float32{0, 1, 1 << 64}},
		{"U32", le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, 0), 1), math.MaxUint32), []float32{0, 1, 1 << 32}},
		{"U16", []byte{0, 0, 1, 0, 0xff, 0xff}, []float32{0, 1, 65535}},
		{"U8", []byte{0, 1, 255}, []float32{0, 1, 255}},
		{"BOOL", []byte{0, 1, 1}, []float32{0, 1, 1}},
	} {
		f, err := open(file(fmt.Sprintf(`{"x":{"dtype":%q,"shape":[3],"data_offsets":[0,%d]}}`, test.dtype, len(test.data)), test.data))
		if err != nil {
			t.Errorf("%s: %v", test.dtype, err)
			continue
		}
		got := make([]float32, 3)
		if err := f.Read(f.Tensors[0], 0, got); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %v, %v, want %v", test.dtype, got, err, test.want)
		}
		if err := f.Read(f.Tensors[0], 2, got[:1]); err != nil || got[0] != test.want[2] {
			t.Errorf("%s: the last alone is %v, %v, want %v", test.dtype, got[0], err, test.want[2])
		}
	}
}

func TestReadRefusesTypesWithoutNumbers(t *testing.T) {
	for dtype, width := range map[string]int{"C64": 8, "F8_E4M3": 1, "F8_E5M2": 1} {
		f, err := open(file(fmt.Sprintf(`{"x":{"dtype":%q,"shape":[1],"data_offsets":[0,%d]}}`, dtype, width), make([]byte, width)))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Read(f.Tensors[0], 0, make([]float32, 1)); !errors.Is(err, ErrFormat) {
			t.Errorf("%s: got %v, want ErrFormat", dtype, err)
		}
	}
}

// FuzzFile: a file that opens holds all that its header says, and every tensor of it can be read or is ErrFormat.
func FuzzFile(f *testing.F) {
	f.Add(file(`{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"x":"y"}}`, make([]byte, 8)))
	f.Add(file(`{"b":{"dtype":"F16","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"C64","shape":[],"data_offsets":[0,8]}}   `, make([]byte, 8)))
	f.Add(file(`{"a":{"dtype":"U8","shape":[4611686018427387904,4],"data_offsets":[0,0]}}`, nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := open(b)
		if err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatalf("%v is not ErrFormat", err)
			}
			return
		}
		for _, tensor := range s.Tensors {
			if tensor.Len() > len(b) {
				t.Fatalf("%+v in %d bytes", tensor, len(b))
			}
			if err := s.Read(tensor, 0, make([]float32, tensor.Len())); err != nil && !errors.Is(err, ErrFormat) {
				t.Fatalf("%v is not ErrFormat", err)
			}
		}
	})
}
