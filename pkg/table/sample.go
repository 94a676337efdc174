package table

import (
	"bytes"
	"path/filepath"
	"slices"
	"strings"

	"mmtools/pkg/media"
	"mmtools/pkg/safetensors"
	"mmtools/pkg/stream"
)

// SampleFormats are the extensions of the files that OpenSample reads.
var SampleFormats = []string{".npy", ".npz", ".safetensors"}

// OpenSample reads one sample from a file of its own, which lies in memory: the array of an npy file, or one of an npz or safetensors
// file, by the name values, "" for the only one. What comes out has one row, without an id. name is the file's, and its extension says
// what it is.
func OpenSample(name string, data []byte, values string) (*Features, error) {
	f := &Features{source: Source{Path: name, Values: values}, rows: 1, data: data}
	if err := f.openSample(); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (f *Features) openSample() error {
	name, values := f.source.Path, f.source.Values
	switch ext := strings.ToLower(filepath.Ext(name)); {
	case ext == ".npy" && values == "":
		array, err := media.NewArray(name, f.data)
		if err != nil {
			return stream.Errorf("%w", err)
		}
		return f.wholeArray(array)
	case ext == ".npz":
		z, err := newZip(name, f.data)
		if err != nil {
			return err
		}
		if values == "" && len(z.names) == 1 {
			values = z.names[0]
		}
		if values == "" {
			return stream.Errorf("%s: %d arrays: say which: %s", name, len(z.names), few(z.names))
		}
		array, err := z.array(f, values)
		if err != nil {
			return err
		}
		return f.wholeArray(array)
	case ext == ".safetensors":
		file, err := safetensors.Open(bytes.NewReader(f.data), int64(len(f.data)), name)
		if err != nil {
			return stream.Errorf("%w", err)
		}
		return f.wholeTensor(file)
	}
	return stream.Errorf("%s: a file of one sample ends in .npz or .safetensors, or is an npy file, which has no names", name)
}

func (f *Features) wholeArray(array *media.Array) error {
	f.read = func(_ int, dst []float32) error { readWhole(array, dst); return nil }
	f.setRaw(elementOf(array), func(_ int, dst []byte) error { readWholeBytes(array, dst); return nil })
	return f.setShape(array.Shape())
}

func (f *Features) wholeTensor(file *safetensors.File) error {
	names := tensorNames(file)
	values := f.source.Values
	if values == "" && len(names) == 1 {
		values = names[0]
	}
	i := slices.Index(names, values)
	if i < 0 {
		return stream.Errorf("%s: say which tensor, not %q: it has %s", f.source.Path, values, few(names))
	}
	f.read = func(_ int, dst []float32) error { return asInput(file.Read(file.Tensors[i], 0, dst)) }
	f.setRaw(elementOfTensor(file.Tensors[i]), func(_ int, dst []byte) error { return asInput(file.ReadBytes(file.Tensors[i], 0, dst)) })
	return f.setShape(file.Tensors[i].Shape)
}
