package encode

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// ffmpegs runs ffmpeg in a folder, and skips the test where there is none.
func ffmpegs(t *testing.T, dir, args string) {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("no ffmpeg (Debian: apt-get install ffmpeg)")
	}
	cmd := exec.Command("ffmpeg", append([]string{"-nostdin", "-loglevel", "error"}, strings.Fields(args)...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %s: %v: %s", args, err, out)
	}
}

// A frame of a video is, to the bit, what the same frame is that ffmpeg wrote to a png, read as an image or from a folder of frames:
// whatever the size, the cut, and the number of colours.
func TestVideoEqualsPictures(t *testing.T) {
	dir := t.TempDir()
	ffmpegs(t, dir, "-f lavfi -i testsrc2=size=174x98:rate=10:duration=2 clip.mp4")
	if err := os.Mkdir(filepath.Join(dir, "png"), 0o777); err != nil {
		t.Fatal(err)
	}
	ffmpegs(t, dir, "-i clip.mp4 png/frame_%05d.png")
	for _, c := range []struct {
		video, settings string
		names           []int // of the pictures, from 1
	}{
		{"frames=4", "size=224", []int{4, 9, 14, 19}}, // of twenty, each the first shown at the middle of its half second or later
		{"frames=4", "size=30x40,mode=grey", []int{4, 9, 14, 19}},
		{"frames=4,every=6", "crop=24x32,resize=40", []int{1, 7, 13, 19}},
		{"frames=4,fps=2", "size=40,fit=letterbox,fill=7", []int{1, 6, 11, 16}},
		{"frames=3,every=1", "size=98x174", []int{1, 2, 3}},
		{"frames=3,every=1,start=from", "crop=24x32", []int{11, 12, 13}},
	} {
		video, settings, names := c.video, c.settings, c.names
		list := "id,clip,from,folder\na,clip.mp4,1,pick\n"
		for i, n := range names {
			write(t, dir, fmt.Sprintf("pick/frame_%05d.png", i+1), readFile(t, filepath.Join(dir, fmt.Sprintf("png/frame_%05d.png", n))))
		}
		frames := fmt.Sprintf("folder:frames=%d,every=1,%s", len(names), settings)
		m, err := openKinds(t, dir, list, map[string]string{"video": "clip:" + video + "," + settings, "frames": frames})
		if err != nil {
			t.Fatal(err)
		}
		rows, err := all(t, m, 1)
		if err != nil {
			t.Fatal(err)
		}
		fromVideo, fromFrames := rows[0].Tensors[0].([]uint8), rows[0].Tensors[1].([]uint8)
		if shapes := m.Samples().Modalities; !slices.Equal(shapes[0].Shape, shapes[1].Shape) {
			t.Errorf("%s, %s: shapes %v and %v", video, settings, shapes[0].Shape, shapes[1].Shape)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
		if !slices.Equal(fromVideo, fromFrames) {
			t.Errorf("%s, %s: the video's pixels differ from the pictures'", video, settings)
		}
		if size := len(fromVideo) / len(names); slices.Equal(fromVideo[:size], fromVideo[size:2*size]) {
			t.Errorf("%s, %s: two frames alike: the clip says nothing", video, settings)
		}
		image := fmt.Sprintf("id,png\na,png/frame_%05d.png\n", names[1])
		one, err := openKinds(t, dir, image, map[string]string{"image": "png:" + settings})
		if err != nil {
			t.Fatal(err)
		}
		if rows, err = all(t, one, 1); err != nil {
			t.Fatal(err)
		}
		if size := len(fromVideo) / len(names); !slices.Equal(fromVideo[size:2*size], rows[0].Tensors[0].([]uint8)) {
			t.Errorf("%s, %s: the second frame differs from its image", video, settings)
		}
		if err := one.Close(); err != nil {
			t.Error(err)
		}
	}
}

// A video of fewer frames than are asked for.
func TestShortVideo(t *testing.T) {
	dir := t.TempDir()
	ffmpegs(t, dir, "-f lavfi -i testsrc2=size=64x64:rate=10:duration=1 -frames:v 3 clip.mp4")
	open := func(settings string) ([]uint8, error) {
		t.Helper()
		m, err := openKinds(t, dir, "id,clip\na,clip.mp4\n", map[string]string{"video": "clip:size=64,frames=5," + settings})
		if err != nil {
			t.Fatal(err)
		}
		defer m.Close()
		rows, err := all(t, m, 1)
		if err != nil {
			return nil, err
		}
		return rows[0].Tensors[0].([]uint8), nil
	}
	const size = 3 * 64 * 64
	got, err := open("every=1")
	if err != nil || !slices.Equal(got[2*size:3*size], got[4*size:]) || slices.Equal(got[size:2*size], got[2*size:3*size]) {
		t.Errorf("repeated: %v", err)
	}
	last := slices.Clone(got[2*size : 3*size])
	got, err = open("fps=10,short=black")
	if err != nil || !slices.Equal(got[2*size:3*size], last) || slices.ContainsFunc(got[3*size:], func(v uint8) bool { return v != 0 }) {
		t.Errorf("black: %v", err)
	}
	if _, err = open("every=1,short=refuse"); err == nil || !strings.Contains(err.Error(), "3 frames where 5 are asked for") {
		t.Errorf("refused: %v", err)
	}
	for _, settings := range []string{"every=2,fps=3", "fps=1001", "size="} {
		if m, err := openKinds(t, dir, "id,clip\na,clip.mp4\n", map[string]string{"video": "clip:" + settings}); err == nil {
			m.Close()
			t.Errorf("%s: want an error", settings)
		}
	}
}
