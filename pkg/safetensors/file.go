package safetensors

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
)

// ErrFormat is what errors.Is finds in every error that the bytes of a file caused, and not the reading of them.
var ErrFormat = errors.New("bad safetensors file")

// formatError marks an error as ErrFormat without a word in its message.
type formatError struct{ error }

func (e formatError) Unwrap() error        { return e.error }
func (e formatError) Is(target error) bool { return target == ErrFormat }

func badFormat(format string, args ...any) error { return formatError{fmt.Errorf(format, args...)} }

// File is an open file. Several goroutines may read it where its io.ReaderAt may be read by several.
type File struct {
	Tensors  []Tensor // in the order of their data
	Metadata map[string]string
	name     string
	r        io.ReaderAt
	data     int64
}

// Tensor says what a tensor is and where its data lies.
type Tensor struct {
	Name     string
	DType    string // F32, BF16, I64, ...
	Shape    []int  // empty for a scalar
	from, to int64  // of the data
}

// Len returns the number of elements.
func (t Tensor) Len() int { return int((t.to - t.from) / widths[t.DType]) }

// maxHeader bounds the header, as the reference implementation does: 100 MB.
const maxHeader = 100_000_000

// Open reads the header of a file of size bytes; name is what errors call it. What is not as the format says is an ErrFormat.
func Open(r io.ReaderAt, size int64, name string) (*File, error) {
	var length [8]byte
	if size < int64(len(length)) {
		return nil, badFormat("%s: %d bytes are no safetensors file", name, size)
	}
	if err := readAt(r, length[:], 0); err != nil {
		return nil, fmt.Errorf("%s: reading the length of the header: %w", name, err)
	}
	n := binary.LittleEndian.Uint64(length[:])
	if n > maxHeader || int64(n) > size-int64(len(length)) {
		return nil, badFormat("%s: a header of %d bytes in a file of %d, want at most %d: not a safetensors file, or cut off", name, n, size, maxHeader)
	}
	header := make([]byte, n)
	if err := readAt(r, header, int64(len(length))); err != nil {
		return nil, fmt.Errorf("%s: reading the header: %w", name, err)
	}
	f := &File{name: name, r: r, data: int64(len(length)) + int64(n)}
	if err := f.parse(header); err != nil {
		return nil, badFormat("%s: safetensors header: %w", name, err)
	}
	if err := f.check(size - f.data); err != nil {
		return nil, badFormat("%s: safetensors header: %w", name, err)
	}
	return f, nil
}

// Data returns where in the file the data begins, in bytes.
func (f *File) Data() int64 { return f.data }

// check holds the tensors against each other and against the bytes of data, and brings them into the order of their data.
func (f *File) check(size int64) error {
	for _, t := range f.Tensors {
		width, known := widths[t.DType]
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
	slices.SortStableFunc(f.Tensors, func(a, b Tensor) int {
		return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) // an empty tensor before the next
	})
	at := int64(0)
	for _, t := range f.Tensors {
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

// Read fills dst with the elements of a tensor from number first on, in row-major order, as float32: rounded to nearest where the
// type is wider, infinite where it is out of range. Complex numbers and 8-bit floats are an ErrFormat; to ask for
// elements that the tensor does not have is the caller's mistake, and panics.
func (f *File) Read(t Tensor, first int, dst []float32) error {
	if first < 0 || len(dst) > t.Len()-first {
		panic(fmt.Sprintf("safetensors: elements %d to %d of %d", first, first+len(dst), t.Len()))
	}
	convert := converters[t.DType]
	if convert == nil {
		return badFormat("%s: tensor %q: type %s cannot be read as numbers", f.name, t.Name, t.DType)
	}
	width := int(widths[t.DType])
	chunk := make([]byte, min(len(dst)*width, 1<<18)) // of whole elements
	for at := f.data + t.from + int64(first*width); len(dst) > 0; at += int64(len(chunk)) {
		chunk = chunk[:min(len(chunk), len(dst)*width)]
		if err := readAt(f.r, chunk, at); err != nil {
			return fmt.Errorf("%s: reading tensor %q: %w", f.name, t.Name, err)
		}
		n := len(chunk) / width
		convert(dst[:n], chunk)
		dst = dst[n:]
	}
	return nil
}

// ReadBytes fills dst with the bytes of a tensor's elements from number first on, little endian as they are stored.
func (f *File) ReadBytes(t Tensor, first int, dst []byte) error {
	from := t.from + int64(first)*widths[t.DType]
	if first < 0 || from+int64(len(dst)) > t.to {
		panic(fmt.Sprintf("safetensors: %d bytes from element %d of %d", len(dst), first, t.Len()))
	}
	if err := readAt(f.r, dst, f.data+from); err != nil {
		return fmt.Errorf("%s: reading tensor %q: %w", f.name, t.Name, err)
	}
	return nil
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
