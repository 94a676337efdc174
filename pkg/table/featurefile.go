package table

import (
	"bytes"
	"errors"
	"slices"

	"mmtools/pkg/media"
	"mmtools/pkg/safetensors"
	"mmtools/pkg/stream"
)

// openNPY takes the rows of an npy file, which have no ids.
func (f *Features) openNPY() error {
	if f.source.Values != "" || f.source.IDs != "" {
		return stream.Errorf("%s: an npy file is one array without names or ids", f.source.Path)
	}
	m, err := mapFile(f.source.Path)
	if err != nil {
		return err
	}
	f.maps, f.data = append(f.maps, m), m
	array, err := media.NewArray(f.source.Path, m)
	if err != nil {
		return stream.Errorf("%w", err)
	}
	return f.fromArray(array)
}

// fromArray takes a row a sample.
func (f *Features) fromArray(array *media.Array) error {
	f.rows = array.Rows()
	f.read = func(row int, dst []float32) error { array.Row(row, dst); return nil }
	f.setRaw(elementOf(array), func(row int, dst []byte) error { array.RowBytes(row, dst); return nil })
	return f.setShape(array.Shape()[1:])
}

func (f *Features) openNPZ() error {
	z, err := openZip(f.source.Path)
	if err != nil {
		return err
	}
	f.maps = append(f.maps, z.file)
	f.data = z.file
	if f.source.Values != "" {
		array, err := z.array(f, f.source.Values)
		if err != nil {
			return err
		}
		if f.source.IDs != "" {
			ids, err := z.texts(f, f.source.IDs)
			if err != nil {
				return err
			}
			if len(ids) != array.Rows() {
				return stream.Errorf("%s: %d ids in %q, %d rows in %q", f.source.Path, len(ids), f.source.IDs, array.Rows(), f.source.Values)
			}
			if err := f.identify(ids...); err != nil {
				return err
			}
		}
		return f.fromArray(array)
	}
	if f.source.IDs != "" {
		return stream.Errorf("%s: ids in %q need the name of the array that holds the numbers", f.source.Path, f.source.IDs)
	}
	return f.eachArray(z)
}

// eachArray takes every array of an npz file for a sample.
func (f *Features) eachArray(z *zipped) error {
	var arrays []*media.Array
	for _, name := range z.names {
		array, err := z.array(f, name)
		if err != nil {
			return err
		}
		if shape := array.Shape(); len(arrays) == 0 {
			if err := f.setShape(shape); err != nil {
				return err
			}
		} else if !slices.Equal(shape, f.shape) {
			return stream.Errorf("%s: array %q has shape %v, %q has %v: where each is a sample all have one shape", f.source.Path, name, shape, z.names[0], f.shape)
		}
		arrays = append(arrays, array)
	}
	if len(arrays) == 0 {
		return stream.Errorf("%s: no array", f.source.Path)
	}
	f.rows = len(arrays)
	f.read = func(row int, dst []float32) error { readWhole(arrays[row], dst); return nil }
	e := elementOf(arrays[0])
	if !slices.ContainsFunc(arrays, func(a *media.Array) bool { return elementOf(a) != e }) {
		f.setRaw(e, func(row int, dst []byte) error { readWholeBytes(arrays[row], dst); return nil })
	}
	return f.identify(z.names...)
}

// readWhole reads all rows of an array, which are a sample.
func readWhole(a *media.Array, dst []float32) {
	for i := range a.Rows() {
		a.Row(i, dst[i*a.RowSize():(i+1)*a.RowSize()])
	}
}

func readWholeBytes(a *media.Array, dst []byte) {
	size := len(dst) / max(1, a.Rows())
	for i := range a.Rows() {
		a.RowBytes(i, dst[i*size:(i+1)*size])
	}
}

func (f *Features) openSafetensors() error {
	if f.source.IDs != "" {
		return stream.Errorf("%s: a safetensors file holds no texts: no ids in %q", f.source.Path, f.source.IDs)
	}
	m, err := mapFile(f.source.Path)
	if err != nil {
		return err
	}
	f.maps, f.data = append(f.maps, m), m
	file, err := safetensors.Open(bytes.NewReader(m), int64(len(m)), f.source.Path)
	if err != nil {
		return stream.Errorf("%w", err)
	}
	if f.source.Values == "" {
		return f.eachTensor(file)
	}
	i := slices.IndexFunc(file.Tensors, func(t safetensors.Tensor) bool { return t.Name == f.source.Values })
	if i < 0 {
		return stream.Errorf("%s: no tensor %q: it has %s", f.source.Path, f.source.Values, few(tensorNames(file)))
	}
	t := file.Tensors[i]
	if len(t.Shape) == 0 {
		return stream.Errorf("%s: tensor %q has no rows", f.source.Path, t.Name)
	}
	f.rows = t.Shape[0]
	f.read = func(row int, dst []float32) error { return asInput(file.Read(t, row*f.size, dst)) }
	f.setRaw(elementOfTensor(t), func(row int, dst []byte) error { return asInput(file.ReadBytes(t, row*f.size, dst)) })
	return f.setShape(t.Shape[1:])
}

// eachTensor takes every tensor for a sample.
func (f *Features) eachTensor(file *safetensors.File) error {
	if len(file.Tensors) == 0 {
		return stream.Errorf("%s: no tensor", f.source.Path)
	}
	first := file.Tensors[0]
	for _, t := range file.Tensors {
		if !slices.Equal(t.Shape, first.Shape) {
			return stream.Errorf("%s: tensor %q has shape %v, %q has %v: where each is a sample all have one shape", f.source.Path, t.Name, t.Shape, first.Name, first.Shape)
		}
	}
	f.rows = len(file.Tensors)
	f.read = func(row int, dst []float32) error { return asInput(file.Read(file.Tensors[row], 0, dst)) }
	if !slices.ContainsFunc(file.Tensors, func(t safetensors.Tensor) bool { return t.DType != first.DType }) {
		f.setRaw(elementOfTensor(first), func(row int, dst []byte) error { return asInput(file.ReadBytes(file.Tensors[row], 0, dst)) })
	}
	if err := f.setShape(first.Shape); err != nil {
		return err
	}
	return f.identify(tensorNames(file)...)
}

func tensorNames(file *safetensors.File) []string {
	names := make([]string, len(file.Tensors))
	for i, t := range file.Tensors {
		names[i] = t.Name
	}
	return names
}

// asInput makes an error of the format a stream.ErrInput.
func asInput(err error) error {
	if errors.Is(err, safetensors.ErrFormat) {
		return stream.Errorf("%w", err)
	}
	return err
}
