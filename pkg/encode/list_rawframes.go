package encode

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"mmtools/pkg/stream"
)

// rawframesColumns are the columns of a list of rawframes. Frames and flow are the same folders; flow is empty where none holds any, and so are frames.
var rawframesColumns = []string{"id", "label", "split", "frames", "flow"}

// rawframes is a List of the folders that MMAction's tools extract frames and optical flow into (github.com/open-mmlab/mmaction2, tools/data): a folder a
// video, of img_00001.jpg, flow_x_00001.jpg and flow_y_00001.jpg, in a folder a class.
type rawframes struct {
	root   string
	rows   [][]string // id, label, split, folder
	frames bool       // some folder holds frames,
	flow   bool       // and some flow
	places []string   // in the annotations; nil without
}

// RawframesList lists the videos of a folder with the layout CLASS/VIDEO, in order: the folder root itself, or rawframes, rawframes_train, rawframes_val and
// rawframes_test in it. The id is CLASS/VIDEO. Of annotations, lines of PATH FRAMES LABEL, or PATH LABEL, it takes their videos, in their order, their split from the
// file's name, and returns the classes in the order of the labels: names where classes has them, else those of the folders, or numbers where there is no folder. Classes
// are nil without annotations.
func RawframesList(root, annotations string, classes []string) (List, []string, error) {
	r, err := os.OpenRoot(root)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close() // only listed
	l := &rawframes{root: root}
	f := folders{fs: r.FS(), root: root}
	if annotations != "" {
		var lines []string
		if lines, _, err = readLines(annotations); err == nil {
			classes, err = l.annotated(annotations, lines, classes)
		}
	} else {
		classes, err = nil, l.walk(&f)
	}
	if err == nil {
		l.look(f.fs)
	}
	return l, classes, err
}

// walk lists all videos.
func (l *rawframes) walk(f *folders) error {
	tops, err := f.read(".")
	if err != nil {
		return err
	}
	const name = "rawframes"
	parts := map[string]string{}
	for _, e := range tops {
		if rest, ok := strings.CutPrefix(e.Name(), name); ok && (rest == "" || splitName(strings.TrimPrefix(rest, "_")) != "") {
			parts[e.Name()] = splitName(strings.TrimPrefix(rest, "_"))
		}
	}
	if len(parts) == 0 {
		parts["."] = ""
	}
	for _, split := range []string{"", "train", "validation", "test"} {
		for _, part := range slices.Sorted(maps.Keys(parts)) {
			if parts[part] != split {
				continue
			}
			if err := l.classes(f, part, split); err != nil {
				return err
			}
		}
	}
	if len(l.rows) == 0 {
		return stream.Errorf("%s: no folder of frames below it: want CLASS/VIDEO/img_00001.jpg", l.root)
	}
	return nil
}

// classes adds the videos of the class folders in a folder.
func (l *rawframes) classes(f *folders, folder, split string) error {
	classes, err := f.folders(folder)
	if err != nil {
		return err
	}
	for _, class := range classes {
		videos, err := f.folders(path.Join(folder, class))
		if err != nil {
			return err
		}
		for _, video := range videos {
			l.rows = append(l.rows, []string{class + "/" + video, class, split, path.Join(folder, class, video)})
		}
	}
	return nil
}

// annotated lists the videos of a file of annotations.
func (l *rawframes) annotated(file string, lines, classes []string) ([]string, error) {
	split := ""
	for word := range strings.FieldsFuncSeq(filepath.Base(file), func(r rune) bool { return r == '_' || r == '.' || r == '-' }) {
		if split == "" {
			split = splitName(word)
		}
	}
	names := map[int]string{}
	for i, line := range lines {
		if strings.TrimSpace(line) == "" {
			continue
		}
		place := fmt.Sprintf("%s: line %d", file, i+1)
		video, label, err := annotation(line)
		if err != nil {
			return nil, stream.Errorf("%s: %w", place, err)
		}
		name := strconv.Itoa(label)
		if folder := path.Base(path.Dir(video)); folder != "." {
			name = folder
		}
		switch {
		case classes != nil && label >= len(classes):
			return nil, stream.Errorf("%s: label %d: --classes has %d", place, label, len(classes))
		case classes != nil:
			name = classes[label]
		case names[label] != "" && names[label] != name:
			return nil, stream.Errorf("%s: label %d is of the folders %s and %s: name the classes", place, label, names[label], name)
		}
		names[label] = name
		l.rows = append(l.rows, []string{video, name, split, video})
		l.places = append(l.places, place)
	}
	if len(l.rows) == 0 {
		return nil, stream.Errorf("%s: no video", file)
	}
	if classes == nil {
		for label := range slices.Max(slices.Collect(maps.Keys(names))) + 1 {
			name := names[label]
			if name == "" {
				name = strconv.Itoa(label)
			}
			classes = append(classes, name)
		}
	}
	return classes, nil
}

// annotation reads PATH FRAMES LABEL or PATH LABEL. How many frames there are the folder says.
func annotation(line string) (video string, label int, err error) {
	fields := strings.Fields(line)
	if len(fields) < 2 {
		return "", 0, errors.New("want PATH FRAMES LABEL or PATH LABEL")
	}
	last := len(fields) - 1
	if label, err = strconv.Atoi(fields[last]); err != nil || label < 0 || label >= maxClasses {
		return "", 0, fmt.Errorf("label %q: want a number from 0 to %d", fields[last], maxClasses-1)
	}
	if _, err := strconv.Atoi(fields[last-1]); err == nil && last > 1 {
		last--
	}
	return path.Clean(strings.Join(fields[:last], " ")), label, nil
}

// look finds out whether any video has frames, and any has flow.
func (l *rawframes) look(tree fs.FS) {
	for _, row := range l.rows {
		if l.frames && l.flow {
			return
		}
		l.lookAt(tree, row[3])
	}
}

// lookAt reads a folder until it has seen both. One that cannot be read is missing, which OpenMedia tells.
func (l *rawframes) lookAt(tree fs.FS, folder string) {
	f, err := tree.Open(folder)
	if err != nil {
		return
	}
	defer f.Close() // only listed
	d, ok := f.(fs.ReadDirFile)
	for ok && !(l.frames && l.flow) {
		entries, err := d.ReadDir(256)
		for _, e := range entries {
			if name := e.Name(); isPicture(name) {
				l.frames = l.frames || matches("", name)
				l.flow = l.flow || matches(flowX, name)
			}
		}
		if err != nil || len(entries) == 0 {
			return
		}
	}
}

// Name implements List.
func (l *rawframes) Name() string { return l.root }

// Columns implements List.
func (l *rawframes) Columns() []string { return rawframesColumns }

// Rows implements List.
func (l *rawframes) Rows() int { return len(l.rows) }

// Field implements List.
func (l *rawframes) Field(row, column int) string {
	const frames, flow = 3, 4
	if column == frames && !l.frames || column == flow && !l.flow {
		return ""
	}
	return l.rows[row][min(column, frames)]
}

// Place implements List.
func (l *rawframes) Place(row int) string {
	if l.places != nil {
		return l.places[row]
	}
	return path.Join(l.root, l.rows[row][3])
}
