package encode

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFramesChoice(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"f_10.png", "f_2.png", "f_1.png", "f_09.png", "notes.txt", ".hidden.png"} {
		write(t, dir, "clip/"+name, picture(t, 2, 2, 0))
	}
	write(t, dir, "none/notes.txt", nil)
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	if got, err := f.List("clip"); err != nil || !slices.Equal(got, []string{"f_1.png", "f_2.png", "f_09.png", "f_10.png"}) {
		t.Errorf("got %v, %v", got, err)
	}
	for count, want := range map[int]string{ // of four: the middle of each of count equal parts, rounded down
		1: "09", 2: "2 10", 3: "1 09 10", 4: "1 2 09 10", 8: "1 1 2 2 09 09 10 10",
	} {
		got, err := f.frames("clip", count)
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range got {
			got[i] = strings.TrimSuffix(strings.TrimPrefix(p, "clip/f_"), ".png")
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%d of four: got %v, want %s", count, got, want)
		}
	}
	if _, err := f.frames("none", 1); !errors.Is(err, ErrMissing) {
		t.Errorf("an empty folder: got %v", err)
	}
	if _, err := f.frames("gone", 1); !isMissing(err) {
		t.Errorf("no folder: got %v", err)
	}
	if _, err := f.frames("../..", 1); err == nil || isMissing(err) {
		t.Errorf("outside: got %v", err)
	}
	if _, err := f.frames("clip/f_1.png", 1); err == nil || isMissing(err) {
		t.Errorf("a file: got %v", err)
	}
}

// openKinds opens a list of one row, with specs as on the command line.
func openKinds(t *testing.T, dir, list string, specs map[string]string) (*Media, error) {
	t.Helper()
	l, err := ReadManifest(write(t, dir, "list.csv", []byte(list)))
	if err != nil {
		t.Fatal(err)
	}
	o := MediaOptions{List: l, Root: dir, ID: "id"}
	for _, k := range Kinds {
		if text, ok := specs[k.Name]; ok {
			spec, err := k.ParseSpec(text, nil)
			if err != nil {
				t.Fatal(err)
			}
			o.Channels = append(o.Channels, spec)
		}
	}
	return OpenMedia(o)
}

func TestFramesAndFlow(t *testing.T) {
	dir := t.TempDir()
	for i, name := range []string{"1", "2", "3"} {
		write(t, dir, "clip/"+name+".png", picture(t, 2, 3, 10*i))
		write(t, dir, "u/"+name+".png", picture(t, 2, 3, 100+10*i))
		write(t, dir, "v/"+name+".png", picture(t, 2, 3, 200+10*i))
	}
	m, err := openKinds(t, dir, "id,clip,u,v\na,clip,u,v\nb,,,\n", map[string]string{"frames": "clip:frames=3,size=2x3,mode=grey", "flow": "u+v:frames=1,size=2x3"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if got := m.Samples().Modalities; !slices.Equal(got[0].Shape, []int{3, 1, 2, 3}) || got[0].Kind != "video" || !slices.Equal(got[1].Shape, []int{1, 2, 2, 3}) || got[1].Kind != "flow" {
		t.Errorf("modalities %v", got)
	}
	rows, err := all(t, m, 2)
	if err != nil || len(rows) != 2 || rows[1].Tensors[0] != nil || rows[1].Tensors[1] != nil {
		t.Fatalf("got %v, %v", rows, err)
	}
	want := []uint8{0, 1, 2, 3, 4, 5, 10, 11, 12, 13, 14, 15, 20, 21, 22, 23, 24, 25}
	if got := rows[0].Tensors[0].([]uint8); !slices.Equal(got, want) {
		t.Errorf("frames: got %v, want %v", got, want)
	}
	want = []uint8{110, 111, 112, 113, 114, 115, 210, 211, 212, 213, 214, 215} // the middle one of three
	if got := rows[0].Tensors[1].([]uint8); !slices.Equal(got, want) {
		t.Errorf("flow: got %v, want %v", got, want)
	}
	digest := m.Samples().Digest
	if err := os.Remove(filepath.Join(dir, "v/3.png")); err != nil {
		t.Fatal(err)
	}
	if _, err := openKinds(t, dir, "id,clip,u,v\na,clip,u,v\n", map[string]string{"flow": "u+v:frames=1,size=2x3"}); err == nil || !strings.Contains(err.Error(), "3 horizontal parts, and 2 vertical ones in v") {
		t.Errorf("an odd part: got %v", err)
	}
	write(t, dir, "clip/4.png", picture(t, 2, 3, 0))
	other, err := openKinds(t, dir, "id,clip\na,clip\nb,\n", map[string]string{"frames": "clip:frames=3,size=2x3,mode=grey"})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if other.Samples().Digest == digest {
		t.Error("another choice of frames has the same digest")
	}
	write(t, dir, "clip/3.png", []byte("\x89PNG"))
	var row [1]Row
	row[0].Tensors = make([]any, 1)
	d, err := other.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	if d.Decode(context.Background(), 0, row[:], [][]any{make([]any, 1)}); len(row[0].Failures) != 1 || !strings.Contains(row[0].Failures[0].Err.Error(), `column "clip": clip: 3.png: `) {
		t.Errorf("a broken frame: got %v", row[0].Failures)
	}
	for text, want := range map[string]string{"clip:frames=0": "0 frames", "clip:size=": "no size"} {
		if _, err := openKinds(t, dir, "id,clip\na,clip\n", map[string]string{"frames": text}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
