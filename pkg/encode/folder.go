package encode

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
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

// maxPictures bounds the pictures of a folder: a day of video at 100 frames a second.
const maxPictures = 1 << 23

// Pictures returns the names of the pictures in a folder that match a pattern (path.Match), in the order of the numbers in them and else
// of their bytes: frame_2.jpg before frame_10.jpg. Hidden files, and those that are no pictures, are left out; the pattern "" takes all
// but the parts of optical flow.
func (f *Folder) Pictures(folderPath, pattern string) ([]string, error) {
	relative, err := f.within(folderPath)
	if err != nil {
		return nil, err
	}
	folder, err := f.root.OpenFile(relative, os.O_RDONLY|syscall.O_DIRECTORY, 0)
	if err != nil {
		return nil, bare(err)
	}
	defer folder.Close() // only listed
	var names []string
	for {
		part, err := folder.ReadDir(4096)
		for _, e := range part {
			if name := e.Name(); isPicture(name) && matches(pattern, name) {
				names = append(names, name)
			}
		}
		switch {
		case err == io.EOF:
			slices.SortFunc(names, compareNumbered)
			return names, nil
		case err != nil:
			return nil, bare(err)
		case len(names) > maxPictures:
			return nil, fmt.Errorf("more than %d pictures", maxPictures)
		}
	}
}

// isPicture tells whether a file's name is that of a picture.
func isPicture(name string) bool {
	return !strings.HasPrefix(name, ".") && slices.Contains(pictureExtensions, strings.ToLower(filepath.Ext(name)))
}

// matches tells whether a name matches a pattern, which was checked before.
func matches(pattern, name string) bool {
	is := func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	}
	if pattern == "" {
		return !is(flowX) && !is(flowY)
	}
	return is(pattern)
}

var pictureExtensions = []string{".jpg", ".jpeg", ".png", ".webp", ".bmp"}

// compareNumbered compares names by their runs of digits as numbers, and by bytes where those are equal.
func compareNumbered(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		m, n := digits(x), digits(y)
		if m == 0 || n == 0 {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		p, q := strings.TrimLeft(x[:m], "0"), strings.TrimLeft(y[:n], "0")
		if c := cmp.Or(cmp.Compare(len(p), len(q)), cmp.Compare(p, q)); c != 0 {
			return c
		}
		x, y = x[m:], y[n:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits returns how many digits s begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }

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
