package table

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"mmtools/pkg/media"
	"mmtools/pkg/stream"
)

// zipped is an npz file: a zip of npy files, stored or deflated.
type zipped struct {
	path    string
	file    mapped
	entries map[string]*zip.File
	names   []string // without .npy, in the file's order
}

// maxExpansion is the most that deflate can expand: a 258-byte match in two bits.
const maxExpansion = 1032

func openZip(name string) (*zipped, error) {
	m, err := mapFile(name)
	if err != nil {
		return nil, err
	}
	z, err := newZip(name, m)
	if err != nil {
		return nil, errors.Join(err, m.close())
	}
	return z, nil
}

// newZip lists an npz file that lies in memory.
func newZip(name string, data []byte) (*zipped, error) {
	z := &zipped{path: name, file: data, entries: map[string]*zip.File{}}
	return z, z.list()
}

func (z *zipped) list() error {
	r, err := zip.NewReader(bytes.NewReader(z.file), int64(len(z.file)))
	if err != nil {
		return stream.Errorf("%s: %w", z.path, err)
	}
	for _, entry := range r.File {
		name := strings.TrimSuffix(entry.Name, ".npy")
		if path.Ext(entry.Name) != ".npy" {
			return stream.Errorf("%s: %q is no npy file: not an npz file", z.path, entry.Name)
		}
		if z.entries[name] != nil {
			return stream.Errorf("%s: array %q twice", z.path, name)
		}
		z.entries[name] = entry
		z.names = append(z.names, name)
	}
	return nil
}

// bytes returns an array's npy file: of a stored entry a part of the mapping, and else a temporary file, mapped for f to close.
func (z *zipped) bytes(f *Features, name string) ([]byte, error) {
	entry := z.entries[name]
	if entry == nil {
		return nil, stream.Errorf("%s: no array %q: it has %s", z.path, name, few(z.names))
	}
	if entry.Method == zip.Store && entry.Flags&1 == 0 {
		at, err := entry.DataOffset()
		if err != nil {
			return nil, stream.Errorf("%s: array %q: %w", z.path, name, err)
		}
		size := int64(len(z.file))
		if n := entry.UncompressedSize64; at < 0 || at > size || n > uint64(size-at) {
			return nil, stream.Errorf("%s: array %q: %d bytes at %d do not lie in the file", z.path, name, n, at)
		}
		return z.file[at : at+int64(entry.UncompressedSize64)], nil
	}
	if entry.UncompressedSize64 > maxExpansion*(entry.CompressedSize64+1) || entry.CompressedSize64 > uint64(len(z.file)) {
		return nil, stream.Errorf("%s: array %q: %d bytes cannot come from %d", z.path, name, entry.UncompressedSize64, entry.CompressedSize64)
	}
	m, err := spool(func(w io.Writer) error {
		r, err := entry.Open()
		if err == nil {
			_, err = io.Copy(w, r) // no more than the entry's size, or zip's reader fails; its checksum is compared
		}
		if err != nil {
			return stream.Errorf("%s: array %q: %w", z.path, name, err)
		}
		return nil
	})
	f.maps = append(f.maps, m)
	return m, err
}

func (z *zipped) array(f *Features, name string) (*media.Array, error) {
	raw, err := z.bytes(f, name)
	if err != nil {
		return nil, err
	}
	a, err := media.NewArray(fmt.Sprintf("%s: array %q", z.path, name), raw)
	if err != nil {
		return nil, stream.Errorf("%w", err)
	}
	return a, nil
}

// texts reads an array of one dimension of texts, NumPy's type U.
func (z *zipped) texts(f *Features, name string) ([]string, error) {
	raw, err := z.bytes(f, name)
	if err != nil {
		return nil, err
	}
	texts, err := media.Texts(raw)
	if err != nil {
		return nil, stream.Errorf("%s: array %q: %w", z.path, name, err)
	}
	return texts, nil
}

// ReadTexts reads an array of texts: that of an npy file, or the one that Values names in an npz file, with the ids that IDs names there.
// It is not ok where the array holds no texts, whatever else it may be.
func ReadTexts(s Source) (texts, ids []string, ok bool, err error) {
	f := &Features{source: s}
	defer func() { err = errors.Join(err, f.Close()) }()
	m, err := mapFile(s.Path)
	if err != nil {
		return nil, nil, false, err
	}
	f.maps = append(f.maps, m)
	if s.Values == "" {
		if !media.IsTexts(m) {
			return nil, nil, false, nil
		}
		if texts, err = media.Texts(m); err != nil {
			err = stream.Errorf("%s: %w", s.Path, err)
		}
		return texts, nil, true, err
	}
	z, err := newZip(s.Path, m)
	if err != nil {
		return nil, nil, false, err
	}
	raw, err := z.bytes(f, s.Values)
	if err != nil || !media.IsTexts(raw) {
		return nil, nil, false, err
	}
	if texts, err = z.texts(f, s.Values); err != nil || s.IDs == "" {
		return texts, nil, true, err
	}
	if ids, err = z.texts(f, s.IDs); err == nil && len(ids) != len(texts) {
		err = stream.Errorf("%s: %d ids in %q, %d rows in %q", s.Path, len(ids), s.IDs, len(texts), s.Values)
	}
	return texts, ids, true, err
}
