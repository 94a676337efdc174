package table

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"mmtools/pkg/stream"
)

// Source says where in a file the features of samples are.
type Source struct {
	Path string // of the file, or of a folder with a file for each sample
	// Values names them: a column of a table, several with commas between them or all that begin so with a * at the end, each a
	// part of the row; an array of an npz file or a tensor of a safetensors file, a row a sample. "" is the only column
	// other than the ids; of npz and safetensors every array is then one sample, named by its id.
	Values string
	// IDs names the samples: a column of a table, "" for "id"; an array of texts of an npz file, "" for none. Rows without ids are
	// samples by their place.
	IDs string
}

// Features are rows of numbers, all of one shape. Several goroutines may read them.
type Features struct {
	source Source
	shape  []int
	size   int // the product of shape
	ids    []string
	places map[string]int // of the ids
	rows   int
	absent []bool // of each row; nil where none is
	read   func(row int, dst []float32) error
	// raw fills dst with a row as it is stored, little endian, where its elements are not to be converted; else nil.
	raw     func(row int, dst []byte) error
	element Element // of raw
	maps    []mapped
	root    *os.Root // of a folder
	data    []byte   // what the digest of the samples is over
}

// OpenFeatures opens features in a table, an npy, npz or safetensors file, by its extension, or in a folder of such files. A row of another length than the first,
// and an id that is empty or comes twice, are errors.
func OpenFeatures(s Source) (*Features, error) {
	f := &Features{source: s}
	if err := f.open(); err != nil {
		f.Close()
		return nil, err
	}
	f.places = nil
	return f, nil
}

func (f *Features) open() error {
	if info, err := os.Stat(f.source.Path); err == nil && info.IsDir() {
		return f.openFolder()
	}
	switch ext := strings.ToLower(filepath.Ext(f.source.Path)); ext {
	case ".npy":
		return f.openNPY()
	case ".npz":
		return f.openNPZ()
	case ".safetensors":
		return f.openSafetensors()
	default:
		if !slices.Contains(Formats, ext) {
			return stream.Errorf("%s: the name of a file of features ends in one of .npy, .npz, .safetensors, %s", f.source.Path, strings.Join(Formats, ", "))
		}
		return f.openTable()
	}
}

// Rows returns the number of rows.
func (f *Features) Rows() int { return f.rows }

// Shape returns the shape of a row, at least one dimension.
func (f *Features) Shape() []int { return slices.Clone(f.shape) }

// IDs returns the id of each row, nil where the file has none.
func (f *Features) IDs() []string { return f.ids }

// Present reports whether a row is there, and not null.
func (f *Features) Present(row int) bool { return f.absent == nil || !f.absent[row] }

// Read fills dst, as long as a row, with the numbers of a row, row major, rounded to float32. A row that is not present has none.
func (f *Features) Read(row int, dst []float32) error {
	if err := f.read(row, dst); err != nil {
		return fmt.Errorf("%s: row %d: %w", f.source.Path, row, err)
	}
	for i, v := range dst {
		if v-v != 0 {
			return stream.Errorf("%s: row %d: number %d is not finite", f.source.Path, row, i)
		}
	}
	return nil
}

// Bytes returns what the features were read from, to be hashed: it is not to be changed, nor used after Close.
func (f *Features) Bytes() []byte { return f.data }

// Close frees mappings and temporary files.
func (f *Features) Close() error {
	var first error
	for _, m := range f.maps {
		if err := m.close(); err != nil && first == nil {
			first = err
		}
	}
	if f.root != nil {
		first = errors.Join(first, f.root.Close())
	}
	f.maps, f.root, f.data, f.read, f.raw = nil, nil, nil, nil, nil
	return first
}

// identify takes the ids of the next rows.
func (f *Features) identify(ids ...string) error {
	if f.places == nil {
		f.places = make(map[string]int, len(ids))
	}
	for _, id := range ids {
		row := len(f.ids)
		first, twice := f.places[id]
		switch {
		case id == "":
			return stream.Errorf("%s: row %d: empty id", f.source.Path, row)
		case twice:
			return stream.Errorf("%s: row %d: id %q is also that of row %d", f.source.Path, row, id, first)
		}
		f.places[id] = row
		f.ids = append(f.ids, id)
	}
	return nil
}

func (f *Features) setShape(shape []int) error {
	f.size = 1
	for _, d := range shape {
		if d < 1 || d > maxCell/f.size {
			return stream.Errorf("%s: a row of shape %v, want 1 to %d numbers", f.source.Path, shape, maxCell)
		}
		f.size *= d
	}
	if f.shape = slices.Clone(shape); len(shape) == 0 {
		f.shape = []int{1}
	}
	return nil
}

// fromElements takes rows that lie in data, little endian.
func (f *Features) fromElements(data []byte, e Element) {
	f.data = data
	row := func(row int) []byte { return data[row*f.size*e.Size() : (row+1)*f.size*e.Size()] }
	f.read = func(at int, dst []float32) error {
		raw := row(at)
		for i := range dst {
			switch e {
			case Float16:
				dst[i] = stream.Half(binary.LittleEndian.Uint16(raw[2*i:]))
			case Uint8:
				dst[i] = float32(raw[i])
			default:
				dst[i] = math.Float32frombits(binary.LittleEndian.Uint32(raw[4*i:]))
			}
		}
		return nil
	}
	f.setRaw(e, func(at int, dst []byte) error { copy(dst, row(at)); return nil })
}
