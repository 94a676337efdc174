package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"hash/crc32"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// claimed is a png header of a size and depth, with a cut data chunk behind it.
func claimed(width, height uint32, depth, colour byte) []byte {
	ihdr := []byte("IHDR")
	ihdr = binary.BigEndian.AppendUint32(ihdr, width)
	ihdr = binary.BigEndian.AppendUint32(ihdr, height)
	ihdr = append(ihdr, depth, colour, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n"), 0, 0, 0, 13)
	b = binary.BigEndian.AppendUint32(append(b, ihdr...), crc32.ChecksumIEEE(ihdr))
	return append(b, 0x7f, 0xff, 0xff, 0xff, 'I', 'D', 'A', 'T', 0x78, 0x9c)
}

// Files made to harm end as errors of their samples, in bounded memory, and within a minute; the good ones beside them come out.
func TestHostileFiles(t *testing.T) {
	dir := t.TempDir()
	good := tone(8000, 8000, 440)
	videos := map[string]string{ // of what comes through ffmpeg
		"bomb.gif":     "",             // 20,000 x 20,000 pixels in 50 bytes: what ffmpeg says of it differs between versions
		"playlist.mp4": "Invalid data", // names another file
		"text.mp4":     "Invalid data",
		"none.mp4":     "exit status 1",
		"loop.mp4":     "too many levels of symbolic links",
		"out.mp4":      "path escapes",
		"pipe.mp4":     "not a regular file",
	}
	if _, err := exec.LookPath("ffmpeg"); err != nil {
		clear(videos)
	}
	lies := bytes.Clone(good)
	binary.LittleEndian.PutUint32(lies[40:], 0xffffffff) // the data chunk's length
	wide := bytes.Clone(good)
	binary.LittleEndian.PutUint16(wide[22:], 0xffff) // channels
	fast := bytes.Clone(good)
	binary.LittleEndian.PutUint32(fast[24:], 0xffffffff) // frames a second
	chunks := append(bytes.Clone(good[:12]), bytes.Repeat([]byte("junk\x00\x00\x00\x00"), 1<<17)...)
	huge := bytes.Clone(good)
	binary.LittleEndian.PutUint32(huge[40:], 0xfffffff0)
	jpeg := []byte("\xff\xd8\xff\xc0\x00\x11\x08\xff\xdc\xff\xdc\x03\x01\x22\x00\x02\x11\x01\x03\x11\x01\xff\xda\x00\x08\x01\x01\x00\x00\x3f\x00")
	files := map[string][]byte{"good.wav": good, "lies.wav": lies, "wide.wav": wide, "fast.wav": fast, "chunks.wav": chunks, "huge.wav": huge,
		"empty.wav": nil, "bomb.png": claimed(100000, 100000, 8, 2), "large.png": claimed(5792, 5792, 16, 6), "empty.png": nil, "bomb.jpg": jpeg, "none.mp4": nil, "text.mp4": []byte("no video"),
		"playlist.mp4": []byte("#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n"),
		"bomb.gif":     []byte("GIF89a\x20\x4e\x20\x4e\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Truncate(filepath.Join(dir, "huge.wav"), 44+0xfffffff0); err != nil { // 4 GiB of nothing, and an honest header
		t.Skipf("no sparse files here: %v", err)
	}
	for name, to := range map[string]string{"loop.wav": "loop.wav", "out.wav": "/etc/passwd", "zero.wav": "/dev/zero", "loop.mp4": "loop.mp4", "out.mp4": "/etc/passwd"} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"pipe.wav", "pipe.mp4"} {
		if err := syscall.Mkfifo(filepath.Join(dir, name), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	reasons := map[string]string{
		"good.wav": "", "huge.wav": "",
		"lies.wav":         `chunk "data" at byte 36 claims 4294967295 bytes: the file has 16000 more`,
		"wide.wav":         "65535 channels",
		"fast.wav":         "rate 4294967295",
		"chunks.wav":       "no format chunk",
		"empty.wav":        "shorter than its header",
		"loop.wav":         "too many levels of symbolic links",
		"out.wav":          "path escapes",
		"zero.wav":         "path escapes",
		"../../etc/passwd": "path escapes",
		"pipe.wav":         "not a regular file",
		".":                "not a regular file",
		"bomb.png":         "100000x100000: at most 33554432 pixels",
		"large.png":        "not enough pixel data",
		"empty.png":        "the file is empty",
		"bomb.jpg":         "65500x65500: at most",
	}
	list := "id,wav,png,video\n"
	for name := range reasons {
		if strings.HasSuffix(name, "g") {
			list += name + ",," + name + ",\n"
		} else {
			list += name + "," + name + ",,\n"
		}
	}
	for name := range videos {
		list += name + ",,," + name + "\n"
	}
	if err := os.WriteFile(filepath.Join(dir, "list.csv"), []byte(list), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "mm-encode", "media", "--manifest", filepath.Join(dir, "list.csv"), "--id", "id", "--audio", "wav", "--image", "png", "--video", "video",
		"--image-size", "32", "--on-error", "null", "--report", filepath.Join(dir, "report"), "--threads", "4", "-o", filepath.Join(dir, "out"))
	if b, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}

	// Maxrss is in KiB, of the process and of ffmpeg, whichever is the largest: some 60 MiB; the race detector multiplies it.
	if peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss >> 10; peak > 400 {
		t.Errorf("it took %d MiB", peak)
	}
	report, err := os.ReadFile(filepath.Join(dir, "report"))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for line := range bytes.Lines(report) {
		var e entry
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatal(err)
		}
		got[e.ID] = e.Reason
	}
	for name, want := range videos {
		if reason, reported := got[name]; !reported || !strings.Contains(reason, want) {
			t.Errorf("%s: got %q, want %q", name, reason, want)
		}
	}
	for name, want := range reasons {
		if reason, reported := got[name]; reported != (want != "") || !strings.Contains(reason, want) {
			t.Errorf("%s: got %q, want %q", name, reason, want)
		}
	}
}
