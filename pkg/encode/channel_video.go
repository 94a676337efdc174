package encode

import (
	"context"
	"errors"
	"fmt"

	"mmtools/pkg/ffmpeg"
	"mmtools/pkg/modality"
)

// VideoSpec makes frames, (frames, 3, height, width) uint8, of the videos of a column.
type VideoSpec struct {
	Name       string // of the modality
	Column     string
	Start, End string // columns of the seconds in the file to take; "" for its beginning and its end
	Video      Video
}

// Video says which frames of a video become a tensor of one shape.
type Video struct {
	Frames        int
	Rate          float64 // frames a second, from the beginning; 0 for the middles of as many equal parts
	Height, Width int
	Crop          bool // the middle of a frame, in its own proportions, not the whole stretched
}

// videoChannel decodes the videos of one column.
type videoChannel struct {
	fileChannel
	clips clipColumns
	video Video
	tools *children
}

// ModalityName implements Spec.
func (s VideoSpec) ModalityName() string { return s.Name }

// Open implements Spec.
func (s VideoSpec) Open(in *Inputs) (Channel, error) {
	const most = 1 << 14 // pixels on a side, and frames: the sizes are checked again together
	v := s.Video
	switch {
	case v.Frames < 1 || v.Frames > most:
		return nil, fmt.Errorf("%d frames: want 1 to %d", v.Frames, most)
	case v.Height < 1 || v.Width < 1 || v.Height > most || v.Width > most:
		return nil, fmt.Errorf("frames of %d x %d: want 1 to %d pixels on a side", v.Height, v.Width, most)
	case !(v.Rate >= 0 && v.Rate <= 1000):
		return nil, fmt.Errorf("%g frames a second: want up to 1000", v.Rate)
	}
	clips, more := clipsOf(s.Start, s.End)
	files, err := in.files(s.Name, s.Column, more...)
	return &videoChannel{files, clips, s.Video, &children{}}, err
}

func (c *videoChannel) Modality() modality.Modality {
	return modality.Modality{Name: c.name, Kind: modality.Video, Shape: []int{c.video.Frames, 3, c.video.Height, c.video.Width}}
}

func (c *videoChannel) Element() Element                    { return Uint8 }
func (c *videoChannel) Options() any                        { return c.video }
func (c *videoChannel) NewDecoder() (ChannelDecoder, error) { return c, nil }

// Decode implements ChannelDecoder: the channel keeps nothing between cells. A video with fewer frames repeats its last.
func (c *videoChannel) Decode(ctx context.Context, dst any, cell Cell) error {
	cut, err := c.clips.of(cell)
	if err != nil {
		return err
	}
	tools, err := c.tools.get()
	if err != nil {
		return err
	}
	f, _, err := c.folder.Open(cell.Fields[0])
	if err != nil {
		return err
	}
	defer f.Close() // it was only read
	choice := ffmpeg.Choice{Cut: cut, Count: c.video.Frames}
	if c.video.Rate > 0 {
		choice.Step = 1 / c.video.Rate
	} else {
		clip, err := tools.Probe(ctx, f)
		if err != nil {
			return err
		}
		if choice, err = ffmpeg.Spread(c.video.Frames, clip, cut); err != nil {
			return err
		}
	}
	choice.Height, choice.Width, choice.Crop = c.video.Height, c.video.Width, c.video.Crop
	pixels, plane := dst.([]uint8), c.video.Height*c.video.Width
	size, n := 3*plane, 0
	err = tools.Frames(ctx, f, choice, size, func(frame ffmpeg.Frame) error {
		if len(frame.RGB) != size {
			return fmt.Errorf("a frame of %d x %d pixels: want %d x %d", frame.Height, frame.Width, c.video.Height, c.video.Width)
		}
		planes(pixels[n*size:][:size], frame.RGB)
		n++
		return nil
	})
	switch {
	case err != nil:
		return err
	case n == 0:
		return errors.New("no frame: the video, or the part of it, is empty")
	}
	for ; n < c.video.Frames; n++ {
		copy(pixels[n*size:][:size], pixels[(n-1)*size:])
	}
	return nil
}

// planes parts pixels of three bytes into three planes.
func planes(dst, rgb []byte) {
	n := len(dst) / 3
	for i := range n {
		dst[i], dst[n+i], dst[2*n+i] = rgb[3*i], rgb[3*i+1], rgb[3*i+2]
	}
}

var videoKind = Kind{
	Name: "video",
	Help: "Frames of a video, through ffmpeg: pixels of 0 to 255 as (frames, 3, height, width).",
	Keys: []Key{
		{"frames", "N", "3", "Take N frames: the middles of N equal parts, or as fps says. A video with fewer repeats its last."},
		{"fps", "X", "0", "Take X frames a second, from the beginning; 0 spreads them."},
		{"size", "HxW", "224", "Scale to H by W pixels, or to N by N with one number."},
		{"crop", "", "false", "Cut the middle out of frames of other proportions, where they would be stretched."},
		{"start", "COL", "", "Begin at the second of the file that column COL says."},
		{"end", "COL", "", "End at the second of the file that column COL says."},
	},
	Parse: func(name, column string, v *Values) Spec {
		video := Video{Frames: v.Int("frames"), Rate: v.Float("fps"), Crop: v.Bool("crop")}
		video.Height, video.Width = v.Size("size")
		return VideoSpec{name, column, v.Text("start"), v.Text("end"), video}
	},
}
