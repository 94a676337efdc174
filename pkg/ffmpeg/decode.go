package ffmpeg

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
)

// Job is one stream of a file to decode: *SoundJob or *FramesJob.
type Job interface {
	input() source
	arguments() []string        // what makes the output of the stream, but for which file's it is and where it goes
	stream() string             // of a file: "a:0"
	read(r *bufio.Reader) error // what the child writes
}

// source is what a job reads: a file from a second on, whose pictures have no more than so many pixels.
type source struct {
	file   *os.File
	start  float64
	pixels int // 0 for a job that decodes none
}

// same says whether both are one.
func (s source) same(o source) bool {
	if s.start != o.start {
		return false
	}
	a, errA := s.file.Stat()
	b, errB := o.file.Stat()
	return errA == nil && errB == nil && os.SameFile(a, b)
}

// Decode does jobs with one child, whose start costs more than a short clip does. Where it does several and one fails, nothing is known of
// the others, nor which it was: they are to be done again, fewer at a time. Several are stricter than one: whatever ffmpeg complains of in a
// stream, and goes on after, ends them all, so that what several make is what each makes by itself.
func (t *Tools) Decode(ctx context.Context, jobs ...Job) error {
	var sources []source
	places := make([]int, len(jobs)) // of each job's source
	for i, job := range jobs {
		in := job.input()
		at := 0
		for at < len(sources) && !sources[at].same(in) {
			at++
		}
		if at == len(sources) {
			sources = append(sources, in)
		}
		sources[at].pixels = max(sources[at].pixels, in.pixels)
		places[i] = at
	}
	c := child{program: t.FFmpeg, args: func(names, outs []string) []string {
		args := []string{"-nostdin", "-hide_banner", "-loglevel", "error", "-filter_threads", "1"} // else every output starts a thread for each core
		if len(jobs) > 1 {
			args = append(args, "-max_error_rate", "0")
		}
		for i, s := range sources {
			args = append(args, "-threads", "1")
			if s.pixels > 0 {
				args = append(args, "-max_pixels", fmt.Sprint(s.pixels))
			}
			args = append(args, input(names[i], s.start)...)
		}
		for i, job := range jobs {
			args = append(args, "-map", fmt.Sprintf("%d:%s", places[i], job.stream()))
			args = append(append(args, job.arguments()...), outs[i])
		}
		return args
	}}
	for _, s := range sources {
		c.files = append(c.files, s.file)
	}
	for _, job := range jobs {
		c.reads = append(c.reads, func(r io.Reader) error { return job.read(bufio.NewReaderSize(r, 1<<16)) })
	}
	return t.run(ctx, c)
}
