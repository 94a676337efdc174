package checkpoint

import (
	"errors"
	"io"

	"mmtools/pkg/safetensors"
	"mmtools/pkg/stream"
)

// SafeTensor says what a tensor of a safetensors file is.
type SafeTensor = safetensors.Tensor

// Safetensors is a file of named tensors, as PyTorch's users exchange weights.
type Safetensors struct {
	*safetensors.File
	name string
}

// OpenSafetensors reads the header of a file of size bytes; name is what errors call it. What is not as the format says
// is a stream.ErrInput.
func OpenSafetensors(r io.ReaderAt, size int64, name string) (*Safetensors, error) {
	f, err := safetensors.Open(r, size, name)
	if err != nil {
		return nil, asInput(err)
	}
	return &Safetensors{f, name}, nil
}

// Read returns a tensor's elements, row major, as float32. It fails on a type that is none of F64, F32, F16 and BF16, and
// on an element that is not finite or too large for float32.
func (s *Safetensors) Read(t SafeTensor) ([]float32, error) {
	if !t.Floating() {
		return nil, stream.Errorf("%s: tensor %q: got type %s, want F64, F32, F16 or BF16", s.name, t.Name, t.DType)
	}
	out := make([]float32, t.Len())
	if err := s.File.Read(t, 0, out); err != nil {
		return nil, asInput(err)
	}
	for i, v := range out {
		if v-v != 0 {
			return nil, stream.Errorf("%s: tensor %q: element %d is not a finite float32", s.name, t.Name, i)
		}
	}
	return out, nil
}

// asInput makes an error of the format a stream.ErrInput.
func asInput(err error) error {
	if errors.Is(err, safetensors.ErrFormat) {
		return stream.Errorf("%w", err)
	}
	return err
}
