package stream

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// mapFile maps a regular file and returns the mapping and the part of it from the file's current position on. Both are nil
// for what is not a regular file; an empty file gives an empty part.
func mapFile(f *os.File) (mapped, data []byte, err error) {
	info, err := f.Stat()
	if err != nil {
		return nil, nil, err
	}
	if info.IsDir() {
		return nil, nil, fmt.Errorf("%s: is a directory", f.Name())
	}
	if !info.Mode().IsRegular() {
		return nil, nil, nil
	}
	at, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, nil, err
	}
	if at >= info.Size() {
		return nil, []byte{}, nil
	}
	mapped, err = unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_SHARED)
	if err != nil {
		return nil, nil, fmt.Errorf("mapping %s: %w", f.Name(), err)
	}
	return mapped, mapped[at:], nil
}

// forget gives the pages of a part of a mapping back to the system, which reads them again when they are used. It is a
// hint: where it fails, they stay.
func forget(b []byte) {
	if len(b) > 0 {
		_ = unix.Madvise(b, unix.MADV_DONTNEED)
	}
}

func unmap(b []byte) error {
	if b == nil {
		return nil
	}
	return unix.Munmap(b)
}
