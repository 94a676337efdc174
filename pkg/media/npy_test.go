package media

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// npyFile lays out an npy file as numpy.save does: header padded with spaces to a multiple of 64, then a newline.
func npyFile(major byte, descr string, fortran bool, shape string, data []byte) []byte {
	order := "False"
	if fortran {
		order = "True"
	}
	return npyRaw(major, fmt.Sprintf("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order, shape), data)
}

func npyRaw(major byte, header string, data []byte) []byte {
	prefix := 10
	if major > 1 {
		prefix = 12
	}
	for (prefix+len(header)+1)%64 != 0 {
		header += " "
	}
	header += "\n"
	file := []byte("\x93NUMPY" + string(major) + "\x00")
	if major == 1 {
		file = binary.LittleEndian.AppendUint16(file, uint16(len(header)))
	} else {
		file = binary.LittleEndian.AppendUint32(file, uint32(len(header)))
	}
	return append(append(file, header...), data...)
}

// encodeElement appends v as one element of the type that descr names.
func encodeElement(t *testing.T, b []byte, descr string, v float64) []byte {
	t.Helper()
	var order binary.AppendByteOrder = binary.LittleEndian
	if descr[0] == '>' {
		order = binary.BigEndian
	}
	switch descr[1:] {
	case "b1", "u1":
		return append(b, uint8(v))
	case "i1":
		return append(b, uint8(int8(v)))
	case "i2":
		return order.AppendUint16(b, uint16(int16(v)))
	case "u2":
		return order.AppendUint16(b, uint16(v))
	case "i4":
		return order.AppendUint32(b, uint32(int32(v)))
	case "u4":
		return order.AppendUint32(b, uint32(v))
	case "i8":
		return order.AppendUint64(b, uint64(int64(v)))
	case "u8":
		return order.AppendUint64(b, uint64(v))
	case "f2": // of the values used here: 0, 1 and 2 as binary16
		return order.AppendUint16(b, map[float64]uint16{0: 0, 1: 0x3c00, 2: 0x4000, -1: 0xbc00, -2: 0xc000}[v])
	case "f4":
		return order.AppendUint32(b, math.Float32bits(float32(v)))
	case "f8":
		return order.AppendUint64(b, math.Float64bits(v))
	}
	t.Fatalf("no encoding for %q", descr)
	return nil
}

func TestArrayTypes(t *testing.T) {
	kinds := []string{"b1", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8"}
	for _, kind := range kinds {
		for _, order := range []string{"<", ">", "|"} {
			if order == "|" && kind[1] != '1' {
				continue
			}
			t.Run(order+kind, func(t *testing.T) {
				values := []float64{0, 1, 1, 1, 0, 0} // what a boolean can hold too
				switch kind[0] {
				case 'u':
					values = []float64{0, 1, 2, 2, 1, 0}
				case 'i', 'f':
					values = []float64{0, 1, 2, -2, -1, 0}
				}
				var data []byte
				for _, v := range values {
					data = encodeElement(t, data, order+kind, v)
				}
				a, err := newArray("x.npy", npyFile(1, order+kind, false, "(2, 3)", data))
				if err != nil {
					t.Fatal(err)
				}
				if a.Rows() != 2 || a.RowSize() != 3 || a.Type() != order+kind {
					t.Fatalf("got %d rows of %d %s", a.Rows(), a.RowSize(), a.Type())
				}
				got := make([]float32, 3)
				for i := range 2 {
					a.Row(i, got)
					for j, v := range got {
						if want := values[3*i+j]; float64(v) != want || a.Float64(i, j) != want {
							t.Errorf("[%d,%d]: got %v and %v, want %v", i, j, v, a.Float64(i, j), want)
						}
					}
				}
				if n, err := a.Int(1); err != nil || float64(n) != values[3] {
					t.Errorf("Int(1) = %v, %v, want %v", n, err, values[3])
				}
				if a.Bool(0) || !a.Bool(1) {
					t.Error("Bool: got the wrong way round")
				}
			})
		}
	}
}

func TestArrayFortranOrder(t *testing.T) {
	shape := [3]int{3, 2, 4}
	data := make([]byte, 4*3*2*4)
	for i := range shape[0] {
		for j := range shape[1] {
			for k := range shape[2] {
				at := i + shape[0]*(j+shape[1]*k) // the definition: the first index varies fastest
				binary.LittleEndian.PutUint32(data[4*at:], math.Float32bits(float32(100*i+10*j+k)))
			}
		}
	}
	a, err := newArray("f.npy", npyFile(2, "<f4", true, "(3, 2, 4)", data))
	if err != nil {
		t.Fatal(err)
	}
	if a.Float32s() != nil {
		t.Error("Float32s: want nil for Fortran order")
	}
	row := make([]float32, 8)
	for i := range 3 {
		a.Row(i, row)
		for n, v := range row {
			if want := float32(100*i + 10*(n/4) + n%4); v != want || a.Float64(i, n) != float64(want) {
				t.Errorf("row %d, element %d: got %v, want %v", i, n, v, want)
			}
		}
	}
}

func TestHalf(t *testing.T) { // values from IEEE 754-2008, 3.6, and its table of extremes
	inf := float32(math.Inf(1))
	for bits, want := range map[uint16]float32{
		0x0000: 0, 0x3c00: 1, 0xc000: -2, 0x3555: 0.333251953125, 0x7bff: 65504, 0x0400: 1.0 / (1 << 14),
		0x0001: 1.0 / (1 << 24), 0x03ff: 1023.0 / (1 << 24), 0x8001: -1.0 / (1 << 24), 0x7c00: inf, 0xfc00: -inf,
	} {
		if got := halfToFloat(bits); got != want {
			t.Errorf("%#04x: got %v, want %v", bits, got, want)
		}
	}
	if got := halfToFloat(0x7e00); got == got {
		t.Errorf("0x7e00: got %v, want NaN", got)
	}
	if got := halfToFloat(0x8000); got != 0 || !math.Signbit(float64(got)) {
		t.Errorf("0x8000: got %v, want -0", got)
	}
}

func TestArrayMapped(t *testing.T) {
	var data []byte
	for i := range 6 {
		data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(i)))
	}
	path := filepath.Join(t.TempDir(), "a.npy")
	if err := os.WriteFile(path, npyFile(3, "<f4", false, "(2, 3)", data), 0o666); err != nil {
		t.Fatal(err)
	}
	a, err := OpenArray(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := a.Float32s(), []float32{0, 1, 2, 3, 4, 5}; !slices.Equal(got, want) {
		t.Errorf("Float32s: got %v, want %v", got, want)
	}
	if got := a.Shape(); !slices.Equal(got, []int{2, 3}) {
		t.Errorf("Shape: got %v", got)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	empty := filepath.Join(t.TempDir(), "empty.npy")
	if err := os.WriteFile(empty, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{empty, t.TempDir(), empty + "x"} {
		if _, err := OpenArray(p); err == nil || !strings.Contains(err.Error(), p) {
			t.Errorf("%s: got %v, want an error that names the file", p, err)
		}
	}
}

func TestArrayInt(t *testing.T) {
	for _, c := range []struct {
		name, descr string
		bits        uint64
		want        int64
		fails       bool
	}{
		{"the lowest", "<i8", 1 << 63, math.MinInt64, false},
		{"beyond int64", "<u8", 1 << 63, 0, true},
		{"beyond 2^53, not rounded", "<i8", 1<<53 + 1, 1<<53 + 1, false},
		{"whole float", "<f8", math.Float64bits(-7), -7, false},
		{"half", "<f8", math.Float64bits(0.5), 0, true},
		{"not a number", "<f8", math.Float64bits(math.NaN()), 0, true},
		{"infinite", "<f8", math.Float64bits(math.Inf(-1)), 0, true},
		{"2^63", "<f8", math.Float64bits(1 << 63), 0, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			a, err := newArray("x.npy", npyFile(1, c.descr, false, "(1,)", binary.LittleEndian.AppendUint64(nil, c.bits)))
			if err != nil {
				t.Fatal(err)
			}
			if got, err := a.Int(0); got != c.want || (err != nil) != c.fails {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}

func TestArrayRefuses(t *testing.T) {
	good := "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), }"
	one := make([]byte, 4)
	for _, c := range []struct {
		name string
		file []byte
		want string
	}{
		{"nothing", nil, "not an npy file"},
		{"another format", []byte("PK\x03\x04 this is a zip file"), "not an npy file"},
		{"version 4", append([]byte("\x93NUMPY\x04\x00"), make([]byte, 100)...), "version 4.0"},
		{"header beyond the file", []byte("\x93NUMPY\x01\x00\xff\xff{}"), "the file has 2 more"},
		{"header of 4 GiB", []byte("\x93NUMPY\x02\x00\xff\xff\xff\xff{}"), "at most"},
		{"length cut", []byte("\x93NUMPY\x02\x00\xff\xff"), "cut short"},
		{"not a dictionary", npyRaw(1, "[1, 2]", one), `want '{'`},
		{"unclosed", npyRaw(1, good[:len(good)-1], one), "quoted string"},
		{"text after", npyRaw(1, good+"; import os", one), "text after"},
		{"key twice", npyRaw(1, strings.Replace(good, "{", "{'descr': '<f4', ", 1), one), "twice"},
		{"unknown key", npyRaw(1, strings.Replace(good, "{", "{'x': 1, ", 1), one), "unknown key"},
		{"missing key", npyRaw(1, "{'descr': '<f4', 'shape': (1,)}", one), `no key "fortran_order"`},
		{"structured", npyRaw(1, "{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", one), "structured"},
		{"objects", npyFile(1, "|O", false, "(1,)", one), `npy type "|O"`},
		{"complex", npyFile(1, "<c8", false, "(1,)", make([]byte, 8)), `npy type "<c8"`},
		{"strings", npyFile(1, "<U3", false, "(1,)", make([]byte, 12)), "npy type"},
		{"float128", npyFile(1, "<f16", false, "(1,)", make([]byte, 16)), "npy type"},
		{"no byte order", npyFile(1, "|f4", false, "(1,)", one), "npy type"},
		{"negative", npyFile(1, "<f4", false, "(-1,)", one), "zero or more"},
		{"number, not a tuple", npyFile(1, "<f4", false, "(1)", one), "not a tuple"},
		{"dimension overflow", npyFile(1, "<f4", false, "(99999999999999999999,)", one), "zero or more"},
		{"product overflow", npyFile(1, "<f4", false, "(4294967296, 4294967296, 4)", one), "too many"},
		{"bytes overflow", npyFile(1, "<f8", false, "(2305843009213693951,)", one), "needs 2305843009213693951"},
		{"shorter than its shape", npyFile(1, "<f4", false, "(2,)", one), "needs 2 elements"},
		{"longer than its shape", npyFile(1, "<f4", false, "(1,)", append(one, 0)), "1 bytes after"},
		{"a scalar", npyFile(1, "<f4", false, "()", one), "want an array with rows"},
		{"many dimensions", npyFile(1, "<f4", false, "("+strings.Repeat("1,", 65)+")", one), "64 dimensions"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := newArray("x.npy", c.file)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	for name, shape := range map[string]string{"no rows": "(0, 5)", "empty rows": "(5, 0)", "Python 2": "(0L, 3L)", "spaces": "( 0 , 2 ,)"} {
		if _, err := newArray("x.npy", npyFile(1, "<f4", true, shape, nil)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzArray(f *testing.F) {
	f.Add(npyFile(1, "<f4", false, "(2, 3)", make([]byte, 24)))
	f.Add(npyFile(2, ">i2", true, "(2, 3, 1)", make([]byte, 12)))
	f.Add(npyFile(3, "|b1", false, "(4,)", make([]byte, 4)))
	f.Add(npyFile(1, "<f8", false, "(0, 9223372036854775807)", nil))
	f.Fuzz(func(t *testing.T, file []byte) {
		a, err := newArray("x.npy", file)
		if err != nil {
			return
		}
		if a.Rows() < 0 || a.RowSize() < 0 {
			t.Fatalf("shape %v", a.Shape())
		}
		if a.Rows() == 0 || a.RowSize() == 0 {
			return
		}
		if bytes := a.Rows() * a.RowSize(); bytes > len(file) {
			t.Fatalf("shape %v from %d bytes", a.Shape(), len(file))
		}
		row := make([]float32, a.RowSize())
		for _, i := range []int{0, a.Rows() - 1} {
			a.Row(i, row)
			for j, v := range row {
				if w := float32(a.Float64(i, j)); v != w && v == v && a.element.size < 8 {
					t.Fatalf("[%d,%d]: Row gives %v, Float64 %v", i, j, v, w)
				}
			}
			a.Bool(i)
			_, _ = a.Int(i)
		}
	})
}
