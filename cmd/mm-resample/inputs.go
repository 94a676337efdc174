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
	"mmtools/pkg/valuation"
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

// input is a contributions stream.
type input struct {
	stream *stream.Reader
	reader *schema.ContributionsReader
	copied *spooled // where it was a pipe that is read again
}

func (in *input) name() string { return in.stream.Name() }

func (in *input) Close() {
	in.stream.Close()
	if in.copied != nil {
		in.copied.Close()
	}
}

// spool makes it possible to read the stream again: a pipe is copied to a temporary file.
func (in *input) spool(ctx *cli.Context) (err error) {
	if !in.stream.Mapped() {
		in.copied, in.reader, err = spool(ctx, in.stream, in.reader)
	}
	return err
}

// inputs are the contributions streams: one an epoch, the oldest first, and those that tell the potential.
type inputs struct {
	epochs, potentials []*input
	rows               rowCount // of the newest epoch

	alpha, share float64
	divided      bool
}

func (in *inputs) newest() *schema.ContributionsReader { return in.epochs[len(in.epochs)-1].reader }
func (in *inputs) name() string                        { return in.epochs[len(in.epochs)-1].name() }
func (in *inputs) all() []*input                       { return slices.Concat(in.epochs, in.potentials) }

// Close closes the streams.
func (in *inputs) Close() {
	for _, one := range in.all() {
		one.Close()
	}
}

// open opens the streams and holds them against each other.
func (c *command) open(ctx *cli.Context) (*inputs, error) {
	paths := c.Contributions
	if len(paths) == 0 {
		paths = []string{""}
	}
	in := &inputs{alpha: c.Smooth}
	for k, path := range slices.Concat(paths, c.Potential) {
		into := &in.epochs
		if k >= len(paths) {
			into = &in.potentials
		}
		if err := in.open(ctx, into, path); err != nil {
			in.Close()
			return nil, err
		}
	}
	in.share, in.divided, _ = c.share(in.newest().Contributions())
	return in, nil
}

func (in *inputs) open(ctx *cli.Context, into *[]*input, path string) error {
	s, err := ctx.OpenStream(path)
	if err != nil {
		return err
	}
	one := &input{stream: s}
	*into = append(*into, one)
	if one.reader, err = schema.NewContributionsReader(s); err != nil {
		return err
	}
	first, next, name := in.epochs[0].reader.Contributions(), one.reader.Contributions(), in.epochs[0].name()
	if a, b := modality.Names(first.Modalities), modality.Names(next.Modalities); !slices.Equal(a, b) {
		return stream.Errorf("%s: modalities %v, but %v in %s", s.Name(), b, a, name)
	}
	if first.Value != next.Value {
		return stream.Errorf("%s: contributions of the value %s, but %s in %s", s.Name(), next.Value, first.Value, name)
	}
	if a, b := first.Digest.Samples, next.Digest.Samples; a != b && a != "" && b != "" {
		return stream.Errorf("%s: contributions to the samples %s, but %s in %s", s.Name(), b, a, name)
	}
	if a, b := quantity(first.Estimator), quantity(next.Estimator); a != b || len(in.potentials) > 0 && first.Estimator != next.Estimator {
		return stream.Errorf("%s: contributions by the estimator %s, but %s in %s", s.Name(), next.Estimator, first.Estimator, name)
	}
	return nil
}

// quantity names what an estimator computes: a mean over epochs is of one quantity, which several may compute.
func quantity(estimator string) string {
	switch valuation.Estimator(estimator) {
	case valuation.Banzhaf, valuation.Alone:
		return estimator
	}
	return "shapley"
}

// spool makes it possible to read the streams again.
func (in *inputs) spool(ctx *cli.Context) error {
	for _, one := range in.all() {
		if err := one.spool(ctx); err != nil {
			return err
		}
	}
	return nil
}

// pass returns a Pass over the contributions, smoothed over the epochs, in shares where 1 is a fair one, or as what they lack to their
// potential. The first goes on
// from where the streams are, and every other from the beginning.
func (in *inputs) pass(ctx *cli.Context) pass {
	begun := false
	plain := len(in.epochs) == 1 && len(in.potentials) == 0 && in.share == 1 && !in.divided
	return func(visit func(rows) error) error {
		if begun {
			for _, one := range in.all() {
				if err := one.reader.Rewind(); err != nil {
					return err
				}
			}
		}
		first := !begun
		begun = true
		m := newMeans(in)
		return each(ctx, in.newest(), m.finish, func(b *schema.ContributionsBatch) error {
			if first {
				in.rows.add(b)
			}
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
