package ffmpeg

import (
	"errors"
	"fmt"
	"os/exec"
	"time"
)

// Tools are the programs, by their paths.
type Tools struct {
	FFmpeg, FFprobe string
	Timeout         time.Duration // of one child; 0 for DefaultTimeout
	Memory          int64         // that one child may allocate, in bytes, on Linux; 0 for DefaultMemory
}

// DefaultTimeout is a child's time: minutes of video take seconds.
const DefaultTimeout = 5 * time.Minute

// DefaultMemory is what a child may allocate, the stacks of its threads with it: H.264 of 8192x4096 took 690 MiB.
const DefaultMemory = 4 << 30

// Sentinels of what a caller may tell apart.
var (
	ErrNotInstalled = errors.New("not installed")
	ErrNoStream     = errors.New("no such stream")
	ErrStopped      = errors.New("stopped") // a child whose time was over
)

// Find looks the programs up on the PATH.
func Find() (*Tools, error) {
	t := &Tools{Timeout: DefaultTimeout}
	for name, path := range map[string]*string{"ffmpeg": &t.FFmpeg, "ffprobe": &t.FFprobe} {
		var err error
		if *path, err = exec.LookPath(name); err != nil {
			return nil, fmt.Errorf("%s is %w: sound other than wav, and video, need it (Debian: apt-get install ffmpeg; scripts/deps does that)", name, ErrNotInstalled)
		}
	}
	return t, nil
}

// formats are ffmpeg's demultiplexers of single media files: none that follows names in a file to others, as hls, concat and dash do.
const formats = "aac,ac3,aiff,amr,ape,asf,au,avi,caf,eac3,flac,flv,h264,hevc,ivf,m4v,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,mpegvideo,mxf,nut,ogg,rm,tta,w64,wav,wv,gif,apng"

// input are the arguments that open descriptor 3, from Start on. Protocols other than file and pipe are refused.
func input(name string, start float64) []string {
	args := []string{"-protocol_whitelist", "file,pipe", "-format_whitelist", formats}
	if start > 0 {
		args = append(args, "-ss", seconds(start))
	}
	return append(args, "-i", name)
}

func seconds(s float64) string { return fmt.Sprintf("%.6f", s) }

// Cut is a part of a file, in seconds.
type Cut struct {
	Start    float64
	Duration float64 // 0 for all that follows
}

// arguments of the output.
func (c Cut) arguments() []string {
	if c.Duration <= 0 {
		return nil
	}
	return []string{"-t", seconds(c.Duration)}
}
