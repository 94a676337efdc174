package ffmpeg

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func find(t *testing.T) *Tools {
	t.Helper()
	tools, err := Find()
	if err != nil {
		t.Skip(err)
	}
	return tools
}

// clip makes a file of a tone and a video that is red, then green, then blue, a second each, 64x48 at 10 frames a second.
func clip(t *testing.T, tools *Tools, name string, args ...string) *os.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if len(args) == 0 {
		args = []string{"-f", "lavfi", "-i", "color=red:64x48:10:1", "-f", "lavfi", "-i", "color=lime:64x48:10:1", "-f", "lavfi", "-i", "color=blue:64x48:10:1",
			"-f", "lavfi", "-i", "sine=1000:sample_rate=44100:duration=3", "-filter_complex", "[0][1][2]concat=n=3[v];[3]volume=4[a]", "-map", "[v]", "-map", "[a]", "-ac", "2"}
	}
	out, err := exec.Command(tools.FFmpeg, append(append([]string{"-nostdin", "-loglevel", "error"}, args...), "file:"+path)...).CombinedOutput()
	if err != nil {
		t.Fatalf("making a clip: %v: %s", err, out)
	}
	return open(t, path)
}

// ffmpegs runs ffmpeg in a folder.
func ffmpegs(t *testing.T, tools *Tools, dir, args string) {
	t.Helper()
	cmd := exec.Command(tools.FFmpeg, append([]string{"-nostdin", "-loglevel", "error", "-y"}, strings.Fields(args)...)...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("ffmpeg %s: %v: %s", args, err, out)
	}
}

// sound decodes a file's sound alone.
func sound(t *testing.T, tools *Tools, f *os.File, cut Cut, limit int) (*SoundJob, error) {
	t.Helper()
	job := &SoundJob{File: f, Cut: cut, Limit: limit}
	return job, tools.Decode(t.Context(), job)
}

// frames decodes frames of a file alone.
func frames(t *testing.T, tools *Tools, f *os.File, c Choice, limit int, emit func(Frame) error) error {
	t.Helper()
	return tools.Decode(t.Context(), &FramesJob{File: f, Choice: c, Limit: limit, Emit: emit})
}

func open(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestSound(t *testing.T) {
	tools := find(t)
	f := clip(t, tools, "-i clip.mp4") // a name that would be an option
	s, err := sound(t, tools, f, Cut{Start: 0.5, Duration: 1}, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if s.Rate != 44100 || len(s.Samples) < 44000 || len(s.Samples) > 44200 {
		t.Fatalf("%d samples at %d", len(s.Samples), s.Rate)
	}
	// The sine filter's amplitude is 1/8, times 4, times sqrt(1/2) for one channel in two. Its frequency by correlation.
	var re, im float64
	for i, v := range s.Samples {
		re += float64(v) * math.Cos(2*math.Pi*1000*float64(i)/44100)
		im += float64(v) * math.Sin(2*math.Pi*1000*float64(i)/44100)
	}
	if a := 2 * math.Hypot(re, im) / float64(len(s.Samples)); math.Abs(a-0.3536) > 0.01 {
		t.Errorf("amplitude of 1000 Hz: %v, want 0.3536", a)
	}
	if _, err := sound(t, tools, f, Cut{}, 1000); err == nil || !strings.Contains(err.Error(), "more than 1000 samples") {
		t.Errorf("a limit of 1000: %v", err)
	}
}

// A wav comes through ffmpeg as it is.
func TestSoundIsExact(t *testing.T) {
	tools := find(t)
	f := clip(t, tools, "a.flac", "-f", "lavfi", "-i", "aevalsrc=0.25|0.75:s=8000:d=0.5")
	s, err := sound(t, tools, f, Cut{}, 1<<20)
	if err != nil || s.Rate != 8000 || len(s.Samples) != 4000 {
		t.Fatalf("%d samples at %d, %v", len(s.Samples), s.Rate, err)
	}
	for i, v := range s.Samples {
		if v != 0.5 { // the mean of the channels
			t.Fatalf("sample %d: %v, want 0.5", i, v)
		}
	}
}

func TestFrames(t *testing.T) {
	tools := find(t)
	f := clip(t, tools, "clip.mp4")
	info, err := tools.Probe(t.Context(), f)
	if err != nil || !info.Sound || !info.Video || math.Abs(info.Duration-3) > 0.05 {
		t.Fatalf("got %+v, %v", info, err)
	}
	colours := func(c Choice) string {
		t.Helper()
		var got strings.Builder
		err := frames(t, tools, f, c, 1<<20, func(frame Frame) error {
			if frame.Width != 64 || frame.Height != 48 || len(frame.RGB) != 64*48*3 {
				return fmt.Errorf("%d x %d, %d bytes", frame.Width, frame.Height, len(frame.RGB))
			}
			at := frame.RGB[3*(24*64+32):]
			for i, name := range "rgb" {
				if at[i] > 200 && at[(i+1)%3] < 60 && at[(i+2)%3] < 60 {
					got.WriteRune(name)
				}
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		return got.String()
	}
	spread := func(count int, cut Cut) Choice {
		t.Helper()
		c, err := Spread(count, info, cut)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for _, c := range []struct {
		name   string
		choice Choice
		want   string
	}{
		{"three", spread(3, Cut{}), "rgb"},
		{"from the second", spread(2, Cut{Start: 1}), "gb"},
		{"one and a half seconds", spread(3, Cut{Start: 0.5, Duration: 1.5}), "rgg"},
		{"a rate", Choice{Count: 10, Step: 0.5}, "rrggbb"},
		{"every seventh", Choice{Count: 10, Every: 7}, "rrgbb"},
		{"every seventh from a second on", Choice{Count: 10, Every: 7, Cut: Cut{Start: 1}}, "ggb"},
		{"all up to a number", Choice{Count: 12, Every: 1}, "rrrrrrrrrrgg"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := colours(c.choice); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	if err := frames(t, tools, f, spread(1, Cut{}), 1000, nil); err == nil || !strings.Contains(err.Error(), "exceeds specified max pixel count 1000") {
		t.Errorf("a limit of 1000 pixels: %v", err)
	}
	if _, err := Spread(1, info, Cut{Start: 9}); err == nil {
		t.Error("a start past the end: want an error")
	}
	if _, err := Spread(1, Clip{}, Cut{Start: 9}); err == nil {
		t.Error("a clip that does not say how long it is: want an error")
	}
}

func TestWhatIsMissing(t *testing.T) {
	tools := find(t)
	tone := clip(t, tools, "a.wav", "-f", "lavfi", "-i", "sine=d=0.1")
	if err := frames(t, tools, tone, Choice{Count: 1}, 1<<20, nil); !errors.Is(err, ErrNoStream) {
		t.Errorf("frames of a wav: %v", err)
	}
	silent := clip(t, tools, "a.mp4", "-f", "lavfi", "-i", "color=red:64x48:10:0.5")
	if _, err := sound(t, tools, silent, Cut{}, 1<<20); !errors.Is(err, ErrNoStream) {
		t.Errorf("sound of a silent film: %v", err)
	}
	text := filepath.Join(t.TempDir(), "list.m3u8")
	playlist := "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile://" + tone.Name() + "\n#EXT-X-ENDLIST\n"
	if err := os.WriteFile(text, []byte(playlist), 0o666); err != nil {
		t.Fatal(err)
	}
	if _, err := sound(t, tools, open(t, text), Cut{}, 1<<20); err == nil || !strings.Contains(err.Error(), "not on whitelist") {
		t.Errorf("a playlist: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := Find(); !errors.Is(err, ErrNotInstalled) || !strings.Contains(err.Error(), "apt-get install ffmpeg") {
		t.Errorf("without ffmpeg: %v", err)
	}
}

// fake is a script in ffmpeg's place.
func fake(t *testing.T, body string) (*Tools, *os.File) {
	t.Helper()
	if _, err := os.Stat("/bin/sh"); err != nil {
		t.Skip(err)
	}
	path := filepath.Join(t.TempDir(), "ffmpeg")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o777); err != nil {
		t.Fatal(err)
	}
	return &Tools{FFmpeg: path, FFprobe: path, Timeout: 10 * time.Second}, open(t, path)
}

const auHeader = `printf '.snd\000\000\000\030\377\377\377\377\000\000\000\006\000\000\037\100\000\000\000\001';`

func TestBadChildren(t *testing.T) {
	for _, c := range []struct{ name, body, want string }{
		{"crash", `echo one >&2; echo two >&2; echo "bad \033[31mthing" >&2; exit 3`, "exit status 3: one; two; bad"},
		{"killed", `kill -9 $$`, "signal: killed"},
		{"crash in the middle", auHeader + `printf '\000\000\000\000'; echo broke >&2; exit 1`, "exit status 1: broke"},
		{"half a sample", auHeader + `printf '\000\000'`, "less than it announced"},
		{"silence", `exit 0`, "less than it announced"},
		{"another format", `echo RIFF, which is none of what was asked for`, `begins with "RIFF"`},
		{"flood", auHeader + `exec cat /dev/zero`, "more than 5000 samples"},
		{"flood of complaints", `head -c 3000000 /dev/zero | tr '\000' 'x' >&2; echo >&2; echo last >&2; exit 1`, "last"},
		{"not a number", auHeader + `printf '\177\300\000\000'`, "sample 0 is not finite"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tools, f := fake(t, c.body)
			if _, err := sound(t, tools, f, Cut{}, 5000); err == nil || !strings.Contains(err.Error(), c.want) || len(err.Error()) > 3000 || strings.Contains(err.Error(), "\033") {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	for _, c := range []struct{ name, body, want string }{
		{"no picture", `echo P5 and so on`, "no frame"},
		{"a huge picture", `printf 'P6\n99999999 99999999\n255\n'`, "99999999 x 99999999 pixels"},
		{"half a picture", `printf 'P6\n2 2\n255\n123'`, "less than it announced"},
		{"too many", `printf 'P6\n1 1\n255\n123P6\n1 1\n255\n123P6\n1 1\n255\n123'`, "more than 2 frames"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tools, f := fake(t, c.body)
			err := frames(t, tools, f, Choice{Count: 2}, 5000, func(Frame) error { return nil })
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
	tools, f := fake(t, `exec cat /dev/zero`)
	if _, err := tools.Probe(t.Context(), f); err == nil || !strings.Contains(err.Error(), "more than") {
		t.Errorf("a flood from ffprobe: %v", err)
	}
	tools.FFmpeg = filepath.Join(t.TempDir(), "gone")
	if _, err := sound(t, tools, f, Cut{}, 1); err == nil || !strings.Contains(err.Error(), "starting gone") {
		t.Errorf("no program: %v", err)
	}
}

// A child that does not end is killed with what it started, by its time or by the context.
func TestChildrenEnd(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "pid")
	tools, f := fake(t, auHeader+`sleep 60 & echo $! >`+mark+`; wait`)
	tools.Timeout = 300 * time.Millisecond
	start := time.Now()
	_, err := sound(t, tools, f, Cut{}, 5000)
	if err == nil || !strings.Contains(err.Error(), "stopped after 300ms") {
		t.Errorf("by its time: %v", err)
	}
	tools.Timeout = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if err := tools.Decode(ctx, &SoundJob{File: f, Limit: 5000}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("by the context: %v", err)
	}
	if d := time.Since(start); d > 30*time.Second {
		t.Errorf("it took %v", d)
	}
	pid, err := os.ReadFile(mark)
	if err != nil {
		t.Fatal(err)
	}
	proc := "/proc/" + strings.TrimSpace(string(pid)) + "/stat"
	for range 100 { // until it is gone, or a zombie that nobody has waited for
		stat, err := os.ReadFile(proc)
		if err != nil || strings.Contains(string(stat), ") Z ") {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Error("the child's own child goes on")
}
