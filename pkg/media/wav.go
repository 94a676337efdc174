package media

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"

	"mmtools/pkg/media/dsp"
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

	r        io.ReaderAt
	size     int64 // of the file
	offset   int64 // of the first frame
	encoding dsp.Encoding
	buffer   []byte // one block of the file
	held     []byte // what of it is there
	at       int64  // where that lies in the file
}

// ErrEncoding is what is wrong with a wav file whose samples are encoded in another way than the ways that ReadMono knows.
var ErrEncoding = errors.New("encoding")

// wavBlock is about how many bytes are read at once, so that memory does not follow what a header claims: three seconds of speech in
// one call.
const wavBlock = 1 << 17

// ErrForm is what is wrong with a file that is no wav file at all.
var ErrForm = errors.New("not a wav file")

// subtype is the tail of the WAVE_FORMAT_EXTENSIBLE sub-format identifiers whose first two bytes are a format tag.
const subtype = "\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71"

// longSizes are the sizes of an RF64 or BW64 file's chunks that do not fit in 32 bits.
type longSizes map[string]int64

// read reads the ds64 chunk of length bytes at offset at; a size beyond any file's is an error.
func (l longSizes) read(w *WAV, at, length int64) error {
	const fixed, entry, entries = 28, 12, 64
	if length < fixed {
		return fmt.Errorf("%d bytes: want %d or more", length, fixed)
	}
	n := min(length, fixed+entry*entries)
	b, err := w.view(at, int(n))
	if err != nil {
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
// 1994; WAVE_FORMAT_EXTENSIBLE, mmreg.h), or of its forms for more than 4 GiB, RF64 and BW64 (EBU Tech 3306; ITU-R BS.2088): PCM of 1 to 32
// bits, which fill whole bytes from the highest bit, and floats of 32 and 64 bits, any rate and number of channels, chunks in any order. A chunk
// that claims more bytes than the file has is an error; of a file of another form it is ErrForm. The WAV may be opened again on another
// file, which reuses its buffer.
func (w *WAV) Open(r io.ReaderAt, size int64) error {
	*w = WAV{r: r, size: size, buffer: w.buffer}
	if size < 12 {
		return errors.New("not a wav file: shorter than its header")
	}
	head, err := w.view(0, 12)
	if err != nil {
		return err
	}
	form := string(head[:4])
	if form != "RIFF" && form != "RF64" && form != "BW64" || string(head[8:]) != "WAVE" {
		return fmt.Errorf("%w: it does not begin with RIFF....WAVE, RF64....WAVE or BW64....WAVE", ErrForm)
	}
	long := longSizes{}
	var haveFormat, haveData bool
	var dataSize int64
	for at := int64(12); at+8 <= size && !(haveFormat && haveData); {
		chunk, err := w.view(at, 8)
		if err != nil {
			return err
		}
		name, length := string(chunk[:4]), int64(binary.LittleEndian.Uint32(chunk[4:]))
		at += 8
		if name == "ds64" && form != "RIFF" {
			if err := long.read(w, at, length); err != nil {
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
	frame := int64(w.frame())
	if dataSize%frame != 0 {
		return fmt.Errorf("data chunk of %d bytes: not a whole number of frames of %d bytes", dataSize, frame)
	}
	w.Frames = dataSize / frame
	return nil
}

// format reads the format chunk of length bytes at offset at.
func (w *WAV) format(at, length int64) error {
	const extensible = 40
	if length < 16 {
		return fmt.Errorf("%d bytes: want 16 or more", length)
	}
	f, err := w.view(at, int(min(length, extensible)))
	if err != nil {
		return err
	}
	tag, bits := binary.LittleEndian.Uint16(f[0:]), int(binary.LittleEndian.Uint16(f[14:]))
	w.Channels, w.Rate = int(binary.LittleEndian.Uint16(f[2:])), int(binary.LittleEndian.Uint32(f[4:]))
	align := int(binary.LittleEndian.Uint16(f[12:]))
	if tag == 0xfffe {
		if len(f) < extensible || string(f[26:40]) != subtype {
			return fmt.Errorf("WAVE_FORMAT_EXTENSIBLE with an unknown sub-format: %w", ErrEncoding)
		}
		tag = binary.LittleEndian.Uint16(f[24:])
	}
	switch {
	case tag == 1 && bits >= 1 && bits <= 32:
		w.encoding = []dsp.Encoding{dsp.Uint8, dsp.Int16, dsp.Int24, dsp.Int32}[(bits-1)/8]
	case tag == 3 && bits == 32:
		w.encoding = dsp.Float32
	case tag == 3 && bits == 64:
		w.encoding = dsp.Float64
	default:
		return fmt.Errorf("%w %d of %d bits: want PCM of 1 to 32 bits, or floats of 32 or 64", ErrEncoding, tag, bits)
	}
	switch {
	case w.Channels < 1 || w.Channels > maxWAVChannels:
		return fmt.Errorf("%d channels: want 1 to %d", w.Channels, maxWAVChannels)
	case w.Rate < 1 || w.Rate > maxWAVRate:
		return fmt.Errorf("rate %d: want 1 to %d frames a second", w.Rate, maxWAVRate)
	case tag == 1 && bits == 24 && align == 4*w.Channels:
		// A PCM sample takes the fewest bytes that hold it (Microsoft, 1994). FFmpeg would take these for floats, as Cool Edit wrote them, and
		// make noise of integers: that is why this is no ErrEncoding.
		return fmt.Errorf("%d bytes a frame: 24 bits in 4 bytes are integers or floats, which only WAVE_FORMAT_EXTENSIBLE tells", align)
	case align != w.frame():
		return fmt.Errorf("%d bytes a frame: %d channels of %d bits take %d", align, w.Channels, bits, w.frame())
	}
	return nil
}

// frame returns the bytes of a sample of every channel.
func (w *WAV) frame() int { return w.Channels * w.encoding.Size() }

// ReadMono writes frames first to first+len(dst)-1, the mean of the channels, to dst: PCM scaled to [-1, 1), floats as they are. A
// float sample that is NaN or infinite is an error that names its frame. The frames must lie in the file.
func (w *WAV) ReadMono(dst []float32, first int64) error {
	if first < 0 || int64(len(dst)) > w.Frames-first {
		panic("media: frames out of range")
	}
	frame := w.frame()
	for len(dst) > 0 {
		at := w.offset + first*int64(frame)
		n := max(1, wavBlock/frame)
		if there := len(w.holding(at)) / frame; there > 0 {
			n = there
		}
		n = min(n, len(dst))
		b, err := w.view(at, n*frame)
		if err != nil {
			return err
		}
		dsp.Mix(dst[:n], b, w.encoding, w.Channels)
		if w.encoding == dsp.Float32 || w.encoding == dsp.Float64 {
			for i, v := range dst[:n] {
				if v-v != 0 { // NaN or infinite
					return fmt.Errorf("frame %d is not finite", first+int64(i))
				}
			}
		}
		dst, first = dst[n:], first+int64(n)
	}
	return nil
}

// holding returns what of the file from offset at on has been read already.
func (w *WAV) holding(at int64) []byte {
	if skip := at - w.at; skip >= 0 && skip < int64(len(w.held)) {
		return w.held[skip:]
	}
	return nil
}

// view returns n bytes from offset at, borrowed until the next; what follows them in the file is read with them. A file that has become
// shorter since its size was taken is an error.
func (w *WAV) view(at int64, n int) ([]byte, error) {
	if b := w.holding(at); len(b) >= n {
		return b[:n], nil
	}
	whole := int(min(max(int64(n), wavBlock), max(int64(n), w.size-at)))
	if cap(w.buffer) < whole {
		w.buffer = make([]byte, whole)
	}
	got, err := w.r.ReadAt(w.buffer[:whole], at)
	w.held, w.at = w.buffer[:got], at
	if got >= n {
		return w.held[:n], nil
	}
	if err == io.EOF || err == nil {
		err = io.ErrUnexpectedEOF
	}
	return nil, fmt.Errorf("reading %d bytes at byte %d: %w", n, at, err)
}
