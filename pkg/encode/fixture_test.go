package encode

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"image"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/float16"
)

// write makes a file of the test in folder and returns its path.
func write(t *testing.T, folder, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		t.Fatal(err)
	}
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

func floats(values ...float32) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
	}
	return b
}

func int64s(values ...int64) []byte {
	var b []byte
	for _, v := range values {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	return b
}

// tone is a mono 16-bit wav of a sine.
func tone(rate, frames int, hertz float64) []byte {
	le := binary.LittleEndian
	b := append([]byte("RIFF\x00\x00\x00\x00WAVEfmt "), 16, 0, 0, 0, 1, 0, 1, 0)
	b = le.AppendUint32(le.AppendUint32(b, uint32(rate)), uint32(2*rate))
	b = le.AppendUint32(append(append(b, 2, 0, 16, 0), "data"...), uint32(2*frames))
	for i := range frames {
		b = le.AppendUint16(b, uint16(int16(8000*math.Sin(2*math.Pi*hertz*float64(i)/float64(rate)))))
	}
	return b
}

// picture is a grey png whose pixels count up from first.
func picture(t *testing.T, height, width, first int) []byte {
	t.Helper()
	m := image.NewGray(image.Rect(0, 0, width, height))
	for i := range m.Pix {
		m.Pix[i] = uint8(first + i)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// all runs src and returns deep copies of its rows.
func all(t *testing.T, src Source, threads int) ([]Row, error) {
	t.Helper()
	var rows []Row
	err := Run(context.Background(), src, RunOptions{Threads: threads}, func(r *Row) error {
		kept := Row{Index: r.Index, ID: r.ID, Label: r.Label}
		for _, x := range r.Tensors {
			switch x := x.(type) {
			case []float32:
				kept.Tensors = append(kept.Tensors, slices.Clone(x))
			case []uint8:
				kept.Tensors = append(kept.Tensors, slices.Clone(x))
			case []float16.Num:
				kept.Tensors = append(kept.Tensors, slices.Clone(x))
			case nil:
				kept.Tensors = append(kept.Tensors, nil)
			default:
				t.Fatalf("tensor of type %T", x)
			}
		}
		rows = append(rows, kept)
		return nil
	})
	return rows, err
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
