package encode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestFramesChoice(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"f_10.png", "f_2.png", "f_1.png", "f_09.png", "notes.txt", ".hidden.png", "flow_x_1.png", "flow_y_1.png"} {
		write(t, dir, "clip/"+name, picture(t, 2, 2, 0))
	}
	write(t, dir, "none/notes.txt", nil)
	f, err := openFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer f.close()
	for pattern, want := range map[string]string{"": "f_1.png f_2.png f_09.png f_10.png", "f_?.png": "f_1.png f_2.png", "flow_*": "flow_x_1.png flow_y_1.png", "*.jpg": ""} {
		if got, err := f.Pictures("clip", pattern); err != nil || strings.Join(got, " ") != want {
			t.Errorf("%q: got %v, %v", pattern, got, err)
		}
	}
	frames := func(folder, settings string) (string, error) {
		t.Helper()
		spec, err := framesKind.ParseSpec("column:"+settings, nil)
		if err != nil {
			t.Fatal(err)
		}
		c := framesChannel{fileChannel: fileChannel{folder: f}, spec: spec.(FramesSpec)}
		got, err := c.frames(folder)
		for i, p := range got {
			got[i] = strings.TrimSuffix(strings.TrimPrefix(p, "clip/f_"), ".png")
		}
		return strings.Join(got, " "), err
	}
	for settings, want := range map[string]string{
		"frames=1": "09", "frames=2": "2 10", "frames=3": "1 09 10", "frames=4": "1 2 09 10", // of four: the middles of equal parts, rounded down
		"frames=8": "1 1 2 2 09 09 10 10", "frames=6,short=black": "1 2 09 10  ",
		"frames=2,every=1": "1 2", "frames=6,every=1": "1 2 09 10 10 10", "frames=2,every=3": "1 10", "frames=3,every=2": "1 09 09",
		"frames=3,every=2,short=black": "1 09 ", "frames=4,every=1,short=refuse": "1 2 09 10", "frames=2,files=f_?.png": "1 2",
	} {
		if got, err := frames("clip", settings); err != nil || got != want {
			t.Errorf("%s of four: got %q, %v, want %q", settings, got, err, want)
		}
	}
	for _, settings := range []string{"frames=5,short=refuse", "frames=3,every=2,short=refuse"} {
		if _, err := frames("clip", settings); err == nil || isMissing(err) || !strings.Contains(err.Error(), "are asked for") {
			t.Errorf("%s of four: got %v", settings, err)
		}
	}
	if _, err := frames("none", "frames=1"); !errors.Is(err, ErrMissing) {
		t.Errorf("an empty folder: got %v", err)
	}
	if _, err := frames("gone", "frames=1"); !isMissing(err) {
		t.Errorf("no folder: got %v", err)
	}
	if _, err := frames("../..", "frames=1"); err == nil || isMissing(err) {
		t.Errorf("outside: got %v", err)
	}
	if _, err := frames("clip/f_1.png", "frames=1"); err == nil || isMissing(err) {
		t.Errorf("a file: got %v", err)
	}
}

func TestLastNumber(t *testing.T) {
	for name, want := range map[string]string{"flow_x_00012.jpg": "12", "00012_u.png": "12", "u.jpg": "", "v_g01_c02_0.jpg": "", "10.jpg": "10"} {
		if got := lastNumber(name); got != want {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

// Optical flow whose parts lie in one folder, beside the frames, as dense_flow and MMAction write them.
func TestFlowInOneFolder(t *testing.T) {
	dir := t.TempDir()
	for i := range 12 {
		write(t, dir, fmt.Sprintf("clip/img_%05d.png", i+1), picture(t, 1, 1, i))
		write(t, dir, fmt.Sprintf("clip/flow_x_%05d.png", i+1), picture(t, 1, 1, 100+i))
		write(t, dir, fmt.Sprintf("clip/flow_y_%05d.png", i+1), picture(t, 1, 1, 200+i))
	}
	const list = "id,clip\na,clip\n"
	for settings, want := range map[string][]uint8{
		"":                               {101, 201, 104, 204, 107, 207, 110, 210},
		",every=5":                       {100, 200, 105, 205, 110, 210, 110, 210},
		",every=5,short=black":           {100, 200, 105, 205, 110, 210, 0, 0},
		",x=flow_y_*,y=flow_x_*,every=1": {200, 100, 201, 101, 202, 102, 203, 103},
	} {
		m, err := openKinds(t, dir, list, map[string]string{"flow": "clip:frames=4,size=1" + settings, "frames": "clip:frames=2,size=1"})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := all(t, m, 1)
		if err != nil {
			t.Fatal(err)
		}
		if got := rows[0].Tensors[1].([]uint8); !slices.Equal(got, want) {
			t.Errorf("%s: got %v, want %v", settings, got, want)
		}
		if got := rows[0].Tensors[0].([]uint8); got[0] != 3 || got[3] != 9 { // three colours each, of twelve the middles of halves
			t.Errorf("frames beside: got %v", got)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if err := os.Rename(filepath.Join(dir, "clip/flow_y_00012.png"), filepath.Join(dir, "clip/flow_y_00013.png")); err != nil {
		t.Fatal(err)
	}
	if _, err := openKinds(t, dir, list, map[string]string{"flow": "clip"}); err == nil || !strings.Contains(err.Error(), "flow_x_00012.png and flow_y_00013.png: parts of different frames") {
		t.Errorf("a part that is another frame's: got %v", err)
	}
	if _, err := openKinds(t, dir, list, map[string]string{"flow": "clip:x=u_*,y=v_*"}); !isMissing(err) {
		t.Errorf("no flow in the folder: got %v", err)
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
	if _, err := openKinds(t, dir, "id,clip\na,clip\n", map[string]string{"frames": "clip:size="}); err == nil || !strings.Contains(err.Error(), "no size") {
		t.Errorf("no size: got %v", err)
	}
	for text, want := range map[string]string{"clip:frames=0": "frames=0: want 1 to 65536", "clip:every=-1": "every=-1", "clip:short=null": "short=null", "clip:files=[a": "files=[a"} {
		if _, err := framesKind.ParseSpec(text, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}
