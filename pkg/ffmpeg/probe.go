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
}

// What ffprobe may write, and the pixels of a picture that it may decode to know more of a file.
const (
	maxProbe       = 1 << 20
	maxProbePixels = 1 << 25
)

// Probe asks ffprobe what is in a file.
func (t *Tools) Probe(ctx context.Context, file *os.File) (Clip, error) {
	var clip Clip
	err := t.run(ctx, t.FFprobe, file, func(name string) []string {
		return append(append([]string{"-hide_banner", "-loglevel", "error", "-max_pixels", fmt.Sprint(maxProbePixels)}, input(name, 0)...),
			"-show_entries", "stream=codec_type,duration:format=duration", "-of", "json")
	}, func(r io.Reader) error {
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
	})
	return clip, err
}

// parseProbe reads what ffprobe wrote.
func parseProbe(text []byte) (Clip, error) {
	var said struct {
		Streams []struct {
			Kind     string `json:"codec_type"`
			Duration string
		}
		Format struct{ Duration string }
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return Clip{}, fmt.Errorf("reading what ffprobe wrote: %w", err)
	}
	clip := Clip{Duration: duration(said.Format.Duration)}
	for _, s := range said.Streams {
		switch {
		case s.Kind == "audio":
			clip.Sound = true
		case s.Kind == "video" && !clip.Video:
			clip.Video = true
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
