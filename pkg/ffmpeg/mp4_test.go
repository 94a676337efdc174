package ffmpeg

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// header reads a file's header here.
func header(t testing.TB, path string) (Clip, bool) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return ReadHeader(bytes.NewReader(data), int64(len(data)))
}

// What is read of a file here is what ffprobe finds in it, to the digit.
func TestHeaderIsFfprobes(t *testing.T) {
	tools := find(t)
	dir := t.TempDir()
	const picture, tone = "-f lavfi -i testsrc2=size=98x66:rate=30000/1001:duration=2.7 ", "-f lavfi -i sine=sample_rate=44100:duration=2.9 "
	for _, c := range []struct {
		name, args string
		known      bool
	}{
		{"base.mp4", picture + tone + "-bf 3 -g 30 -c:v libx264 -preset veryfast", true},
		{"late.mp4", "-i base.mp4 -itsoffset 0.31 -i base.mp4 -map 0:a -map 1:v -c copy", false}, // an empty edit
		{"cut.mp4", "-ss 1.013 -i base.mp4 -t 1.1 -c copy -movflags faststart", true},
		{"first.mp4", "-i base.mp4 -map 0:a -map 0:v -c copy", true},
		{"silent.mov", "-i base.mp4 -an -c copy -video_track_timescale 12345", true},
		{"still.mp4", picture + "-frames:v 1", true},
		{"irregular.mp4", picture + "-vf select='not(mod(n*n,7))' -fps_mode vfr -use_editlist 0", true},
		{"tone.m4a", "-i base.mp4 -vn -c copy", true},
		{"fragments.mp4", "-i base.mp4 -c copy -movflags frag_keyframe+empty_moov", false},
		{"subtitles.mp4", "-i base.mp4 -i lines.srt -map 0 -map 1 -c copy -c:s mov_text", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "lines.srt"), []byte("1\n00:00:00,500 --> 00:00:01,000\nwords\n"), 0o666); err != nil {
				t.Fatal(err)
			}
			ffmpegs(t, tools, dir, c.args+" "+c.name)
			path := filepath.Join(dir, c.name)
			got, ok := header(t, path)
			if ok != c.known {
				t.Fatalf("got %+v, %v", got, ok)
			}
			want, err := tools.Probe(t.Context(), open(t, path))
			if err != nil {
				t.Fatal(err)
			}
			if !want.Video {
				want.Duration = 0 // the whole file's
			}
			if ok && got != want {
				t.Errorf("got %+v, ffprobe found %+v", got, want)
			}
		})
	}
}

// A header that is cut anywhere, or claims more than there is, is not known.
func TestHeaderCut(t *testing.T) {
	tools := find(t)
	dir := t.TempDir()
	ffmpegs(t, tools, dir, "-f lavfi -i testsrc2=size=64x64:rate=10:duration=1 -f lavfi -i sine=duration=1 -movflags faststart a.mp4")
	data, err := os.ReadFile(filepath.Join(dir, "a.mp4"))
	if err != nil {
		t.Fatal(err)
	}
	end := bytes.Index(data, []byte("mdat")) - 4
	if end < 0 {
		t.Fatal("no mdat")
	}
	if whole, ok := ReadHeader(bytes.NewReader(data), int64(len(data))); !ok || !whole.Video || !whole.Sound {
		t.Fatalf("the whole file: %+v, %v", whole, ok)
	}
	moov := bytes.Index(data, []byte("moov"))
	for n := range moov + 100 {
		if clip, ok := ReadHeader(bytes.NewReader(data[:n]), int64(n)); ok {
			t.Fatalf("%d bytes of %d: %+v", n, end, clip)
		}
	}
	for _, name := range []string{"mvhd", "trak", "mdhd", "stts", "stsd", "elst", "hdlr"} {
		bad := bytes.Clone(data[:end])
		for at := 0; ; {
			i := bytes.Index(bad[at:], []byte(name))
			if i < 0 {
				break
			}
			at += i + 4
			copy(bad[at-8:], "\xff\xff\xff\xf0")
		}
		if clip, ok := ReadHeader(bytes.NewReader(bad), int64(len(bad))); ok {
			t.Errorf("a %s of 4 GiB: %+v", name, clip)
		}
	}
	if clip, ok := ReadHeader(strings.NewReader("\x00\x00\x00\x08ftyp\x00\x00\x00\x01moov\x7f\xff\xff\xff\xff\xff\xff\xf0"), 24); ok {
		t.Errorf("a moov beyond the end: %+v", clip)
	}
}
