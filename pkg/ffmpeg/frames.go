package ffmpeg

import (
	"bufio"
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

// FramesJob decodes frames of a file's first video, at their own size and upright, and calls Emit with each, which may write over it until it
// returns; Emit belongs to the goroutine that reads, which of several jobs is not the caller's. There may be fewer than were asked for. They
// are those that "ffmpeg -i FILE %d.png" writes, to the bit. One of more than Limit pixels is an error; a file without video is ErrNoStream.
type FramesJob struct {
	File *os.File
	Choice
	Limit int
	Emit  func(Frame) error

	Frames int // what comes out: how many Emit has taken
}

func (f *FramesJob) input() source  { return source{f.File, f.Start, f.Limit} }
func (f *FramesJob) stream() string { return "v:0" }

func (f *FramesJob) arguments() []string {
	return append(f.Cut.arguments(), "-vf", f.filter(), "-fps_mode", "passthrough", "-frames:v", fmt.Sprint(f.Count),
		"-c:v", "ppm", "-pix_fmt", "rgb24", "-f", "image2pipe")
}

func (f *FramesJob) read(r *bufio.Reader) error {
	var frame Frame
	for f.Frames = 0; ; f.Frames++ {
		if _, err := r.Peek(1); err == io.EOF {
			return nil
		}
		if f.Frames == f.Count {
			return fmt.Errorf("ffmpeg wrote more than %d frames", f.Count)
		}
		if err := frame.read(r, f.Limit); err != nil {
			return err
		}
		if err := f.Emit(frame); err != nil {
			return err
		}
	}
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
