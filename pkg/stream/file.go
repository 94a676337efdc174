package stream

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
)

// File is a file that appears whole or not at all: it is written beside its target and takes the target's place in
// Commit. Until then, and for ever after Abort, an old target stays as it was.
//
// A symbolic link stays, and what it leads to is replaced. A target that is no regular file, such as a named pipe,
// /dev/null, or a pipe under /dev/stdout or /dev/fd, is written in place. A target that exists keeps its mode and, against rename's own rules, must be writable.
type File struct {
	f      *os.File
	target string // "" when written in place
	mode   fs.FileMode
	done   bool
}

// Create opens a File for the target path.
func Create(path string) (*File, error) {
	// The kernel says what a link leads to: that of /dev/stdout to a pipe reads pipe:[1], which is no path.
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() && !info.IsDir() {
		in, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, err
		}
		return &File{f: in}, nil
	}
	target, err := followLinks(path)
	if err != nil {
		return nil, err
	}
	info, err := os.Stat(target)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return createBeside(target, 0)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &fs.PathError{Op: "create", Path: path, Err: errors.New("is a directory")}
	}
	old, err := os.OpenFile(target, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if err := old.Close(); err != nil {
		return nil, err
	}
	return createBeside(target, info.Mode().Perm())
}

// Write writes to the temporary file.
func (f *File) Write(p []byte) (int, error) { return f.f.Write(p) }

// Commit puts the file in its target's place. It fails, and removes the temporary file, where what was written did not
// all reach the file. It does not wait for the disk: after a crash of the system either file may be there.
func (f *File) Commit() error {
	if f.done {
		return errors.New("file is committed or aborted already")
	}
	f.done = true
	if f.target == "" {
		return f.f.Close()
	}
	err := f.keepMode()
	if closeErr := f.f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(f.f.Name(), f.target)
	}
	if err != nil {
		os.Remove(f.f.Name())
		return fmt.Errorf("committing %s: %w", f.target, err)
	}
	return nil
}

// Abort removes the temporary file; it does nothing after Commit, so that it may be deferred.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	f.f.Close()
	if f.target != "" {
		os.Remove(f.f.Name())
	}
}

func (f *File) keepMode() error {
	if f.mode == 0 {
		return nil
	}
	return f.f.Chmod(f.mode)
}

// createBeside creates a new file in the target's folder: a rename does not cross file systems. The mode is 0666 less
// the umask, which os.CreateTemp's is not, until Commit sets mode where it is not 0.
func createBeside(target string, mode fs.FileMode) (*File, error) {
	dir, base := filepath.Split(target)
	for range 100 {
		name := fmt.Sprintf("%s.%s.%08x.tmp", dir, base, rand.Uint32())
		f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		switch {
		case err == nil:
			return &File{f: f, target: target, mode: mode}, nil
		case !errors.Is(err, fs.ErrExist):
			return nil, err
		}
	}
	return nil, fmt.Errorf("creating a file beside %s: every name is taken", target)
}

// followLinks returns what path leads to, which need not exist.
func followLinks(path string) (string, error) {
	for range 40 {
		link, err := os.Readlink(path)
		if err != nil {
			return path, nil // no link: Create reports what is wrong with it, if anything is
		}
		if !filepath.IsAbs(link) {
			link = filepath.Join(filepath.Dir(path), link)
		}
		path = link
	}
	return "", &fs.PathError{Op: "create", Path: path, Err: errors.New("too many levels of symbolic links")}
}
