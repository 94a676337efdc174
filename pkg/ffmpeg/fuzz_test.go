package ffmpeg

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// boxed lays out a box of mp4.
func boxed(kind string, contents ...[]byte) []byte {
	body := slices.Concat(contents...)
	return slices.Concat(binary.BigEndian.AppendUint32(nil, uint32(8+len(body))), []byte(kind), body)
}

// words are numbers of 32 bits.
func words(numbers ...uint32) []byte {
	var b []byte
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint32(b, n)
	}
	return b
}

// movie is the file of a track: a header of seconds 1/1000, and 25 pictures of 64x48 in 12800ths of a second.
func movie(handler string, more ...[]byte) []byte {
	table := boxed("stbl",
		boxed("stsd", words(0, 1), boxed("avc1", make([]byte, 8+16), words(64<<16|48))),
		boxed("stts", words(0, 1, 25, 512)))
	media := boxed("mdia", boxed("mdhd", words(0, 0, 0, 12800, 12800, 0)), boxed("hdlr", words(0, 0), []byte(handler), words(0, 0, 0, 0)), boxed("minf", table))
	track := boxed("trak", slices.Concat(more...), media)
	return slices.Concat(boxed("ftyp", []byte("isom")), boxed("mdat", make([]byte, 10)), boxed("moov", boxed("mvhd", words(0, 0, 0, 1000, 1000)), track))
}

func TestHeaderByHand(t *testing.T) {
	edit := func(fields ...uint32) []byte { return boxed("edts", boxed("elst", words(fields...))) }
	for name, c := range map[string]struct {
		file []byte
		want Clip
		ok   bool
	}{
		"whole":            {movie("vide"), Clip{Duration: 1, Video: true, Pixels: 64 * 64}, true},
		"sound":            {movie("soun"), Clip{Sound: true, SoundDuration: 1}, true},
		"a part":           {movie("vide", edit(0, 1, 500, 512, 1<<16)), Clip{Duration: 0.5, Video: true, Pixels: 64 * 64}, true},
		"a part, 64 bits":  {movie("vide", edit(1<<24, 1, 0, 500, 0, 512, 1<<16)), Clip{Duration: 0.5, Video: true, Pixels: 64 * 64}, true},
		"beyond the end":   {movie("vide", edit(0, 1, 5000, 0, 1<<16)), Clip{Duration: 1, Video: true, Pixels: 64 * 64}, true},
		"slow motion":      {movie("vide", edit(0, 1, 500, 0, 1<<15)), Clip{}, false},
		"two parts":        {movie("vide", edit(0, 2, 500, 0, 1<<16, 500, 0, 1<<16)), Clip{}, false},
		"after a silence":  {movie("vide", edit(0, 1, 500, 1<<32-1, 1<<16)), Clip{}, false},
		"subtitles":        {movie("sbtl"), Clip{}, false},
		"a part too large": {movie("vide", edit(1<<24, 1, 1<<32-1, 1<<32-1, 0, 512, 1<<16)), Clip{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			if got, ok := ReadHeader(bytes.NewReader(c.file), int64(len(c.file))); got != c.want || ok != c.ok {
				t.Errorf("got %+v, %v", got, ok)
			}
		})
	}
}

// FuzzHeader: whatever a file holds, its header is read in bounded memory, and what is said of it can be worked with.
func FuzzHeader(f *testing.F) {
	f.Add(movie("vide", boxed("edts", boxed("elst", words(0, 1, 500, 512, 1<<16)))))
	f.Add(movie("soun", boxed("edts", boxed("elst", words(1<<24, 1, 0, 500, 0, 512, 1<<16)))))
	f.Add(slices.Concat(boxed("ftyp"), words(1), []byte("moov"), words(0, 24, 8), []byte("mvex")))
	f.Fuzz(func(t *testing.T, b []byte) {
		clip, ok := ReadHeader(bytes.NewReader(b), int64(len(b)))
		for _, d := range []float64{clip.Duration, clip.SoundDuration} {
			if !(d >= 0 && d <= 1e9) {
				t.Fatalf("%+v", clip)
			}
		}
		if clip.Pixels < 0 || clip.Pixels > 2*maxProbePixels*64 || !ok && clip != (Clip{}) || ok && !clip.Sound && !clip.Video || clip.Video && clip.Duration == 0 {
			t.Fatalf("%+v, %v", clip, ok)
		}
		if more, ok := ReadHeader(bytes.NewReader(b), int64(len(b)+100)); ok && !more.Sound && !more.Video { // of a file that was cut meanwhile
			t.Fatalf("%+v", more)
		}
	})
}

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
		sound := SoundJob{Limit: limit}
		if err := sound.read(bufio.NewReader(bytes.NewReader(b))); err == nil {
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
