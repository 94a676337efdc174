package encode

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/stream"
)

// rows prints a list: its fields with bars between them.
func rows(l List) (all []string) {
	for row := range l.Rows() {
		var fields []string
		for column := range l.Columns() {
			fields = append(fields, l.Field(row, column))
		}
		all = append(all, strings.Join(fields, "|"))
	}
	return all
}

func TestRawframes(t *testing.T) {
	dir := t.TempDir()
	for _, video := range []string{"rawframes_train/run/v1", "rawframes_train/eat/v2", "rawframes_val/run/v3"} {
		write(t, dir, video+"/img_00001.jpg", nil)
	}
	write(t, dir, "annotations/readme.txt", nil)
	l, classes, err := RawframesList(dir, "", nil)
	want := []string{"eat/v2|eat|train|rawframes_train/eat/v2|", "run/v1|run|train|rawframes_train/run/v1|", "run/v3|run|validation|rawframes_val/run/v3|"}
	if err != nil || classes != nil || !slices.Equal(rows(l), want) {
		t.Fatalf("got %q, %v, %v, want %q", rows(l), classes, err, want)
	}

	// The folder itself, now with flow; names of splits and classes out of annotations.
	write(t, dir, "rawframes_val/run/v3/flow_x_00001.jpg", nil)
	root := filepath.Join(dir, "rawframes_val")
	if l, _, err = RawframesList(root, "", nil); err != nil || !slices.Equal(rows(l), []string{"run/v3|run||run/v3|run/v3"}) {
		t.Errorf("got %q, %v", rows(l), err)
	}
	annotations := write(t, dir, "ucf101_val_split_1_rawframes.txt", []byte("run/v3 12 2\nplaying a violin/gone 7 0\n\n"))
	l, classes, err = RawframesList(root, annotations, nil)
	want = []string{"run/v3|run|validation|run/v3|run/v3", "playing a violin/gone|playing a violin|validation|playing a violin/gone|playing a violin/gone"}
	if err != nil || !slices.Equal(rows(l), want) || !slices.Equal(classes, []string{"playing a violin", "1", "run"}) || l.Place(1) != annotations+": line 2" {
		t.Errorf("got %q, %q, %v", rows(l), classes, err)
	}
	if l, classes, err = RawframesList(root, annotations, []string{"a", "b", "c"}); err != nil || l.Field(0, 1) != "c" || !slices.Equal(classes, []string{"a", "b", "c"}) {
		t.Errorf("named classes: got %q, %q, %v", rows(l), classes, err)
	}
	flat := write(t, dir, "train.txt", []byte("v3 12 2\nv4 1\n"))
	if l, classes, err = RawframesList(filepath.Join(root, "run"), flat, nil); err != nil || l.Field(0, 1) != "2" || l.Field(1, 0) != "v4" || !slices.Equal(classes, []string{"0", "1", "2"}) {
		t.Errorf("no folders of classes: got %q, %q, %v", rows(l), classes, err)
	}
}

func TestRawframesRefuses(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/readme.txt", nil)
	for _, c := range []struct {
		annotations string
		classes     []string
		want        string
	}{
		{"", nil, "no folder of frames below it"},
		{"\n", nil, "no video"},
		{"run/v1\n", nil, "line 1: want PATH FRAMES LABEL"},
		{"run/v1 12 -1\n", nil, `line 1: label "-1"`},
		{"run/v1 12 70000\n", nil, `line 1: label "70000"`},
		{"run/v1 12 0\neat/v2 3 0\n", nil, "line 2: label 0 is of the folders run and eat"},
		{"run/v1 12 3\n", []string{"x"}, "line 1: label 3: --classes has 1"},
	} {
		file := ""
		if c.annotations != "" {
			file = write(t, dir, "list.txt", []byte(c.annotations))
		}
		if _, _, err := RawframesList(dir, file, c.classes); !errors.Is(err, stream.ErrInput) || !strings.Contains(fmt.Sprint(err), c.want) {
			t.Errorf("%q: got %v, want %q", c.annotations, err, c.want)
		}
	}
	if _, _, err := RawframesList(dir, dir+"/gone", nil); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no list: got %v", err)
	}
}

// A video that leaves the root is refused when its frames are looked for.
func TestRawframesOutside(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "outside/v/img_1.jpg", nil)
	write(t, dir, "root/run/v1/img_1.jpg", picture(t, 1, 1, 0))
	list := write(t, dir, "list.txt", []byte("run/v1 1 0\n../outside/v 1 0\n"))
	l, classes, err := RawframesList(dir+"/root", list, []string{"x"})
	if err != nil {
		t.Fatal(err)
	}
	kind, _ := LookKind("frames")
	spec, err := kind.ParseSpec("frames:size=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := OpenMedia(MediaOptions{List: l, Root: dir + "/root", ID: "id", Label: "label", Classes: classes, Channels: []Spec{spec}})
	if err == nil {
		m.Close()
	}
	if err == nil || isMissing(err) || !strings.Contains(err.Error(), "list.txt: line 2") {
		t.Errorf("got %v", err)
	}
}

// No annotations make the reader panic; what is read has a class each, and bad ones are input errors.
func FuzzAnnotations(f *testing.F) {
	f.Add("run/v3 12 2\nplaying a violin/gone 7 0\n\n")
	f.Add("v3 12 2\nv4 1\n")
	f.Add("../x 1 0\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		l := &rawframes{}
		classes, err := l.annotated("train.txt", strings.Split(text, "\n"), nil)
		if err != nil && !errors.Is(err, stream.ErrInput) {
			t.Fatalf("%v is no input error", err)
		}
		for row := range l.Rows() {
			if err == nil && (!slices.Contains(classes, l.Field(row, 1)) || l.Field(row, 2) != "train" || l.Place(row) == "") {
				t.Fatalf("row %d: %q of classes %q", row, l.rows[row], classes)
			}
		}
	})
}
