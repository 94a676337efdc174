package schema

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// A model without its optimizer's rows is the same otherwise, and a byte changed in what is left out is found all the same,
// from a pipe and from a mapped file.
func TestBorrowModel(t *testing.T) {
	m := Model{
		Header: Header{Tool: "test", Modalities: []modality.Modality{{Name: "audio"}}, Classes: []string{"x", "y"}},
		Spec:   []byte(`{}`), State: []byte(`{}`),
		Tensors: []Tensor{
			{Name: "w", Role: RoleParameter, Shape: []int{2, 2}, Data: []float32{1, 2, 3, 4}},
			{Name: "exp_avg.w", Role: RoleOptimizer, Shape: []int{2, 2}, Data: []float32{55, 66, 77, 88}},
			{Name: "mean", Role: RoleBuffer, Shape: []int{1}, Data: []float32{9}},
		},
	}
	var out bytes.Buffer
	if err := WriteModel(&out, m); err != nil {
		t.Fatal(err)
	}
	whole := out.Bytes()
	at := bytes.Index(whole, []byte{0, 0, 0x9a, 0x42}) // 77
	if at < 0 {
		t.Fatal("the optimizer's data is not in the stream")
	}
	changed := append([]byte{}, whole...)
	changed[at+1] ^= 1
	for _, piped := range []bool{true, false} {
		read := func(data []byte) (Model, error) {
			r, err := stream.NewReader(bytes.NewReader(data))
			if !piped {
				path := filepath.Join(t.TempDir(), "model")
				if err := os.WriteFile(path, data, 0o666); err != nil {
					t.Fatal(err)
				}
				r, err = stream.OpenFile(path)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			m, verify, err := BorrowModel(r, RoleOptimizer)
			if err != nil {
				return m, err
			}
			for i := range m.Tensors { // what is borrowed ends with the reader
				m.Tensors[i].Data = slices.Clone(m.Tensors[i].Data)
			}
			return m, verify()
		}
		got, err := read(whole)
		if err != nil {
			t.Fatal(err)
		}
		if len(got.Tensors) != 2 || got.Tensors[0].Name != "w" || got.Tensors[1].Name != "mean" || got.Tensors[0].Data[3] != 4 {
			t.Errorf("piped %t: got %+v", piped, got.Tensors)
		}
		if _, err := read(changed); !errors.Is(err, stream.ErrInput) {
			t.Errorf("piped %t: a byte changed in the optimizer's rows gives %v, want an input error", piped, err)
		}
	}
}
