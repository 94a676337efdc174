package table

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"mmtools/pkg/stream"
)

// maxFiles bounds the files of a folder of samples.
const maxFiles = 1 << 24

// openFolder takes each npy, npz and safetensors file of a folder for a sample, whose id is the file's name without its extension, in byte
// order. The digest is over their names and sizes.
func (f *Features) openFolder() error {
	if f.source.IDs != "" {
		return stream.Errorf("%s: the files of a folder name the samples: no ids in %q", f.source.Path, f.source.IDs)
	}
	var err error
	if f.root, err = os.OpenRoot(f.source.Path); err != nil {
		return err
	}
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return fmt.Errorf("%s: %w", f.source.Path, err)
	}
	if len(entries) > maxFiles {
		return stream.Errorf("%s: more than %d files", f.source.Path, maxFiles)
	}
	var names []string
	for _, e := range entries {
		ext := path.Ext(e.Name())
		if strings.HasPrefix(e.Name(), ".") || !slices.Contains(SampleFormats, strings.ToLower(ext)) {
			continue
		}
		info, err := f.root.Stat(e.Name())
		if err != nil || !info.Mode().IsRegular() {
			return errors.Join(stream.Errorf("%s: not a regular file", filepath.Join(f.source.Path, e.Name())), err)
		}
		if err := f.identify(strings.TrimSuffix(e.Name(), ext)); err != nil {
			return err
		}
		names = append(names, e.Name())
		f.data = fmt.Appendf(f.data, "%s\x00%d\n", e.Name(), info.Size())
	}
	if f.rows = len(names); f.rows == 0 {
		return stream.Errorf("%s: no file of a sample: want ID.npy, ID.npz or ID.safetensors", f.source.Path)
	}
	first, err := f.openFile(names[0])
	if err != nil {
		return err
	}
	defer first.Close() // it was only looked at
	f.read = func(row int, dst []float32) error {
		return f.ofFile(names[row], func(s *Features) error { return s.read(0, dst) })
	}
	f.setRaw(first.Element(), func(row int, dst []byte) error {
		return f.ofFile(names[row], func(s *Features) error {
			if s.Element() != f.element {
				return stream.Errorf("%s, the first file has %s", s.Element(), f.element)
			}
			return s.raw(0, dst)
		})
	})
	return f.setShape(first.shape)
}

// ofFile calls do with the sample of a file that has the shape of the first.
func (f *Features) ofFile(name string, do func(*Features) error) error {
	s, err := f.openFile(name)
	if err != nil {
		return err
	}
	if !slices.Equal(s.shape, f.shape) {
		err = stream.Errorf("shape %v, the first file has %v", s.shape, f.shape)
	}
	if err == nil {
		err = do(s)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", name, err)
	}
	return errors.Join(err, s.Close())
}

// openFile maps the file of a sample.
func (f *Features) openFile(name string) (*Features, error) {
	file, err := f.root.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close() // the mapping stays
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	m, err := mapOpen(file, info.Size())
	if err != nil {
		return nil, err
	}
	s, err := OpenSample(filepath.Join(f.source.Path, name), m, f.source.Values)
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	s.maps = append(s.maps, m)
	return s, nil
}
