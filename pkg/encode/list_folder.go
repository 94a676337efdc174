package encode

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"mmtools/pkg/stream"
)

// folderMedia are the columns of a FolderList, with the extensions of their files.
var folderMedia = []struct {
	column     string
	extensions []string
}{
	{"audio", []string{".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aac"}},
	{"video", []string{".mp4", ".avi", ".mkv", ".webm", ".mov", ".flv", ".mpg", ".mpeg"}},
	{"image", []string{".png", ".jpg", ".jpeg", ".webp", ".bmp"}},
	{"features", []string{".npy", ".npz", ".safetensors"}},
	{"text", []string{".txt"}},
	{"frames", nil}, // a folder
}

// maxFolderFiles bounds the files of a folder list.
const maxFolderFiles = 1 << 24

// folderList is a List out of folders of media, one a class.
type folderList struct {
	root string
	rows [][]string
}

// FolderList lists the media below a folder: CLASS/NAME.EXT, or SPLIT/CLASS/NAME.EXT where every folder in root is called as a split is.
// Files of one name in a class folder, whatever their extensions, and a folder of frames of that name, are one sample with the id
// CLASS/NAME. Its columns are id, label, split, audio, video, image, features, text and frames; where there is only a video, audio is
// its path. Hidden files and what is of no known kind are left out. Rows are in the order of splits, classes and names.
func FolderList(root string) (List, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, err
	}
	defer r.Close() // only listed
	f := folders{fs: r.FS(), root: root}
	tops, err := f.read(".")
	if err != nil {
		return nil, err
	}
	splits := tops
	if !slices.ContainsFunc(tops, func(d fs.DirEntry) bool { return splitName(d.Name()) == "" }) && len(tops) > 0 {
		slices.SortStableFunc(splits, func(a, b fs.DirEntry) int { return cmp.Compare(splitOrder(a.Name()), splitOrder(b.Name())) })
		for _, split := range splits {
			if err := f.classes(split.Name(), splitName(split.Name())); err != nil {
				return nil, err
			}
		}
	} else if err := f.classes(".", ""); err != nil {
		return nil, err
	}
	if len(f.rows) == 0 {
		return nil, stream.Errorf("%s: no media in folders below it: want CLASS/NAME.EXT or SPLIT/CLASS/NAME.EXT", root)
	}
	return &folderList{root, f.rows}, nil
}

// splitName reads a folder's name as a split; "" where it is none.
func splitName(name string) string {
	switch strings.ToLower(name) {
	case "train", "training":
		return "train"
	case "val", "valid", "validation":
		return "validation"
	case "test", "testing":
		return "test"
	}
	return ""
}

func splitOrder(name string) int {
	return slices.Index([]string{"train", "validation", "test"}, splitName(name))
}

// folders gathers the rows of a folderList.
type folders struct {
	fs    fs.FS
	root  string
	rows  [][]string
	files int
}

// read lists a folder in byte order, without what is hidden.
func (f *folders) read(folder string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(f.fs, folder)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.root, err)
	}
	if f.files += len(entries); f.files > maxFolderFiles {
		return nil, stream.Errorf("%s: more than %d files", f.root, maxFolderFiles)
	}
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return strings.HasPrefix(e.Name(), ".") }), nil
}

// classes adds the class folders of a folder.
func (f *folders) classes(folder, split string) error {
	classes, err := f.folders(folder)
	if err != nil {
		return err
	}
	for _, class := range classes {
		if err := f.class(path.Join(folder, class), class, split); err != nil {
			return err
		}
	}
	return nil
}

// folders returns the names of the folders in a folder.
func (f *folders) folders(folder string) ([]string, error) {
	entries, err := f.read(folder)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		if info, err := fs.Stat(f.fs, path.Join(folder, e.Name())); err == nil && info.IsDir() { // a link to a folder is one
			names = append(names, e.Name())
		}
	}
	return names, nil
}

// class adds the samples of a class folder.
func (f *folders) class(folder, class, split string) error {
	entries, err := f.read(folder)
	if err != nil {
		return err
	}
	first, places := len(f.rows), map[string]int{}
	for _, e := range entries {
		column, stem := f.kindOf(folder, e)
		if column < 0 {
			continue
		}
		at, known := places[stem]
		if !known {
			at = len(f.rows)
			places[stem] = at
			row := make([]string, 3+len(folderMedia))
			row[0], row[1], row[2] = class+"/"+stem, class, split
			f.rows = append(f.rows, row)
		}
		if there := f.rows[at][3+column]; there != "" {
			return stream.Errorf("%s: %s and %s are of one sample and one kind", f.root, there, path.Join(folder, e.Name()))
		}
		f.rows[at][3+column] = path.Join(folder, e.Name())
	}
	const audio, video = 3, 4
	for _, row := range f.rows[first:] {
		row[audio] = cmp.Or(row[audio], row[video])
	}
	slices.SortFunc(f.rows[first:], func(a, b []string) int { return cmp.Compare(a[0], b[0]) })
	return nil
}

// kindOf returns the place of an entry's column in folderMedia, -1 for none, and the sample's name.
func (f *folders) kindOf(folder string, e fs.DirEntry) (int, string) {
	if info, err := fs.Stat(f.fs, path.Join(folder, e.Name())); err == nil && info.IsDir() {
		return len(folderMedia) - 1, e.Name()
	}
	ext := path.Ext(e.Name())
	for i, m := range folderMedia {
		if slices.Contains(m.extensions, strings.ToLower(ext)) {
			return i, strings.TrimSuffix(e.Name(), ext)
		}
	}
	return -1, ""
}

// Name implements List.
func (l *folderList) Name() string { return l.root }

// Columns implements List.
func (l *folderList) Columns() []string {
	columns := []string{"id", "label", "split"}
	for _, m := range folderMedia {
		columns = append(columns, m.column)
	}
	return columns
}

// Rows implements List.
func (l *folderList) Rows() int { return len(l.rows) }

// Field implements List.
func (l *folderList) Field(row, column int) string { return l.rows[row][column] }

// Place implements List.
func (l *folderList) Place(row int) string { return path.Join(l.root, l.rows[row][0]) }
