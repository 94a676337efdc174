package encode

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// Folder is where a manifest's files lie. os.Root keeps every path, and the links on it, inside.
type Folder struct {
	path string
	root *os.Root
}

func openFolder(path string) (*Folder, error) {
	root, err := os.OpenRoot(path)
	return &Folder{path, root}, err
}

// Stat returns what is known of a file, which must be a regular one.
func (f *Folder) Stat(path string) (fs.FileInfo, error) {
	relative, err := f.within(path)
	if err != nil {
		return nil, err
	}
	info, err := f.root.Stat(relative)
	if err != nil {
		return nil, bare(err)
	}
	if !info.Mode().IsRegular() {
		return nil, errors.New("not a regular file")
	}
	return info, nil
}

// Open opens a regular file for reading and returns its size.
func (f *Folder) Open(path string) (*os.File, int64, error) {
	relative, err := f.within(path)
	if err != nil {
		return nil, 0, err
	}
	// Without waiting: a named pipe would keep a run for ever, and is refused below.
	file, err := f.root.OpenFile(relative, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, 0, bare(err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("not a regular file")
	}
	if err != nil {
		return nil, 0, errors.Join(err, file.Close())
	}
	return file, info.Size(), nil
}

// within returns a path of the manifest relative to the folder; an absolute one may name a file inside it.
func (f *Folder) within(path string) (string, error) {
	if !filepath.IsAbs(path) {
		return path, nil
	}
	whole, err := filepath.Abs(f.path)
	if err != nil {
		return "", err
	}
	return filepath.Rel(whole, path)
}

// bare leaves out the system call and the path, which the caller names as the list does.
func bare(err error) error {
	var inner *fs.PathError
	if errors.As(err, &inner) {
		return inner.Err
	}
	return err
}

func (f *Folder) close() error {
	if f == nil || f.root == nil {
		return nil
	}
	return f.root.Close()
}
