package media

import (
	"fmt"
	"math"
	"os"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Array is a NumPy array in a memory-mapped npy file, read row by row along its first dimension. It may be read by
// several goroutines. The file must keep its length while it is open: reading a mapped page that was cut off ends the
// process.
type Array struct {
	name     string
	file     []byte // the whole mapping
	borrowed bool   // file is not ours to unmap
	data     []byte // the elements
	element  element
	descr    string
	fortran  bool
	shape    []int
	rowSize  int
	offsets  []int // Fortran order: bytes from a row's first element to each of its others, in C order of the row
}

// OpenArray maps the npy file at path (versions 1.0 to 3.0; bool, int8 to int64, uint8 to uint64, float16 to float64;
// both byte orders; C and Fortran order). The array has at least one dimension, and the file holds it and nothing more.
func OpenArray(path string) (*Array, error) {
	file, err := mapFile(path)
	if err != nil {
		return nil, err // an *os.PathError, which names the file
	}
	a, err := newArray(path, file)
	if err != nil {
		unmap(file)
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return a, nil
}

// NewArray reads an npy file that lies in memory, as OpenArray does; the memory stays the caller's, and must not change. name is
// what errors call it.
func NewArray(name string, file []byte) (*Array, error) {
	a, err := newArray(name, file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	a.borrowed = true
	return a, nil
}

// newArray reads the header at the start of file, which holds the whole npy file.
func newArray(name string, file []byte) (*Array, error) {
	h, err := parseNPYHeader(file)
	if err != nil {
		return nil, err
	}
	e, err := parseElement(h.descr)
	if err != nil {
		return nil, err
	}
	if len(h.shape) == 0 {
		return nil, fmt.Errorf("npy shape (): want an array with rows")
	}
	data := file[h.offset:]
	switch {
	case h.count > len(data)/e.size:
		return nil, fmt.Errorf("npy shape %v of %s needs %d elements: the file has %d bytes after its header", h.shape, h.descr, h.count, len(data))
	case h.count*e.size < len(data):
		return nil, fmt.Errorf("npy shape %v of %s: %d bytes after the end of the array", h.shape, h.descr, len(data)-h.count*e.size)
	}
	a := &Array{name: name, file: file, data: data, element: e, descr: h.descr, shape: h.shape, rowSize: 1}
	for _, d := range h.shape[1:] {
		a.rowSize *= d // h.count did not overflow; a zero elsewhere leaves nothing to read
	}
	if h.count > 0 && h.fortran && len(h.shape) > 1 {
		a.fortran = true
		a.offsets = fortranOffsets(h.shape, e.size)
	}
	return a, nil
}

// fortranOffsets returns the byte offset, in a Fortran-order array of the given shape, of each element of row 0, listed
// in C order of the row.
func fortranOffsets(shape []int, size int) []int {
	steps := make([]int, len(shape)) // bytes between neighbours along each dimension
	step := size
	for k, d := range shape {
		steps[k] = step
		step *= d
	}
	offsets := []int{0}
	for k := 1; k < len(shape); k++ { // each dimension varies faster than the one before
		next := make([]int, 0, len(offsets)*shape[k])
		for _, base := range offsets {
			for c := range shape[k] {
				next = append(next, base+c*steps[k])
			}
		}
		offsets = next
	}
	return offsets
}

// Name returns the path that the array was opened with.
func (a *Array) Name() string { return a.name }

// Shape returns the dimensions, rows first.
func (a *Array) Shape() []int { return slices.Clone(a.shape) }

// Rows returns the first dimension.
func (a *Array) Rows() int { return a.shape[0] }

// RowSize returns the number of elements of a row, the product of the other dimensions.
func (a *Array) RowSize() int { return a.rowSize }

// Type returns NumPy's name of the element type, such as "<f4".
func (a *Array) Type() string { return a.descr }

// Bytes returns the whole file as it is mapped; it is not to be written to, nor used after Close.
func (a *Array) Bytes() []byte { return a.file }

// Row writes row i, in C order, to dst, which has RowSize elements, as float32: rounded to nearest where the type is
// wider, infinite where a float64 is out of range.
func (a *Array) Row(i int, dst []float32) {
	dst = dst[:a.rowSize]
	if len(dst) == 0 {
		return
	}
	size := a.element.size
	if !a.fortran {
		a.element.convert(dst, a.data[i*a.rowSize*size:(i+1)*a.rowSize*size], size)
		return
	}
	row := a.data[i*size:]
	for j, offset := range a.offsets {
		a.element.convert(dst[j:j+1], row[offset:], size)
	}
}

// RowBytes writes the elements of row i, in C order and as they are stored but with the low byte first, to dst, which they fill.
func (a *Array) RowBytes(i int, dst []byte) {
	size := a.element.size
	if !a.fortran && !(a.element.big && size > 1) {
		copy(dst, a.data[i*a.rowSize*size:(i+1)*a.rowSize*size])
		return
	}
	for j := range a.rowSize {
		bits := a.Bits(i, j)
		for k := range size {
			dst[j*size+k] = byte(bits >> (8 * k))
		}
	}
}

// Float32s returns all rows, (Rows, RowSize), without a copy, or nil where the file does not hold them as aligned
// little-endian float32 in C order.
func (a *Array) Float32s() []float32 {
	if !littleEndian || a.descr != "<f4" || a.fortran || len(a.data) == 0 {
		return nil
	}
	start := unsafe.Pointer(unsafe.SliceData(a.data))
	if uintptr(start)%4 != 0 {
		return nil
	}
	return unsafe.Slice((*float32)(start), len(a.data)/4)
}

// Uint8s returns all rows, (Rows, RowSize), without a copy, or nil where the elements are not uint8 in C order.
func (a *Array) Uint8s() []uint8 {
	if a.element != (element{kind: 'u', size: 1, big: a.element.big}) || a.fortran {
		return nil
	}
	return a.data
}

// Float64 returns element j of row i, in C order of the row, as it is; a 64-bit integer beyond 2^53 is rounded.
func (a *Array) Float64(i, j int) float64 { return a.element.float64(a.at(i, j)) }

// Bits returns element j of row i, in C order of the row, as the unsigned number of its width.
func (a *Array) Bits(i, j int) uint64 { return a.element.bits(a.at(i, j)) }

// Int returns the only element of row i, which must be a whole number that an int64 holds; the row has one element.
func (a *Array) Int(i int) (int64, error) {
	b := a.at(i, 0)
	switch v := a.element.bits(b); a.element.kind {
	case 'i':
		return a.element.signed(v), nil
	case 'u', 'b':
		if v > math.MaxInt64 {
			return 0, fmt.Errorf("%d is out of range", v)
		}
		return int64(v), nil
	}
	f := a.element.float64(b)
	if f != math.Trunc(f) || math.Abs(f) >= 1<<63 { // NaN is unequal to itself; infinities fail the second
		return 0, fmt.Errorf("%v is not a whole number", f)
	}
	return int64(f), nil
}

// Bool reports whether the only element of row i is not zero.
func (a *Array) Bool(i int) bool { return a.element.float64(a.at(i, 0)) != 0 }

// at returns the bytes from element j of row i on.
func (a *Array) at(i, j int) []byte {
	if a.fortran {
		return a.data[i*a.element.size+a.offsets[j]:]
	}
	return a.data[(i*a.rowSize+j)*a.element.size:]
}

// Close unmaps the file; slices that the array gave out are invalid from then on.
func (a *Array) Close() error {
	file := a.file
	a.file, a.data = nil, nil
	if a.borrowed {
		return nil
	}
	return unmap(file)
}

// littleEndian says whether this machine stores the low byte first.
var littleEndian = func() bool {
	one := uint16(1)
	return *(*byte)(unsafe.Pointer(&one)) == 1
}()

// mapFile maps the regular file at path for reading; an empty file gives an empty slice.
func mapFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() // the mapping stays
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, &os.PathError{Op: "map", Path: path, Err: fmt.Errorf("not a regular file")}
	}
	if info.Size() == 0 {
		return nil, nil
	}
	if int64(int(info.Size())) != info.Size() {
		return nil, &os.PathError{Op: "map", Path: path, Err: fmt.Errorf("too large")}
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, &os.PathError{Op: "map", Path: path, Err: err}
	}
	return data, nil
}

func unmap(data []byte) error {
	if len(data) == 0 {
		return nil
	}
	return unix.Munmap(data)
}
