package encode

import (
	"context"
	"errors"
	"os"
	"slices"

	"mmtools/pkg/ffmpeg"
	"mmtools/pkg/media"
)

// clipDecoder is a ChannelDecoder whose cells may name files that ffmpeg decodes: several go to one child, whose start costs more than a
// short clip does.
type clipDecoder interface {
	ChannelDecoder
	// begin decodes a cell, or returns what a child is to do for it first.
	begin(ctx context.Context, dst any, cell Cell) (*clip, error)
}

// clip is an open file that a child is to decode for a cell's tensor.
type clip struct {
	tools  *ffmpeg.Tools
	file   *os.File
	job    ffmpeg.Job
	load   load
	finish func() error // makes the tensor of what came
}

// load is what a clip takes of a child and of us, as far as it is known before.
type load struct {
	bytes   int64 // of the file
	pixels  int   // of a picture
	samples int   // of sound
	alone   bool  // not known, or much: the clip has a child of its own
}

// What one child does: its decoders hold some 20 pictures each, and we the sound.
const (
	maxClips       = 64
	maxClipBytes   = 64 << 20
	maxClipPixels  = 4 << 20
	maxClipSamples = 8 << 20
)

// usualRate is what sounds' samples are counted by before their rate is known, and highRates how much more of them may come.
const (
	usualRate = 48000
	highRates = 4
)

// fits says whether a child that does l can do another as well.
func (l load) fits(other load) bool {
	return !l.alone && !other.alone && l.bytes+other.bytes <= maxClipBytes && l.pixels+other.pixels <= maxClipPixels && l.samples+other.samples <= maxClipSamples
}

// decodeClip decodes a cell by itself.
func decodeClip(ctx context.Context, d clipDecoder, dst any, cell Cell) error {
	c, err := d.begin(ctx, dst, cell)
	if c == nil {
		return err
	}
	defer c.file.Close() // it was only read
	if err := c.tools.Decode(ctx, c.job); err != nil {
		return err
	}
	return c.finish()
}

// bundle is the clips that one child decodes.
type bundle struct {
	clips []bundled
	load  load
}

type bundled struct {
	*clip
	part *part
	i    int
}

// decodeClips decodes what the parts whose decoder is a clipDecoder have, row by row: a row's sound and frames come out of the same file
// often, which is then read once.
func decodeClips(ctx context.Context, parts []part, rows int) {
	var b bundle
	defer func() { b.run(ctx) }()
	next := make([]int, len(parts))
	for row := range rows {
		for k := range parts {
			p := &parts[k]
			d, ok := p.decoder.(clipDecoder)
			i := next[k]
			if !ok || i == len(p.places) || p.places[i] != row {
				continue
			}
			next[k]++
			if p.errs[i] = ctx.Err(); p.errs[i] != nil {
				return
			}
			var c *clip
			p.errs[i] = safely(func() (err error) { c, err = d.begin(ctx, p.dst[i], p.cells[i]); return err })
			if c == nil {
				continue
			}
			if len(b.clips) == maxClips || len(b.clips) > 0 && !b.load.fits(c.load) {
				b.run(ctx)
			}
			b.add(bundled{c, p, i})
		}
	}
}

func (b *bundle) add(c bundled) {
	b.clips = append(b.clips, c)
	b.load.bytes += c.load.bytes
	b.load.pixels += c.load.pixels
	b.load.samples += c.load.samples
	b.load.alone = c.load.alone
}

// run decodes the bundle's clips, and empties it.
func (b *bundle) run(ctx context.Context) {
	decodeBundled(ctx, b.clips)
	for _, c := range b.clips {
		c.file.Close() // it was only read
	}
	*b = bundle{clips: b.clips[:0]}
}

// decodeBundled decodes clips with one child. Where one of several is broken, or has more than it said, each half is decoded again, and so
// on; where they take too long, each by itself. The error is then that clip's.
func decodeBundled(ctx context.Context, clips []bundled) {
	if len(clips) == 0 {
		return
	}
	err := safely(func() error { return clips[0].tools.Decode(ctx, jobs(clips)...) })
	part := (len(clips) + 1) / 2
	if errors.Is(err, ffmpeg.ErrStopped) {
		part = 1
	}
	if err != nil && len(clips) > 1 && ctx.Err() == nil {
		for again := range slices.Chunk(clips, part) {
			decodeBundled(ctx, again)
		}
		return
	}
	for _, c := range clips {
		if c.part.errs[c.i] = err; err == nil {
			c.part.errs[c.i] = safely(c.finish)
		}
	}
}

// jobs returns the clips' jobs; of several, none may be more than it said.
func jobs(clips []bundled) []ffmpeg.Job {
	all := make([]ffmpeg.Job, len(clips))
	for k, c := range clips {
		switch job := c.job.(type) {
		case *ffmpeg.SoundJob:
			if job.Limit = maxSoundSamples; len(clips) > 1 {
				job.Limit = min(job.Limit, highRates*c.load.samples)
			}
		case *ffmpeg.FramesJob:
			if job.Limit = media.MaxPixels; len(clips) > 1 {
				job.Limit = min(job.Limit, c.load.pixels)
			}
		}
		all[k] = c.job
	}
	return all
}

// clipChannel is a channel whose decoder is a clipDecoder.
type clipChannel interface {
	Channel
	hasClips() bool // whether its files are for ffmpeg, as far as it is known
}

// hasClips says whether several samples are better decoded at once.
func (m *Media) hasClips() bool {
	return slices.ContainsFunc(m.channels, func(c Channel) bool {
		clips, ok := c.(clipChannel)
		return ok && clips.hasClips()
	})
}
