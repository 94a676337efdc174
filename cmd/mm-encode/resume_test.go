package main

import (
	"bytes"
	"fmt"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// pictures lays out a list of n small images, every seventh cut off, and returns the arguments that scale them up: a batch holds 55.
func pictures(t *testing.T, n int) []string {
	t.Helper()
	dir := t.TempDir()
	var list bytes.Buffer
	list.WriteString("id,label,png\n")
	for i := range n {
		m := image.NewGray(image.Rect(0, 0, 8, 8))
		for j := range m.Pix {
			m.Pix[j] = uint8(i + j*j)
		}
		var b bytes.Buffer
		if err := png.Encode(&b, m); err != nil {
			t.Fatal(err)
		}
		data := b.Bytes()
		if i%7 == 3 {
			data = data[:40]
		}
		name := fmt.Sprintf("%d.png", i)
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&list, "s%d,%d,%s\n", i, i%3, name)
	}
	path := filepath.Join(dir, "list.csv")
	if err := os.WriteFile(path, list.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return []string{"media", "--manifest", path, "--id", "id", "--label", "label", "--image", "png", "--image-size", "224", "--on-error", "skip"}
}

// videos lays out folders of n short videos, one of which is broken, and returns the arguments that make many large frames of each: a batch
// holds one or two.
func videos(t *testing.T, n int) []string {
	t.Helper()
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		t.Skip("no ffmpeg (Debian: apt-get install ffmpeg)")
	}
	dir := t.TempDir()
	for i := range n {
		class := filepath.Join(dir, fmt.Sprintf("class%d", i%2))
		if err := os.MkdirAll(class, 0o777); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(class, fmt.Sprintf("%d.mp4", i))
		if i == 3 {
			if err := os.WriteFile(path, []byte("no video"), 0o666); err != nil {
				t.Fatal(err)
			}
			continue
		}
		clip := exec.Command("ffmpeg", "-nostdin", "-loglevel", "error", "-f", "lavfi", "-i", fmt.Sprintf("testsrc2=size=64x48:rate=10:duration=0.5,hue=h=%d", 30*i), "-preset", "ultrafast", path)
		if out, err := clip.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	return []string{"dataset", "folder", "--root", dir, "--video", "video:frames=40,every=1,size=224", "--on-error", "null"}
}

// A run that is killed again and again, each time a little later, ends with the bytes and the report of one whole run.
func TestResumeAfterKill(t *testing.T) {
	t.Run("images", func(t *testing.T) { resumeAfterKill(t, pictures(t, 420)) })
	t.Run("videos", func(t *testing.T) { resumeAfterKill(t, videos(t, 8)) })
}

func resumeAfterKill(t *testing.T, args []string) {
	dir := t.TempDir()
	run := func(name string, more ...string) *exec.Cmd {
		all := append(args[:len(args):len(args)], "-o", filepath.Join(dir, name), "--report", filepath.Join(dir, name+".jsonl"))
		return exec.Command("mm-encode", append(all, more...)...)
	}
	if out, err := run("whole").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	partial := filepath.Join(dir, "out.partial")
	kills := 0
	for round := 1; ; round++ {
		if round > 100 {
			t.Fatal("100 kills, and no end")
		}
		var stderr bytes.Buffer
		cmd := run("out", "--resume", "--threads", fmt.Sprint(1+round%3))
		cmd.Stderr = &stderr
		before := size(partial)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		var err error
	waiting:
		for {
			select {
			case err = <-ended:
				break waiting
			case <-time.After(time.Millisecond):
				if size(partial) > before+int64(round%2)*8<<20 { // amid the next batch, or the one after
					cmd.Process.Kill()
					kills++
					err = <-ended
					break waiting
				}
			}
		}
		if err == nil {
			break
		}
		if cmd.ProcessState.ExitCode() != -1 {
			t.Fatalf("round %d: %v: %s", round, err, stderr.String())
		}
		if _, err := os.Stat(filepath.Join(dir, "out")); err == nil {
			break // killed after its commit
		}
	}
	if kills < 2 {
		t.Fatalf("%d kills: the test means to break it more than once", kills)
	}
	for _, name := range []string{"", ".jsonl"} {
		want, err := os.ReadFile(filepath.Join(dir, "whole"+name))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(filepath.Join(dir, "out"+name)); err != nil || !bytes.Equal(got, want) {
			t.Errorf("out%s: %d bytes, %v, differ from the %d of a whole run", name, len(got), err, len(want))
		}
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "out.partial*")); len(left) > 0 {
		t.Errorf("left %v", left)
	}
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}

// Going on with other options, or over another list, is refused and touches nothing.
func TestResumeRefuses(t *testing.T) {
	args := pictures(t, 80)
	out := filepath.Join(t.TempDir(), "out")
	args = append(args, "-o", out, "--resume")
	args[12] = "fail" // --on-error: the fourth image is broken
	if b, err := exec.Command("mm-encode", args...).CombinedOutput(); err == nil || !bytes.Contains(b, []byte("s3")) && !bytes.Contains(b, []byte("3.png")) {
		t.Fatalf("got %v: %s", err, b)
	}
	before, err := os.ReadFile(out + ".partial.journal")
	if err != nil {
		t.Fatal(err)
	}
	b, err := exec.Command("mm-encode", append(args, "--image-mode", "grey")...).CombinedOutput()
	if err == nil || !bytes.Contains(b, []byte("other options")) || !bytes.Contains(b, []byte("hint: give the options of that run")) {
		t.Errorf("got %v: %s", err, b)
	}
	if after, err := os.ReadFile(out + ".partial.journal"); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the journal changed: %q, then %q, %v", before, after, err)
	}
	strange := append(bytes.Clone(before), `{"end":0,"crc32c":0,"note":["x"]}`+"\n"...)
	if err := os.WriteFile(out+".partial.journal", strange, 0o666); err != nil {
		t.Fatal(err)
	}
	b, err = exec.Command("mm-encode", args...).CombinedOutput()
	if err == nil || !bytes.Contains(b, []byte("a note is not one of mm-encode's")) {
		t.Errorf("got %v: %s", err, b)
	}
	if _, err := os.Stat(out); err == nil {
		t.Error("an output is there")
	}
}
