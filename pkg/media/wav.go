package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Limits of what a wav header may say; both are beyond any real recording.
const (
	maxWAVChannels = 1024
	maxWAVRate     = 1 << 20
)

// WAV is an uncompressed sound file whose header has been read and checked; its samples are read on demand.
type WAV struct {
	Rate     int // frames a second
	Channels int
	Frames   int64 // samples of each channel

	r      io.ReaderAt
	offset int64 // of the first frame
	sample int   // bytes of one sample of one channel
	float  bool
	buffer []byte // one block of frames
}

// ErrEncoding is what is wrong with a wav file whose samples are encoded in another way than the ways that ReadMono knows.
var ErrEncoding = errors.New("encoding")

// wavBlock is about how many bytes are read at once, so that memory does not follow what a header claims.
const wavBlock = 1 << 16

// subtype is the tail of the WAVE_FORMAT_EXTENSIBLE sub-format identifiers whose first two bytes are a format tag.
const subtype = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// longSizes are the sizes of an RF64 or BW64 file's chunks that do not fit in 32 bits.
type longSizes map[string]int64

// read reads the ds64 chunk of length bytes at offset at; a size beyond any file's is an error.
func (l longSizes) read(r io.ReaderAt, at, length int64) error {
	const fixed, entry, entries = 28, 12, 64
	var b [fixed + entry*entries]byte
	if length < fixed {
		return fmt.Errorf("%d bytes: want %d or more", length, fixed)
	}
	n := min(length, int64(len(b)))
	if err := readAt(r, b[:n], at); err != nil {
		return err
	}
	l["data"] = int64(binary.LittleEndian.Uint64(b[8:]))
	table := int64(binary.LittleEndian.Uint32(b[24:]))
	if table > (n-fixed)/entry {
		return fmt.Errorf("a table of %d sizes: %d bytes hold no more than %d", table, length, (n-fixed)/entry)
	}
	for i := range table {
		e := b[fixed+entry*i:][:entry]
		l[string(e[:4])] = int64(binary.LittleEndian.Uint64(e[4:]))
	}
	for name, size := range l {
		if size < 0 {
			return fmt.Errorf("chunk %q of %d bytes", name, uint64(size))
		}
	}
	return nil
}

// of returns the size of a chunk, -1 where there is none.
func (l longSizes) of(name string) int64 {
	if size, ok := l[name]; ok {
		return size
	}
	return -1
}

// Open reads the header of the RIFF/WAVE file of size bytes behind r (Microsoft Multimedia Data Standards Update,
// 1994; WAVE_FORMAT_EXTENSIBLE, mmreg.h), or of its forms for more than 4 GiB, RF64 and BW64 (EBU Tech 3306; ITU-R BS.2088): PCM of 8, 16, 24 and 32 bits and floats of 32 and 64 bits, any rate and number
// of channels, chunks in any order. A chunk that claims more bytes than the file has is an error. The WAV may be
// opened again on another file, which reuses its buffer.
func (w *WAV) Open(r io.ReaderAt, size int64) error {
	*w = WAV{r: r, buffer: w.buffer}
	var head [12]byte
	if size < 12 {
		return errors.New("not a wav file: shorter than its header")
	}
	if err := readAt(r, head[:], 0); err != nil {
		return err
	}
	form := string(head[:4])
	if form != "RIFF" && form != "RF64" && form != "BW64" || string(head[8:]) != "WAVE" {
		return errors.New("not a wav file: it does not begin with RIFF....WAVE, RF64....WAVE or BW64....WAVE")
	}
	long := longSizes{}
	var haveFormat, haveData bool
	var dataSize int64
	for at := int64(12); at+8 <= size && !(haveFormat && haveData); {
		var chunk [8]byte
		if err := readAt(r, chunk[:], at); err != nil {
			return err
		}
		name, length := string(chunk[:4]), int64(binary.LittleEndian.Uint32(chunk[4:]))
		at += 8
		if name == "ds64" && form != "RIFF" {
			if err := long.read(r, at, length); err != nil {
				return fmt.Errorf("ds64 chunk at byte %d: %w", at-8, err)
			}
		} else if length == math.MaxUint32 && form != "RIFF" {
			if length = long.of(name); length < 0 {
				return fmt.Errorf("chunk %q at byte %d: no ds64 chunk before it gives its size", name, at-8)
			}
		}
		if length > size-at {
			return fmt.Errorf("chunk %q at byte %d claims %d bytes: the file has %d more", name, at-8, length, size-at)
		}
		switch name {
		case "fmt ":
			if haveFormat {
				return fmt.Errorf("a second format chunk at byte %d", at-8)
			}
			if err := w.format(at, length); err != nil {
				return fmt.Errorf("format chunk at byte %d: %w", at-8, err)
			}
			haveFormat = true
		case "data":
			if haveData {
				return fmt.Errorf("a second data chunk at byte %d", at-8)
			}
			haveData, w.offset, dataSize = true, at, length
		}
		at += length + length&1 // chunks begin at even offsets
	}
	if !haveFormat || !haveData {
		return errors.New("no format chunk or no data chunk")
	}
	frame := int64(w.Channels * w.sample)
	if dataSize%frame != 0 {
		return fmt.Errorf("data chunk of %d bytes: not a whole number of frames of %d bytes", dataSize, frame)
	}
	w.Frames = dataSize / frame
	return nil
}

// format reads the format chunk of length bytes at offset at.
func (w *WAV) format(at, length int64) error {
	var f [40]byte
	if length < 16 {
		return fmt.Errorf("%d bytes: want 16 or more", length)
	}
	fields := f[:min(length, int64(len(f)))]
	if err := readAt(w.r, fields, at); err != nil {
		return err
	}
	tag, bits := binary.LittleEndian.Uint16(f[0:]), int(binary.LittleEndian.Uint16(f[14:]))
	w.Channels, w.Rate = int(binary.LittleEndian.Uint16(f[2:])), int(binary.LittleEndian.Uint32(f[4:]))
	align := int(binary.LittleEndian.Uint16(f[12:]))
	if tag == 0xfffe {
		if len(fields) < 40 || string(f[26:40]) != subtype {
			return fmt.Errorf("WAVE_FORMAT_EXTENSIBLE with an unknown sub-format: %w", ErrEncoding)
		}
		tag = binary.LittleEndian.Uint16(f[24:])
	}
	switch {
	case tag == 1 && (bits == 8 || bits == 16 || bits == 24 || bits == 32):
	case tag == 3 && (bits == 32 || bits == 64):
		w.float = true
	default:
		return fmt.Errorf("%w %d of %d bits: want PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64", ErrEncoding, tag, bits)
	}
	w.sample = bits / 8
	switch {
	case w.Channels < 1 || w.Channels > maxWAVChannels:
		return fmt.Errorf("%d channels: want 1 to %d", w.Channels, maxWAVChannels)
	case w.Rate < 1 || w.Rate > maxWAVRate:
		return fmt.Errorf("rate %d: want 1 to %d frames a second", w.Rate, maxWAVRate)
	case align != w.Channels*w.sample:
		return fmt.Errorf("%d bytes a frame: %d channels of %d bits take %d", align, w.Channels, bits, w.Channels*w.sample)
	}
	return nil
}

// ReadMono writes frames first to first+len(dst)-1, the mean of the channels, to dst: PCM scaled to [-1, 1), floats as they are. A
// float sample that is NaN or infinite is an error that names its frame. The frames must lie in the file.
func (w *WAV) ReadMono(dst []float32, first int64) error {
	if first < 0 || int64(len(dst)) > w.Frames-first {
		panic("media: frames out of range")
	}
	frame := w.Channels * w.sample
	block := max(1, wavBlock/frame)
	for done := 0; done < len(dst); done += block {
		part := dst[done:min(done+block, len(dst))]
		if cap(w.buffer) < len(part)*frame {
			w.buffer = make([]byte, block*frame)
		}
		b := w.buffer[:len(part)*frame]
		if err := readAt(w.r, b, w.offset+(first+int64(done))*int64(frame)); err != nil {
			return err
		}
		w.mix(part, b)
		if !w.float {
			continue
		}
		for i, v := range part {
			if v-v != 0 { // NaN or infinite
				return fmt.Errorf("frame %d is not finite", first+int64(done+i))
			}
		}
	}
	return nil
}

// mix writes the mean of the channels of each frame in b to dst.
func (w *WAV) mix(dst []float32, b []byte) {
	if w.Channels == 1 && w.sample == 2 {
		for i := range dst {
			dst[i] = float32(int16(binary.LittleEndian.Uint16(b[2*i:]))) / (1 << 15)
		}
		return
	}
	scale := 1 / float64(w.Channels)
	for i := range dst {
		var sum float64
		for range w.Channels {
			sum += w.value(b)
			b = b[w.sample:]
		}
		dst[i] = float32(sum * scale)
	}
}

// value returns the sample at the start of b.
func (w *WAV) value(b []byte) float64 {
	switch {
	case w.float && w.sample == 4:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	case w.float:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
	switch w.sample {
	case 1:
		return (float64(b[0]) - 128) / (1 << 7) // 8 bits are unsigned, the others signed
	case 2:
		return float64(int16(binary.LittleEndian.Uint16(b))) / (1 << 15)
	case 3:
		return float64(int32(b[0])<<8|int32(b[1])<<16|int32(b[2])<<24) / (1 << 31)
	default:
		return float64(int32(binary.LittleEndian.Uint32(b))) / (1 << 31)
	}
}

// readAt fills b from offset at; a file that has become shorter since its size was taken is an error.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	if n == len(b) {
		return nil
	}
	if err == io.EOF || err == nil {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("reading %d bytes at byte %d: %w", len(b), at, err)
}
