package stream

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Spool copies what is left of a pipe to a temporary file without a name, in the folder that TMPDIR says, and returns a
// reader of the copy, mapped, with the same name: memory for random access that the disk backs. The copy is gone when the
// reader is closed, or the process ends however it may. copied is its size in bytes. r stays the caller's to close.
func Spool(r *Reader, opts ...Option) (spooled *Reader, copied int64, err error) {
	f, err := os.CreateTemp("", "mmtools-")
	if err != nil {
		return nil, 0, fmt.Errorf("%s: spooling: %w", r.Name(), err)
	}
	if err := os.Remove(f.Name()); err != nil {
		return nil, 0, errors.Join(fmt.Errorf("%s: spooling: %w", r.Name(), err), f.Close())
	}
	spooled, copied, err = spoolTo(f, r, opts)
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	spooled.file = f
	return spooled, copied, nil
}

func spoolTo(f *os.File, r *Reader, opts []Option) (*Reader, int64, error) {
	w, err := NewWriter(f, r.Schema())
	if err != nil {
		return nil, 0, fmt.Errorf("%s: spooling: %w", r.Name(), err)
	}
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, 0, err
		}
		if err := w.Write(record); err != nil {
			return nil, 0, fmt.Errorf("%s: spooling to %s: %w", r.Name(), os.TempDir(), err)
		}
	}
	if err := w.Close(); err != nil {
		return nil, 0, fmt.Errorf("%s: spooling to %s: %w", r.Name(), os.TempDir(), err)
	}
	size, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: spooling: %w", r.Name(), err)
	}
	if _, err := f.Seek(0, io.SeekStart); err != nil {
		return nil, 0, fmt.Errorf("%s: spooling: %w", r.Name(), err)
	}
	spooled, err := FromFile(f, append([]Option{WithName(r.Name())}, opts...)...)
	return spooled, size, err
}
