package encode

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// folder is where a manifest's files lie. os.Root keeps every path, and the links on it, inside.
type folder struct {
	path string
	root *os.Root
}

func openFolder(path string) (folder, error) {
	root, err := os.OpenRoot(path)
	return folder{path, root}, err
}

// stat returns what is known of a file, which must be a regular one.
func (f folder) stat(path string) (fs.FileInfo, error) {
	relative, err := f.within(path)
	if err != nil {
		return nil, err
	}
	info, err := f.root.Stat(relative)
	if err != nil {
		return nil, bare(path, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: not a regular file", path)
	}
	return info, nil
}

// open opens a file for reading and returns its size.
func (f folder) open(path string) (*os.File, int64, error) {
	relative, err := f.within(path)
	if err != nil {
		return nil, 0, err
	}
	file, err := f.root.Open(relative)
	if err != nil {
		return nil, 0, bare(path, err)
	}
	info, err := file.Stat()
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// within returns a path of the manifest relative to the folder; an absolute one may name a file inside it.
func (f folder) within(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return path, nil
	}
	whole, err := filepath.Abs(f.path)
	if err != nil {
		return "", err
	}
	return filepath.Rel(whole, path)
}

// bare names the file as the manifest does, without the system call's name.
func bare(path string, err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		err = inner.Err
	}
	return fmt.Errorf("%s: %w", path, err)
}

func (f folder) close() error {
	if f.root == nil {
		return nil
	}
	return f.root.Close()
}
