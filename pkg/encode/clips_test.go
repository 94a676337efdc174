package encode

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// countStarts puts scripts in ffmpeg's and ffprobe's place that count how often they are called; the function returned says how often that
// was since its last call.
func countStarts(t *testing.T) func() int {
	t.Helper()
	dir := t.TempDir()
	count := filepath.Join(dir, "count")
	for _, name := range []string{"ffmpeg", "ffprobe"} {
		real, err := exec.LookPath(name)
		if err != nil {
			t.Skip(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\necho >>"+count+"\nexec "+real+" \"$@\"\n"), 0o777); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return func() int {
		defer os.Remove(count)
		data, _ := os.ReadFile(count) // not there where nothing was started
		return bytes.Count(data, []byte("\n"))
	}
}

// clipList makes 24 rows: parts of two clips with sound, and of a third in another container, whose header is not read in Go.
func clipList(t *testing.T, dir string) string {
	t.Helper()
	ffmpegs(t, dir, "-f lavfi -i testsrc2=size=64x48:rate=10:duration=3 -f lavfi -i sine=440:sample_rate=8000:duration=3 a.mp4")
	ffmpegs(t, dir, "-f lavfi -i testsrc2=size=98x66:rate=15:duration=2 -f lavfi -i sine=880:sample_rate=44100:duration=2 -ac 2 b.mov")
	ffmpegs(t, dir, "-i a.mp4 -c copy c.mkv")
	list := "id,clip,from,till\n"
	for i := range 24 {
		from := float64(i%11) / 10
		list += fmt.Sprintf("r%d,%s,%.1f,%.1f\n", i, []string{"a.mp4", "b.mov", "a.mp4", "c.mkv"}[i%4], from, from+0.8)
	}
	return list
}

var clipSpecs = map[string]string{
	"audio": "clip:transform=wave,rate=8000,seconds=0.5,start=from,end=till",
	"video": "clip:frames=3,size=32,start=from,end=till",
}

// openClips opens a list of clips, and decodes it once.
func openClips(t *testing.T, dir, list string) (*Media, []Row) {
	t.Helper()
	m, err := openKinds(t, dir, list, clipSpecs)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	want, err := all(t, m, 1)
	if err != nil {
		t.Fatal(err)
	}
	return m, want
}

// Clips that one child decodes are what each is that has a child of its own, in far fewer starts.
func TestClipsTogether(t *testing.T) {
	dir := t.TempDir()
	list := clipList(t, dir)
	starts := countStarts(t)
	m, want := openClips(t, dir, list)
	// Groups of 8, 8 and 8: a start each, and one of ffprobe for each of the six whose container says nothing here.
	if n := starts(); n != 3+6 {
		t.Errorf("%d starts of 24 clips", n)
	}
	if got, err := all(t, m, 3); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("3 threads: other rows, %v", err)
	}
	for _, i := range []int{1, 3} {
		alone := "id,clip,from,till\n" + strings.Split(list, "\n")[i+1] + "\n"
		for p, kind := range []string{"audio", "video"} { // each modality by itself
			one, err := openKinds(t, dir, alone, map[string]string{kind: clipSpecs[kind]})
			if err != nil {
				t.Fatal(err)
			}
			rows, err := all(t, one, 1)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(rows[0].Tensors[0], want[i].Tensors[p]) {
				t.Errorf("row %d: its %s differs from what it is alone", i, kind)
			}
			if err := one.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// A clip that is broken, or without sound, costs its own row alone, and its error names it.
func TestClipsThatFail(t *testing.T) {
	dir := t.TempDir()
	lines := strings.SplitAfter(clipList(t, dir), "\n")
	ffmpegs(t, dir, "-i a.mp4 -an -c copy silent.mp4")
	clip := readFile(t, filepath.Join(dir, "a.mp4"))
	write(t, dir, "text.mp4", []byte("words"))
	write(t, dir, "cut.mp4", clip[:len(clip)/2])
	starts := countStarts(t)
	m, err := openKinds(t, dir, strings.Join(append(lines[:9], "silent,silent.mp4,,\n", "text,text.mp4,,\n", "cut,cut.mp4,,\n"), ""), clipSpecs)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	var failed []string
	var there [2][]bool // whether each row has the modality
	err = Run(t.Context(), m, RunOptions{Threads: 1, Errors: Null, Report: func(f Failure) {
		failed = append(failed, f.ID+" "+f.Modality)
		if !strings.Contains(f.Err.Error(), f.Path) {
			t.Errorf("%s: the error does not name its clip: %v", f.ID, f.Err)
		}
	}}, func(r *Row) error {
		for p := range there {
			there[p] = append(there[p], r.Tensors[p] != nil)
		}
		return nil
	})
	if got, want := strings.Join(failed, ", "), "silent audio, text audio, text video, cut audio, cut video"; err != nil || got != want {
		t.Errorf("failed: %s, %v; want %s", got, err, want)
	}
	// Of the first eight rows 1, and 2 of ffprobe; then the silent sound; ffprobe of both that have no header; silent's frames and cut's sound, and each of these.
	if n := starts(); n != 3+1+2+3 {
		t.Errorf("%d starts", n)
	}
	if slices.Contains(there[0][:8], false) || slices.Contains(there[1][:9], false) {
		t.Errorf("rows have lost something: %v", there)
	}
}

// A clip whose pictures are larger than its header says is decoded by itself, as it would have been at first.
func TestClipThatLies(t *testing.T) {
	dir := t.TempDir()
	clipList(t, dir)
	lie := readFile(t, filepath.Join(dir, "b.mov"))
	at := bytes.Index(lie, []byte("avc1"))
	copy(lie[at+28:], []byte{0, 1, 0, 1}) // 1x1, where the codec knows better
	write(t, dir, "lie.mov", lie)
	starts := countStarts(t)
	var rows [2][]Row
	for i, c := range []struct {
		name   string
		starts int
	}{{"b.mov", 1}, {"lie.mov", 1 + 2}} {
		m, err := openKinds(t, dir, "id,clip,from,till\na,"+c.name+",0.1,0.9\n", clipSpecs)
		if err != nil {
			t.Fatal(err)
		}
		if rows[i], err = all(t, m, 1); err != nil {
			t.Fatal(err)
		}
		if n := starts(); n != c.starts {
			t.Errorf("%s: %d starts, want %d", c.name, n, c.starts)
		}
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	}
	if !reflect.DeepEqual(rows[0], rows[1]) {
		t.Error("the clip is not what it is with a true header")
	}
}

// Clips that take one child too long get one each.
func TestClipsThatTakeLong(t *testing.T) {
	dir := t.TempDir()
	lines := strings.SplitAfter(clipList(t, dir), "\n")
	list := lines[0] + lines[1] + lines[3] // both of a.mp4
	_, want := openClips(t, dir, list)
	real, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "bin/ffmpeg", []byte("#!/bin/sh\ncase \"$*\" in *-map*-map*) sleep 60;; esac\nexec "+real+" \"$@\"\n"))
	if err := os.Chmod(filepath.Join(dir, "bin/ffmpeg"), 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Join(dir, "bin")+":"+os.Getenv("PATH"))
	starts := countStarts(t)
	slow, err := openKinds(t, dir, list, clipSpecs)
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	tools, err := slow.channels[0].(*soundChannel).tools.get()
	if err != nil {
		t.Fatal(err)
	}
	tools.Timeout = 10 * time.Second // those of one clip each, which take a tenth of a second, took 3 on a machine that did much else
	if got, err := all(t, slow, 1); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("other rows, %v", err)
	}
	if n := starts(); n != 1+4 {
		t.Errorf("%d starts", n)
	}
}

// What a model is fed of clips that one child decodes is what it is fed of each by itself; one that is broken is an error of its own.
func TestClipsForEncoders(t *testing.T) {
	dir := t.TempDir()
	list := clipList(t, dir)
	write(t, dir, "text.mp4", []byte("words"))
	list = strings.Replace(list, "r2,a.mp4", "r2,text.mp4", 1)
	starts := countStarts(t)
	m, err := openKinds(t, dir, list, map[string]string{"video": "clip:frames=2,fps=5,size=16,start=from,end=till"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	feed := &tensorFeed{Channel: m.channels[0], scale: []float64{0.5}, shift: []float64{1}}
	feeder, err := feed.newFeeder()
	if err != nil {
		t.Fatal(err)
	}
	defer closeIf(feeder)
	cells := make([]Cell, 7) // without the others, whose container says nothing here: each has a child of its own
	for i, row := range []int{0, 1, 2, 4, 5, 6, 8} {
		if !m.cell(&cells[i], m.channels[0], row) {
			t.Fatalf("row %d has no clip", row)
		}
	}
	if n := feeder.ahead(t.Context(), cells); n != len(cells) {
		t.Fatalf("%d cells ahead", n)
	}
	var together [][]float32
	for i, cell := range cells {
		inputs, err := feeder.feed(t.Context(), cell)
		if (err != nil) != (i == 2) {
			t.Fatalf("cell %d: %v", i, err)
		}
		together = append(together, nil)
		if err == nil {
			together[i] = slices.Clone(inputs[0].([]float32))
		}
	}
	if n := starts(); n > 3 { // the broken one, and those before and after it
		t.Errorf("%d starts of %d clips", n, len(cells))
	}
	for i, cell := range cells { // none is ahead
		inputs, err := feeder.feed(t.Context(), cell)
		if (err != nil) != (i == 2) || err == nil && !slices.Equal(inputs[0].([]float32), together[i]) {
			t.Errorf("cell %d differs from what it is alone, %v", i, err)
		}
	}
}

// A wav file whose encoding is not read in Go, such as telephones' mu-law, comes through ffmpeg.
func TestEncodedWAV(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a.wav", tone(8000, 4000, 440))
	ffmpegs(t, dir, "-i a.wav -c:a pcm_mulaw mulaw.wav")
	m, err := openKinds(t, dir, "id,sound\nx,a.wav\ny,mulaw.wav\n", map[string]string{"audio": "sound:transform=wave,rate=8000,seconds=0.5"})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	rows, err := all(t, m, 1)
	if err != nil {
		t.Fatal(err)
	}
	want := rows[0].Tensors[0].([]float32)
	for i, v := range rows[1].Tensors[0].([]float32) {
		if d := math.Abs(float64(v - want[i])); d > 0.01 { // a sample errs by 1/32 of itself at most, and the loudest is 0.25 (ITU-T G.711)
			t.Fatalf("sample %d: got %v, want %v", i, v, want[i])
		}
	}
}
