package checkpoint

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/apache/arrow/go/v17/arrow/float16"

	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// Safetensors is a file of named tensors, as PyTorch's users exchange weights: the length of the header in eight bytes,
// little endian, the header in JSON, and the tensors' data one after the other.
//
//	{"conv1.weight": {"dtype": "F32", "shape": [64,3,7,7], "data_offsets": [0,37632]}, "__metadata__": {"format": "pt"}}
//
// Source: the format's description at github.com/huggingface/safetensors. The header is read when the file is opened,
// and held against it: the data of all tensors covers what follows the header, with no gap and no overlap. A tensor's data is
// read when it is asked for.
type Safetensors struct {
	Tensors  []SafeTensor // in the order of their data
	Metadata map[string]string
	name     string
	r        io.ReaderAt
	data     int64 // where the data begins
}

// SafeTensor says what a tensor is and where its data lies.
type SafeTensor struct {
	Name     string
	DType    string // F32, BF16, I64, ...
	Shape    []int  // empty for a scalar
	from, to int64  // of the data
}

// maxSafeHeader bounds the header, as the reference implementation does: 100 MB.
const maxSafeHeader = 100_000_000

// safeWidths is the bytes of an element, by type.
var safeWidths = map[string]int64{
	"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "C64": 8,
	"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}

// OpenSafetensors reads the header of a file of size bytes; name is what errors call it. What is not as the format says
// is a stream.ErrInput.
func OpenSafetensors(r io.ReaderAt, size int64, name string) (*Safetensors, error) {
	var length [8]byte
	if size < int64(len(length)) {
		return nil, stream.Errorf("%s: %d bytes are no safetensors file", name, size)
	}
	if err := readAt(r, length[:], 0); err != nil {
		return nil, fmt.Errorf("%s: reading the length of the header: %w", name, err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxSafeHeader || int64(n) > size-int64(len(length)) {
		return nil, stream.Errorf("%s: a header of %d bytes in a file of %d, want at most %d: not a safetensors file, or cut off", name, n, size, maxSafeHeader)
	}
	header := make([]byte, n)
	if err := readAt(r, header, int64(len(length))); err != nil {
		return nil, fmt.Errorf("%s: reading the header: %w", name, err)
	}
	s := &Safetensors{name: name, r: r, data: int64(len(length)) + int64(n)}
	if err := s.parse(header); err != nil {
		return nil, stream.Errorf("%s: safetensors header: %w", name, err)
	}
	if err := s.check(size - s.data); err != nil {
		return nil, stream.Errorf("%s: safetensors header: %w", name, err)
	}
	return s, nil
}

// check holds the tensors against each other and against the bytes of data, and brings them into the order of their data.
func (s *Safetensors) check(size int64) error {
	for _, t := range s.Tensors {
		width, known := safeWidths[t.DType]
		if !known {
			return fmt.Errorf("tensor %q: type %q is not known", t.Name, t.DType)
		}
		if t.from < 0 || t.to < t.from || t.to > size {
			return fmt.Errorf("tensor %q: bytes %d to %d of %d", t.Name, t.from, t.to, size)
		}
		elements := int64(1)
		for _, d := range t.Shape {
			if d < 0 || d > 0 && elements > math.MaxInt64/8/int64(d) {
				return fmt.Errorf("tensor %q: shape %v is not possible", t.Name, t.Shape)
			}
			elements *= int64(d)
		}
		if t.to-t.from != elements*width {
			return fmt.Errorf("tensor %q: %d bytes for shape %v of %s", t.Name, t.to-t.from, t.Shape, t.DType)
		}
	}
	slices.SortStableFunc(s.Tensors, func(a, b SafeTensor) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) // an empty tensor before the next
	})
	at := int64(0)
	for _, t := range s.Tensors {
		if t.from != at {
			return fmt.Errorf("tensor %q begins at byte %d of the data, want %d: tensors follow one another", t.Name, t.from, at)
		}
		at = t.to
	}
	if at != size {
		return fmt.Errorf("the tensors have %d bytes, the file %d", at, size)
	}
	return nil
}

// Read returns a tensor's elements, row major, as float32. It fails on a type that is none of F64, F32, F16 and BF16, and
// on an element that is not finite or too large for float32.
func (s *Safetensors) Read(t SafeTensor) ([]float32, error) {
	if !slices.Contains([]string{"F64", "F32", "F16", "BF16"}, t.DType) {
		return nil, stream.Errorf("%s: tensor %q: got type %s, want F64, F32, F16 or BF16", s.name, t.Name, t.DType)
	}
	width := safeWidths[t.DType]
	out := make([]float32, (t.to-t.from)/width)
	chunk := make([]byte, min(t.to-t.from, 1<<18)) // of whole elements
	for at, done := t.from, 0; at < t.to; at += int64(len(chunk)) {
		chunk = chunk[:min(int64(len(chunk)), t.to-at)]
		if err := readAt(s.r, chunk, s.data+at); err != nil {
			return nil, fmt.Errorf("%s: reading tensor %q: %w", s.name, t.Name, err)
		}
		part := out[done : done+len(chunk)/int(width)]
		decode(part, chunk, t.DType)
		for i, v := range part {
			if v-v != 0 {
				return nil, stream.Errorf("%s: tensor %q: element %d is not a finite float32", s.name, t.Name, done+i)
			}
		}
		done += len(part)
	}
	return out, nil
}

func decode(out []float32, raw []byte, dtype string) {
	le := binary.LittleEndian
	for i := range out {
		switch dtype {
		case "F64":
			out[i] = float32(math.Float64frombits(le.Uint64(raw[8*i:])))
		case "F32":
			out[i] = math.Float32frombits(le.Uint32(raw[4*i:]))
		case "F16":
			out[i] = schema.Half(float16.FromBits(le.Uint16(raw[2*i:])))
		case "BF16":
			out[i] = math.Float32frombits(uint32(le.Uint16(raw[2*i:])) << 16)
		}
	}
}

// readAt fills p; a file that is shorter than it was is an error.
func readAt(r io.ReaderAt, p []byte, at int64) error {
	n, err := r.ReadAt(p, at)
	if n == len(p) {
		return nil
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
