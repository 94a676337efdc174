package ffmpeg

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
)

// Clip is what a file says of itself.
type Clip struct {
	Duration float64 // seconds, of the video where there is one; 0 where the file does not say
	Sound    bool    // it has sound
	Video    bool    // it has moving pictures

	SoundDuration float64 // seconds; 0 where the file does not say
	Pixels        int     // that a decoder lays out for a picture; 0 where the file does not say, or lies
}

// What ffprobe may write, and the pixels of a picture that it may decode to know more of a file.
const (
	maxProbe       = 1 << 20
	maxProbePixels = 1 << 25
)

// Probe asks ffprobe what is in a file.
func (t *Tools) Probe(ctx context.Context, file *os.File) (Clip, error) {
	var clip Clip
	err := t.run(ctx, child{program: t.FFprobe, files: []*os.File{file}, args: func(names, _ []string) []string {
		return append(append([]string{"-hide_banner", "-loglevel", "error", "-max_pixels", fmt.Sprint(maxProbePixels)}, input(names[0], 0)...),
			"-show_entries", "stream=codec_type,duration,width,height:format=duration", "-of", "json")
	}, reads: []func(io.Reader) error{func(r io.Reader) error {
		text, err := io.ReadAll(io.LimitReader(r, maxProbe+1))
		switch {
		case err != nil:
			return err
		case len(text) > maxProbe:
			return fmt.Errorf("ffprobe wrote more than %d bytes", maxProbe)
		case len(text) == 0:
			return io.ErrUnexpectedEOF
		}
		clip, err = parseProbe(text)
		return err
	}}})
	return clip, err
}

// parseProbe reads what ffprobe wrote.
func parseProbe(text []byte) (Clip, error) {
	var said struct {
		Streams []struct {
			Kind          string `json:"codec_type"`
			Duration      string
			Width, Height int
		}
		Format struct{ Duration string }
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return Clip{}, fmt.Errorf("reading what ffprobe wrote: %w", err)
	}
	clip := Clip{Duration: duration(said.Format.Duration)}
	for _, s := range said.Streams {
		switch {
		case s.Kind == "audio" && !clip.Sound:
			clip.Sound, clip.SoundDuration = true, duration(s.Duration)
		case s.Kind == "video" && !clip.Video:
			clip.Video = true
			clip.Pixels = area(s.Width, s.Height)
			clip.Duration = cmp.Or(duration(s.Duration), clip.Duration)
		}
	}
	return clip, nil
}

// duration reads seconds; what is none is 0, as where ffprobe says "N/A".
func duration(text string) float64 {
	d, err := strconv.ParseFloat(text, 64)
	if err != nil || !(d > 0) || d > 1e9 {
		return 0
	}
	return d
}

// area returns the pixels of a picture, its sides rounded up to what decoders lay out; 0 for too many.
func area(width, height int) int {
	if width < 1 || height < 1 || width > maxProbePixels || height > maxProbePixels/width {
		return 0
	}
	const block = 64
	return (width + block - 1) / block * block * ((height + block - 1) / block * block)
}
