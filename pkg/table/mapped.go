package table

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"mmtools/pkg/stream"
)

// mapped is a file in memory that the disk backs.
type mapped []byte

// mapFile maps a regular file for reading.
func mapFile(path string) (mapped, error) {
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
		return nil, stream.Errorf("%s: not a regular file", path)
	}
	return mapOpen(f, info.Size())
}

func mapOpen(f *os.File, size int64) (mapped, error) {
	if size == 0 {
		return nil, nil
	}
	if int64(int(size)) != size {
		return nil, fmt.Errorf("mapping %s: %d bytes are too many", f.Name(), size)
	}
	data, err := unix.Mmap(int(f.Fd()), 0, int(size), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, &os.PathError{Op: "map", Path: f.Name(), Err: err}
	}
	return data, nil
}

func (m mapped) close() error {
	if len(m) == 0 {
		return nil
	}
	return unix.Munmap(m)
}

// spool collects what write writes in a temporary file without a name, in the folder that TMPDIR says, and maps it: it is gone
// when the mapping is closed, or the process ends however it may.
func spool(write func(w io.Writer) error) (mapped, error) {
	f, err := os.CreateTemp("", "mmtools-")
	if err != nil {
		return nil, fmt.Errorf("spooling: %w", err)
	}
	defer f.Close() // the mapping stays
	if err := os.Remove(f.Name()); err != nil {
		return nil, fmt.Errorf("spooling: %w", err)
	}
	if err := write(f); err != nil {
		return nil, err
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, fmt.Errorf("spooling: %w", err)
	}
	m, err := mapOpen(f, size)
	if err != nil {
		return nil, errors.Join(errors.New("spooling"), err)
	}
	return m, nil
}
