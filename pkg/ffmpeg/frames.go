package ffmpeg

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
)

// Frame is a picture of a video: Height rows of Width pixels of three bytes, red, green, blue.
type Frame struct {
	Width, Height int
	RGB           []byte
}

// Choice says which frames of a cut to take: at most Count, the first that is shown at First seconds or later, then the first at each
// Step after that; or every so many.
type Choice struct {
	Cut
	Count       int
	First, Step float64
	Every       int // frames from one to the next, from the first on, in place of seconds; 0 for seconds
}

// filter returns what picks the frames.
func (c Choice) filter() string {
	if c.Every > 0 {
		return fmt.Sprintf("select='not(mod(n,%d))'", c.Every)
	}
	return fmt.Sprintf("select='gte(t+%g,%.9g+selected_n*%.9g)'", early, c.First, c.Step)
}

// Spread chooses count frames over a cut of a clip: the middles of as many equal parts. A clip that does not say how long it is, in a
// cut that does not either, is an error.
func Spread(count int, clip Clip, cut Cut) (Choice, error) {
	length := cut.Duration
	if rest := clip.Duration - cut.Start; length <= 0 || clip.Duration > 0 && rest < length {
		length = rest
	}
	if clip.Duration == 0 && cut.Duration <= 0 {
		return Choice{}, fmt.Errorf("the file does not say how long it is: frames can be taken at a rate, or between given seconds")
	}
	if length <= 0 {
		return Choice{}, fmt.Errorf("from second %g on: the video has %g seconds", cut.Start, clip.Duration)
	}
	step := length / float64(count)
	return Choice{Cut: cut, Count: count, First: step / 2, Step: step}, nil
}

// early is how much before its time a frame is taken: times are rounded in files.
const early = 1e-4

// Frames decodes the frames chosen, at their own size and upright, and calls emit with each, which may write over it until it returns.
// There may be fewer than were asked for. They are those that "ffmpeg -i FILE %d.png" writes, to the bit. One of more than limit pixels
// is an error; a file without video is ErrNoStream.
func (t *Tools) Frames(ctx context.Context, file *os.File, c Choice, limit int, emit func(Frame) error) error {
	return t.run(ctx, t.FFmpeg, file, func(name string) []string {
		args := append([]string{"-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "1", "-max_pixels", fmt.Sprint(limit)}, input(name, c.Start)...)
		args = append(append(args, "-map", "0:v:0"), c.Cut.arguments()...)
		return append(args, "-vf", c.filter(), "-fps_mode", "passthrough", "-frames:v", fmt.Sprint(c.Count),
			"-c:v", "ppm", "-pix_fmt", "rgb24", "-f", "image2pipe", "pipe:1")
	}, func(r io.Reader) error {
		b := bufio.NewReaderSize(r, 1<<16)
		var f Frame
		for n := 0; ; n++ {
			if _, err := b.Peek(1); err == io.EOF {
				return nil
			}
			if n == c.Count {
				return fmt.Errorf("ffmpeg wrote more than %d frames", c.Count)
			}
			if err := f.read(b, limit); err != nil {
				return err
			}
			if err := emit(f); err != nil {
				return err
			}
		}
	})
}

// read reads a portable pixmap, as ffmpeg writes it: "P6", width and height, 255, pixels (Poskanzer 1989).
func (f *Frame) read(r *bufio.Reader, limit int) error {
	var highest int
	if _, err := fmt.Fscanf(r, "P6\n%d %d\n%d\n", &f.Width, &f.Height, &highest); err != nil {
		if isShort(err) {
			return io.ErrUnexpectedEOF
		}
		return fmt.Errorf("ffmpeg wrote no frame: %w", err)
	}
	if highest != 255 || f.Width < 1 || f.Height < 1 || f.Width > limit/f.Height {
		return fmt.Errorf("a frame of %d x %d pixels: want no more than %d", f.Width, f.Height, limit)
	}
	n := 3 * f.Width * f.Height
	if cap(f.RGB) < n {
		f.RGB = make([]byte, n)
	}
	f.RGB = f.RGB[:n]
	_, err := io.ReadFull(r, f.RGB)
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return err
}
