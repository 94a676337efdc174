package encode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"

	"mmtools/pkg/ffmpeg"
	"mmtools/pkg/media"
	"mmtools/pkg/modality"
	"mmtools/pkg/pixel"
)

// VideoSpec makes frames of the videos of a column, (frames, channels, height, width) uint8. They are decoded at their own size, and
// resized as those of a folder are: a frame is the same whichever way it comes.
type VideoSpec struct {
	Name       string // of the modality
	Column     string
	Start, End string  // columns of the seconds in the file to take; "" for its beginning and its end
	Rate       float64 // frames a second, from the beginning; 0 for those that Choice says
	Choice     Choice
	Picture    Picture
}

// videoChannel decodes the videos of one column.
type videoChannel struct {
	fileChannel
	spec  VideoSpec
	clips clipColumns
	shape []int // of a frame
	tools *children
}

// ModalityName implements Spec.
func (s VideoSpec) ModalityName() string { return s.Name }

// maxRate bounds the frames a second that can be asked for.
const maxRate = 1000

// Open implements Spec.
func (s VideoSpec) Open(in *Inputs) (Channel, error) {
	switch {
	case !(s.Rate >= 0 && s.Rate <= maxRate):
		return nil, fmt.Errorf("%g frames a second: want up to %d", s.Rate, maxRate)
	case s.Rate > 0 && s.Choice.Every > 0:
		return nil, errors.New("frames a second, or every so many: want one of both")
	}
	shape, err := s.Picture.frameShape()
	if err != nil {
		return nil, err
	}
	clips, more := clipsOf(s.Start, s.End)
	files, err := in.files(s.Name, s.Column, more...)
	return &videoChannel{files, s, clips, shape, &children{}}, err
}

func (c *videoChannel) Modality() modality.Modality {
	return modality.Modality{Name: c.name, Kind: modality.Video, Shape: append([]int{c.spec.Choice.Count}, c.shape...)}
}

func (c *videoChannel) Element() Element { return Uint8 }
func (c *videoChannel) hasClips() bool   { return true }

func (c *videoChannel) Options() any {
	return struct {
		Rate    float64
		Choice  Choice
		Picture Picture
	}{c.spec.Rate, c.spec.Choice, c.spec.Picture}
}

func (c *videoChannel) NewDecoder() (ChannelDecoder, error) {
	plan, err := c.spec.Picture.plan()
	return &videoDecoder{videoChannel: c, plan: plan}, err
}

// videoDecoder decodes videos; it belongs to one goroutine, but for the lock.
type videoDecoder struct {
	*videoChannel
	lock sync.Mutex // for frames of several videos may come at once
	plan *media.Imager
}

// Close implements io.Closer.
func (d *videoDecoder) Close() error { return d.plan.Close() }

// Decode implements ChannelDecoder.
func (d *videoDecoder) Decode(ctx context.Context, dst any, cell Cell) error {
	return decodeClip(ctx, d, dst, cell)
}

// begin implements clipDecoder.
func (d *videoDecoder) begin(ctx context.Context, dst any, cell Cell) (*clip, error) {
	cut, err := d.clips.of(cell)
	if err != nil {
		return nil, err
	}
	tools, err := d.tools.get()
	if err != nil {
		return nil, err
	}
	f, size, err := d.folder.Open(cell.Fields[0])
	if err != nil {
		return nil, err
	}
	choice, said, err := d.choose(ctx, tools, f, size, cut)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	tensor := dst.([]uint8)
	frame := len(tensor) / choice.Count
	job := &ffmpeg.FramesJob{File: f, Choice: choice, Limit: media.MaxPixels}
	job.Emit = func(p ffmpeg.Frame) error {
		d.lock.Lock()
		defer d.lock.Unlock()
		return d.plan.Fit(tensor[job.Frames*frame:][:frame], pixel.Picture{Pix: p.RGB, Height: p.Height, Width: p.Width, Channels: 3, Stride: 3 * p.Width})
	}
	return &clip{
		tools: tools, file: f, job: job,
		load:   load{bytes: size, pixels: said.Pixels, alone: said.Pixels == 0},
		finish: func() error { return d.spec.Choice.fill(tensor, job.Frames, frame) },
	}, nil
}

// choose returns which frames of a file are taken, and what is known of the file.
func (d *videoDecoder) choose(ctx context.Context, tools *ffmpeg.Tools, f *os.File, size int64, cut ffmpeg.Cut) (ffmpeg.Choice, ffmpeg.Clip, error) {
	said, known := ffmpeg.ReadHeader(f, size)
	choice := ffmpeg.Choice{Cut: cut, Count: d.spec.Choice.Count, Every: d.spec.Choice.Every}
	switch {
	case choice.Every > 0:
		return choice, said, nil
	case d.spec.Rate > 0:
		choice.Step = 1 / d.spec.Rate
		return choice, said, nil
	}
	var err error
	if !known || !said.Video {
		if said, err = tools.Probe(ctx, f); err != nil {
			return choice, said, err
		}
	}
	choice, err = ffmpeg.Spread(choice.Count, said, cut)
	return choice, said, err
}

var videoKind = Kind{
	Name: "video",
	Help: "Frames of a video, through ffmpeg, 0 to 255, as frames, channels, height and width: each is decoded at its own size, up to 33,554,432 pixels, and resized as images are.",
	Keys: frameKeys(append(choiceKeys("3"),
		Key{"fps", "X", "0", "Take X frames a second, from the beginning, until there are N; 0 spreads them."},
		Key{"start", "COL", "", "Begin at the second of the file that column COL says."},
		Key{"end", "COL", "", "End at the second of the file that column COL says."},
		Key{"mode", "MODE", "rgb", "Keep three colours with rgb, or one brightness with grey."})...),
	Parse: func(name, column string, v *Values) Spec {
		return VideoSpec{Name: name, Column: column, Start: v.Text("start"), End: v.Text("end"), Rate: v.Float("fps"),
			Choice: choiceOf(v), Picture: pictureOf(v, v.OneOf("mode", "rgb", "grey") == "rgb")}
	},
}
