package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"

	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
	"mmtools/pkg/stream"
)

// output is where the stream goes: a product that appears whole or not at all, or a partial file that outlives the run.
type output struct {
	io.Writer
	product *cli.Product
	target  string
	partial *stream.Partial
	samples int   // written by earlier runs
	marked  int64 // size at the last mark
}

// note is what the partial file's journal keeps with a batch.
type note struct {
	Next    int     `json:"next"`    // the first row of the source that is in no batch
	Samples int     `json:"samples"` // written so far
	Entries []entry `json:"report,omitempty"`
}

// create opens the output.
func (p product) create(ctx *cli.Context, src encode.Source) (*output, error) {
	if !p.Resume {
		out, err := ctx.Create(p.Output.Output)
		return &output{Writer: out, product: out}, err
	}
	partial, err := stream.OpenPartial(p.Output.Output, p.key(ctx.Tool, src))
	if errors.Is(err, stream.ErrOtherRun) {
		return nil, cli.Hint(err, "give the options of that run, or remove the file and its .journal to start again")
	}
	if err != nil {
		return nil, err
	}
	return &output{Writer: partial, partial: partial, target: p.Output.Output, marked: partial.Size()}, nil
}

// key says what the output's bytes depend on.
func (p product) key(tool string, src encode.Source) string {
	b, err := json.Marshal([]any{tool, src.Samples(), src.Rows(), p.OnError, p.Shard, p.Tensors, p.Compression.Compression})
	if err != nil {
		panic(err) // only for a type that JSON cannot hold
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// resumed returns the row to go on from, and restores the report.
func (o *output) resumed(ctx *cli.Context, r *report) (next int, err error) {
	defer func() { r.marked = len(r.entries) }()
	if o.partial == nil {
		return 0, nil
	}
	for _, raw := range o.partial.Notes() {
		var n note
		if err := json.Unmarshal(raw, &n); err != nil { // the sums are over the data, not the notes
			err = stream.Errorf("%s.partial.journal: a note is not one of mm-encode's: %w", o.target, err)
			return 0, cli.Hint(err, "remove it and the file beside it to start again")
		}
		next, o.samples = n.Next, n.Samples
		for _, e := range n.Entries {
			r.restore(e)
		}
	}
	if next > 0 {
		ctx.Log.Info().Int("samples", o.samples).Msg("going on")
	}
	return next, nil
}

// mark keeps where to go on where a batch was just written.
func (o *output) mark(next, samples int, r *report) error {
	if o.partial == nil || o.partial.Size() == o.marked {
		return nil
	}
	o.marked = o.partial.Size()
	n := note{next, samples, r.entries[r.marked:]}
	r.marked = len(r.entries)
	return o.partial.Mark(n)
}

// hint tells how to go on after err.
func (o *output) hint(err error) error {
	if o.partial == nil || o.marked == 0 {
		return err
	}
	return cli.Hint(err, "what is encoded so far is kept: the same command goes on from there")
}

func (o *output) commit() error {
	if o.partial != nil {
		return o.partial.Commit()
	}
	return o.product.Commit()
}

// abort drops a product, and leaves a partial file for the next run.
func (o *output) abort() {
	if o.partial != nil {
		o.partial.Close()
		return
	}
	o.product.Abort()
}
