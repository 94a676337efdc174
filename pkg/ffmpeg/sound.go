package ffmpeg

import (
	"bufio"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"os"
)

// Sound is one channel of sound.
type Sound struct {
	Rate    int // samples a second
	Samples []float32
}

const (
	maxRate     = 1 << 20
	maxChannels = 1024
)

// Sound decodes the first sound of a file, at its own rate, to the mean of its channels. The samples replace what is in buffer, as far as
// it holds them. More than limit of them are an error, and so is one that is not finite; a file without sound is ErrNoStream.
func (t *Tools) Sound(ctx context.Context, file *os.File, cut Cut, limit int, buffer []float32) (Sound, error) {
	s := Sound{Samples: buffer[:0]}
	err := t.run(ctx, t.FFmpeg, file, func(name string) []string {
		args := append([]string{"-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "1"}, input(name, cut.Start)...)
		args = append(append(args, "-map", "0:a:0"), cut.arguments()...)
		return append(args, "-c:a", "pcm_f32be", "-f", "au", "pipe:1")
	}, func(r io.Reader) error { return s.read(bufio.NewReaderSize(r, 1<<16), limit) })
	if err != nil {
		return Sound{}, err
	}
	return s, nil
}

// read reads a Sun audio file of big-endian floats (its header is Sun's, 1992: magic, offset, size, encoding, rate, channels).
func (s *Sound) read(r *bufio.Reader, limit int) error {
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
		if len(s.Samples) == limit {
			return fmt.Errorf("more than %d samples of sound", limit)
		}
		s.Samples = append(s.Samples, v)
	}
}
