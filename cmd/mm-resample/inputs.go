package main

import (
	"errors"
	"io"
	"slices"

	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/resample"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// rows is consecutive contributions to plan from: a batch of a stream, or the mean of several.
type rows interface {
	resample.Batch
	source() *schema.ContributionsBatch // that the rows are of
}

// batch is rows of a single stream.
type batch struct{ *schema.ContributionsBatch }

func (b batch) source() *schema.ContributionsBatch { return b.ContributionsBatch }

type pass = resample.Pass[rows]

// inputs are the contributions streams, one an epoch, the oldest first.
type inputs struct {
	streams []*stream.Reader
	readers []*schema.ContributionsReader
	copied  *spooled // of the last, where it was a pipe

	alpha, share float64
	divided      bool
}

func (in *inputs) newest() *schema.ContributionsReader { return in.readers[len(in.readers)-1] }
func (in *inputs) name() string                        { return in.streams[len(in.streams)-1].Name() }

// Close closes the streams.
func (in *inputs) Close() {
	for _, s := range in.streams {
		s.Close()
	}
	if in.copied != nil {
		in.copied.Close()
	}
}

// open opens the streams and holds them against each other.
func (c *command) open(ctx *cli.Context) (*inputs, error) {
	paths := c.Contributions
	if len(paths) == 0 {
		paths = []string{""}
	}
	in := &inputs{alpha: c.Smooth}
	for _, path := range paths {
		if err := in.open(ctx, path); err != nil {
			in.Close()
			return nil, err
		}
	}
	in.share, in.divided, _ = c.share(in.newest().Contributions())
	return in, nil
}

func (in *inputs) open(ctx *cli.Context, path string) error {
	s, err := ctx.OpenStream(path)
	if err != nil {
		return err
	}
	in.streams = append(in.streams, s)
	r, err := schema.NewContributionsReader(s)
	if err != nil {
		return err
	}
	in.readers = append(in.readers, r)
	first, next := in.readers[0].Contributions(), r.Contributions()
	if a, b := modality.Names(first.Modalities), modality.Names(next.Modalities); !slices.Equal(a, b) {
		return stream.Errorf("%s: modalities %v, but %v in %s", s.Name(), b, a, in.streams[0].Name())
	}
	if first.Value != next.Value {
		return stream.Errorf("%s: contributions of the value %s, but %s in %s", s.Name(), next.Value, first.Value, in.streams[0].Name())
	}
	if a, b := first.Digest.Samples, next.Digest.Samples; a != b && a != "" && b != "" {
		return stream.Errorf("%s: contributions to the samples %s, but %s in %s", s.Name(), b, a, in.streams[0].Name())
	}
	return nil
}

// spool makes it possible to read the streams again: a pipe is copied to a temporary file. There is one at most.
func (in *inputs) spool(ctx *cli.Context) error {
	for k, s := range in.streams {
		if s.Mapped() {
			continue
		}
		copied, r, err := spool(ctx, s, in.readers[k])
		if err != nil {
			return err
		}
		in.copied, in.readers[k] = copied, r
	}
	return nil
}

// pass returns a Pass over the contributions, smoothed over the epochs, in shares where 1 is a fair one. The first goes on
// from where the streams are, and every other from the beginning.
func (in *inputs) pass(ctx *cli.Context) pass {
	begun := false
	plain := len(in.readers) == 1 && in.share == 1 && !in.divided
	return func(visit func(rows) error) error {
		if begun {
			for _, r := range in.readers {
				if err := r.Rewind(); err != nil {
					return err
				}
			}
		}
		begun = true
		m := newMeans(in)
		return each(ctx, in.newest(), m.finish, func(b *schema.ContributionsBatch) error {
			if plain {
				return visit(batch{b})
			}
			if err := m.take(b); err != nil {
				return err
			}
			return visit(m)
		})
	}
}

// each visits what is left of r, and then finishes.
func each(ctx *cli.Context, r *schema.ContributionsReader, finish func() error, visit func(*schema.ContributionsBatch) error) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return finish()
		}
		if err != nil {
			return err
		}
		if err := visit(b); err != nil {
			return err
		}
	}
}
