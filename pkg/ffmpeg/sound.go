package ffmpeg

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
)

// SoundJob decodes the first sound of a file, at its own rate, to the mean of its channels. More than Limit samples of them are an error, and
// so is one that is not finite; a file without sound is ErrNoStream.
type SoundJob struct {
	File *os.File
	Cut
	Limit int

	Rate    int       // what comes out: samples a second
	Samples []float32 // and these, which replace what was there, as far as that holds them
}

const (
	maxRate     = 1 << 20
	maxChannels = 1024
)

func (s *SoundJob) input() source  { return source{file: s.File, start: s.Start} }
func (s *SoundJob) stream() string { return "a:0" }

func (s *SoundJob) arguments() []string {
	return append(s.Cut.arguments(), "-c:a", "pcm_f32be", "-f", "au")
}

// read reads a Sun audio file of big-endian floats (its header is Sun's, 1992: magic, offset, size, encoding, rate, channels).
func (s *SoundJob) read(r *bufio.Reader) error {
	s.Samples = s.Samples[:0]
	var head [24]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return err
	}
	field := func(i int) int { return int(binary.BigEndian.Uint32(head[4*i:])) }
	offset, encoding, channels := field(1), field(3), field(5)
	s.Rate = field(4)
	switch {
	case string(head[:4]) != ".snd" || encoding != 6 || offset < len(head) || offset > 1<<16:
		return fmt.Errorf("ffmpeg wrote no sound: its output begins with %q", head[:4])
	case s.Rate < 1 || s.Rate > maxRate || channels < 1 || channels > maxChannels:
		return fmt.Errorf("%d samples a second in %d channels: want 1 to %d in 1 to %d", s.Rate, channels, maxRate, maxChannels)
	}
	if _, err := r.Discard(offset - len(head)); err != nil {
		return err
	}
	frame := make([]byte, 4*channels)
	for {
		if _, err := io.ReadFull(r, frame); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		var sum float64
		for c := range channels {
			sum += float64(math.Float32frombits(binary.BigEndian.Uint32(frame[4*c:])))
		}
		v := float32(sum / float64(channels))
		if v-v != 0 { // NaN or infinite
			return fmt.Errorf("sample %d is not finite", len(s.Samples))
		}
		if len(s.Samples) == s.Limit {
			return fmt.Errorf("more than %d samples of sound", s.Limit)
		}
		s.Samples = append(s.Samples, v)
	}
}
