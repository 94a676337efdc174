package ffmpeg

import (
	"encoding/binary"
	"io"
	"math"
	"math/bits"
	"strconv"
)

// maxMovie bounds the header that is read here: hours of film have some MiB.
const maxMovie = 8 << 20

// ReadHeader says of an mp4 or mov file what Probe does, to the digit, without starting a program. It knows the plain ones alone, with
// one description and at most one edit a track, of sound and pictures and in one piece; of all others, and of what is no such file, it
// says false, and Probe knows more. (ISO/IEC 14496-12; where it leaves a choice, ffmpeg's.)
func ReadHeader(r io.ReaderAt, size int64) (Clip, bool) {
	movie := findMovie(r, size)
	if movie == nil {
		return Clip{}, false
	}
	var scale uint32
	var tracks []track
	ok := movie.each(func(kind string, b box) bool {
		switch kind {
		case "mvhd":
			scale = b.version(12, 20)
		case "mvex", "cmov": // in fragments, or compressed
			return false
		case "trak":
			var t track
			if !t.read(b) {
				return false
			}
			tracks = append(tracks, t)
		}
		return true
	})
	if !ok || scale == 0 {
		return Clip{}, false
	}
	var clip Clip
	for i := len(tracks) - 1; i >= 0; i-- { // the first of a kind is what is decoded
		t := &tracks[i]
		seconds, ok := t.seconds(scale)
		if !ok {
			return Clip{}, false
		}
		switch t.handler {
		case "vide":
			clip.Video, clip.Duration, clip.Pixels = true, seconds, t.pixels
		case "soun":
			clip.Sound, clip.SoundDuration = true, seconds
		default: // its description may make ffmpeg take it for either
			return Clip{}, false
		}
	}
	return clip, clip.Video || clip.Sound
}

// findMovie returns the contents of a file's first moov box; nil where there is none, or more than is read here.
func findMovie(r io.ReaderAt, size int64) box {
	var head [16]byte
	at := int64(0)
	for n := 0; n < 64; n++ { // few boxes lie beside each other in a file that is no stream
		if at > size-8 {
			return nil
		}
		got, err := r.ReadAt(head[:min(16, size-at)], at)
		if err != nil && err != io.EOF || got < 8 {
			return nil
		}
		length, skip := uint64(binary.BigEndian.Uint32(head[:])), int64(8)
		switch {
		case length == 1 && got == 16:
			length, skip = binary.BigEndian.Uint64(head[8:]), 16
		case length == 0:
			length = uint64(size - at)
		}
		kind := string(head[4:8])
		if n == 0 && kind != "ftyp" || length < uint64(skip) || length > uint64(size-at) {
			return nil
		}
		if kind == "moov" {
			if length > maxMovie {
				return nil
			}
			b := make(box, int64(length)-skip)
			if _, err := r.ReadAt(b, at+skip); err != nil && err != io.EOF {
				return nil
			}
			return b
		}
		at += int64(length)
	}
	return nil
}

// box is what a box contains.
type box []byte

// each calls f with the boxes in a box, until it says false. It says whether all of them were whole and liked.
func (b box) each(f func(kind string, b box) bool) bool {
	for len(b) >= 8 {
		length := binary.BigEndian.Uint32(b)
		if length < 8 || uint64(length) > uint64(len(b)) || !f(string(b[4:8]), b[8:length:length]) {
			return false
		}
		b = b[length:]
	}
	return true
}

// at returns the number at a byte; 0 beyond the end.
func (b box) at(i int) uint32 {
	if i+4 > len(b) {
		return 0
	}
	return binary.BigEndian.Uint32(b[i:])
}

// version returns the number at one of two places: versions 0 and 1 of a box have fields of different widths.
func (b box) version(zero, one int) uint32 {
	if len(b) > 0 && b[0] == 1 {
		return b.at(one)
	}
	return b.at(zero)
}

// wide returns a number of 4 bytes in version 0, at one place, and of 8 in version 1, at another.
func (b box) wide(zero, one int) uint64 {
	if len(b) > 0 && b[0] == 1 {
		return uint64(b.at(one))<<32 | uint64(b.at(one+4))
	}
	return uint64(b.at(zero))
}

// rows returns a table's entries of width bytes, whose number stands at byte 4, before them; false where they are not there.
func (b box) rows(width int) (box, bool) {
	n := uint64(b.at(4))
	if n == 0 || len(b) < 8 || n > uint64((len(b)-8)/width) {
		return nil, false
	}
	return b[8:][:int(n)*width], true
}

// track is one stream of a file.
type track struct {
	handler  string
	scale    uint32 // units a second
	duration uint64 // in these, as its header says
	samples  uint64 // in these, all that it has
	edited   bool
	edit     uint64 // of the part that is shown, in the movie's units
	pixels   int
}

// read reads a trak box.
func (t *track) read(b box) bool {
	return b.each(t.box) && t.handler != ""
}

// box reads one box of a track, and those in it.
func (t *track) box(kind string, b box) bool {
	switch kind {
	case "mdia", "minf", "stbl", "edts":
		return b.each(t.box)
	case "mdhd":
		t.scale, t.duration = b.version(12, 20), b.wide(16, 24)
	case "hdlr":
		if len(b) >= 12 && t.handler == "" { // QuickTime has a second, of the data
			t.handler = string(b[8:12])
		}
	case "elst":
		return t.edits(b)
	case "stts":
		rows, ok := b.rows(8)
		for ; len(rows) > 0; rows = rows[8:] {
			length := rows.at(4)
			if length > math.MaxInt32 {
				return false
			}
			t.samples += uint64(rows.at(0)) * uint64(length)
			if t.samples > math.MaxInt64 {
				return false
			}
		}
		return ok
	case "stsd":
		if b.at(4) != 1 {
			return false
		}
		t.pixels = area(int(b.at(8+32)>>16), int(b.at(8+32)&0xffff))
	}
	return true
}

// edits reads an edit list: one part at its own speed.
func (t *track) edits(b box) bool {
	width := 12
	if len(b) > 0 && b[0] == 1 {
		width = 20
	}
	rows, ok := b.rows(width)
	if !ok || len(rows) != width || t.edited {
		return false
	}
	t.edited = true
	media, rate := int64(int32(rows.at(4))), rows.at(8)
	t.edit = uint64(rows.at(0))
	if width == 20 {
		t.edit, media, rate = uint64(rows.at(0))<<32|uint64(rows.at(4)), int64(uint64(rows.at(8))<<32|uint64(rows.at(12))), rows.at(16)
	}
	return t.edit > 0 && media >= 0 && rate == 1<<16
}

// seconds returns how long a track is: no longer than its header says, than its samples are, and than the part that is shown. They are
// rounded as ffprobe writes them.
func (t *track) seconds(movie uint32) (float64, bool) {
	units := min(t.duration, t.samples)
	if t.edited {
		high, low := bits.Mul64(t.edit, uint64(t.scale)) // to the nearest unit of the track
		low, carry := bits.Add64(low, uint64(movie)/2, 0)
		if high += carry; high >= uint64(movie) {
			return 0, false
		}
		shown, _ := bits.Div64(high, low, uint64(movie))
		units = min(units, shown)
	}
	if t.scale == 0 || t.scale > math.MaxInt32 || units == 0 {
		return 0, false
	}
	seconds := duration(strconv.FormatFloat(float64(units)*(1/float64(t.scale)), 'f', 6, 64))
	return seconds, seconds > 0
}
