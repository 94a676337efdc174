package ffmpeg

import (
	"bufio"
	"bytes"
	"fmt"
	"testing"
)

// FuzzOutput: whatever a child process writes, in place of frames, sound or what it found in a file, is read in bounded memory or is an error.
func FuzzOutput(f *testing.F) {
	f.Add([]byte("P6\n2 1\n255\nabcdefP6\n1 1\n255\nxyz"))
	f.Add([]byte("P6\n99999999 99999999\n255\n"))
	f.Add([]byte(".snd\x00\x00\x00\x1c\xff\xff\xff\xff\x00\x00\x00\x06\x00\x00\x1f\x40\x00\x00\x00\x02meta\x3f\x80\x00\x00\xbf\x80\x00\x00"))
	f.Add([]byte(`{"streams":[{"codec_type":"video","duration":"2.5"},{"codec_type":"audio"}],"format":{"duration":"N/A"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		const limit = 1 << 12
		var frame Frame
		frames := bufio.NewReader(bytes.NewReader(b))
		for n := 0; n <= len(b); n++ {
			if frame.read(frames, limit) != nil {
				break
			}
			if w, h := frame.Width, frame.Height; w < 1 || h < 1 || w*h > limit || len(frame.RGB) != 3*w*h {
				t.Fatalf("%d x %d pixels in %d bytes", w, h, len(frame.RGB))
			}
		}
		var sound Sound
		if err := sound.read(bufio.NewReader(bytes.NewReader(b)), limit); err == nil {
			if sound.Rate < 1 || sound.Rate > maxRate || len(sound.Samples) > limit || 4*len(sound.Samples) > len(b) {
				t.Fatalf("%d samples, %d a second, from %d bytes", len(sound.Samples), sound.Rate, len(b))
			}
		}
		if clip, err := parseProbe(b); err == nil {
			if fmt.Sprint(clip.Duration) == "NaN" || clip.Duration < 0 || clip.Duration > 1e9 {
				t.Fatalf("%+v", clip)
			}
		}
	})
}
