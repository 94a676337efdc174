package stream

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// names lists a folder: no temporary file may stay.
func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for _, e := range entries {
		list = append(list, e.Name())
	}
	return list
}

func TestFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	put := func(text string, commit bool) {
		t.Helper()
		f, err := Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Abort()
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if commit {
			if err := f.Commit(); err != nil {
				t.Fatal(err)
			}
		}
	}
	put("lost", false)
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after Abort: %v", err)
	}
	put("one", true)
	put("lost", false)
	if got := content(t, path); got != "one" {
		t.Errorf("after Abort: %q, want the old file", got)
	}
	old := unix.Umask(0o027)
	os.Remove(path)
	put("new", true)
	unix.Umask(old)
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
		t.Errorf("mode of a new file: %v, want 0666 less the umask", info.Mode())
	}
	os.Chmod(path, 0o604)
	put("two", true)
	if info, _ := os.Stat(path); info.Mode().Perm() != 0o604 || content(t, path) != "two" {
		t.Errorf("mode of the new file: %v, want the old one's", info.Mode())
	}
	if got := names(t, dir); len(got) != 1 {
		t.Errorf("the folder holds %v", got)
	}
}

func TestFileThroughLinks(t *testing.T) {
	dir := t.TempDir()
	other := t.TempDir()
	target, link := filepath.Join(other, "target"), filepath.Join(dir, "link")
	if err := os.Symlink(target, link); err != nil {
		t.Skip("no symbolic links here: ", err)
	}
	for _, text := range []string{"one", "two"} { // the first time the link leads nowhere
		f, err := Create(link)
		if err != nil {
			t.Fatal(err)
		}
		f.Write([]byte(text))
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		if got := content(t, target); got != text {
			t.Errorf("target: %q, want %q", got, text)
		}
	}
	if info, _ := os.Lstat(link); info.Mode()&fs.ModeSymlink == 0 {
		t.Error("the link is gone")
	}
	loop := filepath.Join(dir, "loop")
	os.Symlink(loop, loop)
	if _, err := Create(loop); err == nil {
		t.Error("a link to itself was created")
	}
}

// What -o /dev/stdout | and -o >(command) name.
func TestFileIntoAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	path := fmt.Sprintf("/dev/fd/%d", w.Fd())
	if _, err := os.Stat(path); err != nil {
		t.Skip("no /dev/fd here: ", err)
	}
	f, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w.Close()
	if _, err := f.Write([]byte("through")); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err != nil || string(got) != "through" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFileOddTargets(t *testing.T) {
	dir := t.TempDir()
	if _, err := Create(dir); err == nil {
		t.Error("a folder was created")
	}
	if _, err := Create(filepath.Join(dir, "no", "file")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is not there: %v", err)
	}
	for _, commit := range []bool{true, false} {
		f, err := Create("/dev/null")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte("x")); err != nil {
			t.Error(err)
		}
		if !commit {
			f.Abort()
		} else if err := f.Commit(); err != nil {
			t.Error(err)
		}
		if info, err := os.Stat("/dev/null"); err != nil || info.Mode().IsRegular() {
			t.Fatalf("/dev/null is %v, %v", info, err)
		}
	}
	if os.Geteuid() != 0 {
		path := filepath.Join(dir, "read-only")
		os.WriteFile(path, []byte("old"), 0o444)
		if _, err := Create(path); !errors.Is(err, fs.ErrPermission) {
			t.Errorf("a read-only file: %v", err)
		}
	}
}

// TestFullDisk: /dev/full takes no byte; the error surfaces at Write and Commit, and the writer writes no marker.
func TestFullDisk(t *testing.T) {
	f, err := Create("/dev/full")
	if err != nil {
		t.Skip("no /dev/full here: ", err)
	}
	schema, rec := numbers(10)
	w, err := NewWriter(f, schema)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Write(rec); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Write: %v, want no space left", err)
	}
	if err := w.Close(); !errors.Is(err, unix.ENOSPC) {
		t.Errorf("Close: %v, want no space left", err)
	}
	f.Abort()
}
