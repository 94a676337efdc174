package ffmpeg

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// decoded is what came of a job.
type decoded struct {
	rate    int
	samples []float32
	frames  []byte
}

// several makes jobs over files, sound and frames of each, and says what came of them once they are done.
func several(files []*os.File, choice Choice) ([]Job, func() []decoded) {
	var jobs []Job
	frames := make([]bytes.Buffer, len(files))
	for i, f := range files {
		jobs = append(jobs, &SoundJob{File: f, Cut: choice.Cut, Limit: 1 << 20}, &FramesJob{File: f, Choice: choice, Limit: 1 << 20, Emit: func(p Frame) error {
			fmt.Fprintf(&frames[i], "%dx%d:", p.Width, p.Height)
			frames[i].Write(p.RGB)
			return nil
		}})
	}
	return jobs, func() []decoded {
		var all []decoded
		for i := range files {
			s := jobs[2*i].(*SoundJob)
			all = append(all, decoded{s.Rate, s.Samples, frames[i].Bytes()})
		}
		return all
	}
}

// Several files in one child are what each is in a child of its own: another codec, size, length and rate each.
func TestSeveralAreEach(t *testing.T) {
	tools := find(t)
	dir := t.TempDir()
	var files []*os.File
	for i, codecs := range []string{"-c:v libx264 -bf 2 a.mp4", "-c:v mpeg4 -c:a mp3 b.avi", "-c:v libvpx -deadline realtime -c:a libvorbis c.webm"} {
		ffmpegs(t, tools, dir, fmt.Sprintf("-f lavfi -i testsrc2=size=%dx64:rate=24:duration=%d -f lavfi -i sine=%d:sample_rate=%d:duration=2.3 -ac %d %s",
			64+32*i, 1+i, 300+200*i, []int{16000, 44100, 48000}[i], 1+i%2, codecs))
		files = append(files, open(t, filepath.Join(dir, codecs[strings.LastIndex(codecs, " ")+1:])))
	}
	for _, choice := range []Choice{{Cut: Cut{Start: 0.3, Duration: 0.6}, Count: 3, First: 0.1, Step: 0.2}, {Count: 100, Every: 3}} {
		jobs, result := several(files, choice)
		if err := tools.Decode(t.Context(), jobs...); err != nil {
			t.Fatal(err)
		}
		together := result()
		jobs, result = several(files, choice)
		for _, job := range jobs {
			if err := tools.Decode(t.Context(), job); err != nil {
				t.Fatal(err)
			}
		}
		for i, alone := range result() {
			if alone.rate == 0 || len(alone.samples) < 4000 || len(alone.frames) < 3*64*64 {
				t.Fatalf("%s, %+v: %d samples at %d, %d bytes of frames", files[i].Name(), choice, len(alone.samples), alone.rate, len(alone.frames))
			}
			if together[i].rate != alone.rate || !slices.Equal(together[i].samples, alone.samples) || !bytes.Equal(together[i].frames, alone.frames) {
				t.Errorf("%s, %+v: together it is not what it is alone", files[i].Name(), choice)
			}
		}
	}
}

// One of several that cannot be decoded, or only with complaints, ends them all; so does one whose frames nobody can take.
func TestSeveralAreStrict(t *testing.T) {
	tools := find(t)
	dir := t.TempDir()
	ffmpegs(t, tools, dir, "-f lavfi -i testsrc2=size=64x64:rate=10:duration=3 -f lavfi -i sine=sample_rate=16000:duration=3 -movflags faststart good.mp4")
	data, err := os.ReadFile(filepath.Join(dir, "good.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, data []byte) *os.File {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		return open(t, path)
	}
	scratched := bytes.Clone(data)
	media := bytes.Index(data, []byte("mdat"))
	copy(scratched[(media+len(data))/2:], bytes.Repeat([]byte{0x5a}, 1000))
	silent := filepath.Join(dir, "silent.mp4")
	ffmpegs(t, tools, dir, "-i good.mp4 -an -c copy silent.mp4")
	good := write("again.mp4", data)
	choice := Choice{Count: 30, Every: 1}
	jobs, _ := several([]*os.File{good, write("scratched.mp4", scratched)}, choice)
	if err := tools.Decode(t.Context(), jobs[3]); err != nil {
		t.Errorf("what is scratched, alone: %v", err) // else it says nothing of strictness
	}
	if err := tools.Decode(t.Context(), jobs...); err == nil {
		t.Error("what is scratched, beside another: want an error")
	}
	for name, f := range map[string]*os.File{"cut": write("cut.mp4", data[:media/2]), "silent": open(t, silent), "text": write("text.mp4", []byte("words"))} {
		jobs, _ := several([]*os.File{good, f}, choice)
		if err := tools.Decode(t.Context(), jobs...); err == nil {
			t.Errorf("%s, beside another: want an error", name)
		}
	}
	boom := errors.New("boom")
	jobs, _ = several([]*os.File{good, good}, choice)
	jobs[3].(*FramesJob).Emit = func(Frame) error { return boom }
	if err := tools.Decode(t.Context(), jobs...); !errors.Is(err, boom) {
		t.Errorf("an error of emit: got %v", err)
	}
	jobs[3].(*FramesJob).Emit = func(Frame) error { panic("boom") }
	if err := tools.Decode(t.Context(), jobs...); err == nil || !strings.Contains(err.Error(), "reading ffmpeg's output: boom") {
		t.Errorf("a panic of emit: got %v", err)
	}
	jobs[3].(*FramesJob).Limit = 100
	if err := tools.Decode(t.Context(), jobs[3], jobs[0]); err == nil || !strings.Contains(err.Error(), "pixel") {
		t.Errorf("too large a picture: got %v", err)
	}
}

// A child that writes to none of its pipes, or to one alone, and does not end.
func TestSeveralEnd(t *testing.T) {
	for name, body := range map[string]string{"nothing": `sleep 60`, "one": auHeader + `sleep 60`} {
		tools, f := fake(t, body)
		tools.Timeout = 200 * time.Millisecond
		jobs, _ := several([]*os.File{f, f}, Choice{Count: 1})
		if err := tools.Decode(t.Context(), jobs...); !errors.Is(err, ErrStopped) || !strings.Contains(err.Error(), "stopped after 200ms") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}
