package main

import (
	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
	"mmtools/pkg/schema"
)

type command struct {
	Arrays arraysCommand `cmd:"" help:"Take every modality from a NumPy file with a row for each sample."`
	Media  mediaCommand  `cmd:"" help:"Decode the wav, png and jpeg files that a list names."`

	cli.Logging
}

// product is what both subcommands end with.
type product struct {
	Threads int `default:"0" placeholder:"N" env:"MM_THREADS" help:"Decode with N threads; 0 takes every core (default: ${default})."`
	cli.Output
	cli.Compression
}

// write decodes src into a samples stream.
func (p product) write(ctx *cli.Context, src encode.Source) error {
	if p.Threads < 0 {
		return cli.Usage("--threads: got %d, want 0 or more", p.Threads)
	}
	if src.Rows() == 0 {
		ctx.Log.Warn().Msg("no sample was selected: the stream has no rows")
	}
	out, err := ctx.Create(p.Output.Output)
	if err != nil {
		return err
	}
	defer out.Abort()
	w, err := schema.NewSamplesWriter(out, samples(ctx.Tool, src.Samples()), p.Options()...)
	if err != nil {
		return err
	}
	progress := ctx.Progress(int64(src.Rows()), "samples")
	defer progress.Done()
	err = encode.Run(ctx, src, encode.RunOptions{Threads: p.Threads}, func(r *encode.Row) error {
		progress.Add(1)
		return w.Append(schema.Sample{ID: r.ID, Label: r.Label, Tensors: r.Tensors})
	})
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	progress.Done()
	ctx.Log.Info().Int("samples", src.Rows()).Int("classes", len(src.Samples().Classes)).Msg("encoded")
	return out.Commit()
}

// samples describes the stream that holds s.
func samples(tool string, s encode.Samples) schema.Samples {
	out := schema.Samples{Header: schema.Header{Kind: schema.KindSamples, Tool: tool, Modalities: s.Modalities,
		Classes: s.Classes, Digest: schema.Digest{Samples: s.Digest}}}
	for _, e := range s.Elements {
		out.DTypes = append(out.DTypes, map[encode.Element]schema.DType{
			encode.Float32: schema.Float32, encode.Float16: schema.Float16, encode.Uint8: schema.Uint8}[e])
	}
	return out
}
