package main

import (
	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
	"mmtools/pkg/schema"
)

// write decodes src, or the shard of it that is asked for, into a samples stream.
func (p product) write(ctx *cli.Context, src encode.Source) error {
	from, to := p.part(src.Rows())
	report := &report{}
	if m, ok := src.(*encode.Media); ok {
		for _, f := range m.Missing(from, to) {
			report.add(f)
		}
		if from == 0 { // of all shards one tells it
			for _, l := range m.Leftovers() {
				report.leftover(l)
			}
		}
	}
	if err := ctx.CheckOutput(p.Output.Output, p.Report); err != nil { // now, not when all is encoded
		return err
	}
	out, err := p.create(ctx, src)
	if err != nil {
		return err
	}
	defer out.abort()
	next, err := out.resumed(ctx, report)
	if err != nil {
		return err
	}
	next = max(from, next)
	w, err := schema.NewSamplesWriter(out, p.samples(ctx.Tool, src.Samples()), p.Options()...)
	if err != nil {
		return err
	}
	progress := ctx.Progress(int64(to-next), "samples")
	defer progress.Done()
	written := out.samples
	o := encode.RunOptions{Threads: p.Threads, From: next, To: to, Errors: encode.Policy(p.OnError), Report: report.add}
	err = encode.Run(ctx, src, o, func(r *encode.Row) error {
		progress.Add(int64(r.Index - next + 1))
		next = r.Index + 1
		written++
		if err := w.Append(schema.Sample{ID: r.ID, Label: r.Label, Tensors: r.Tensors}); err != nil {
			return err
		}
		return out.mark(next, written, report)
	})
	if err != nil {
		return out.hint(err)
	}
	if err := w.Close(); err != nil {
		return err
	}
	progress.Done()
	switch {
	case from == to:
		ctx.Log.Warn().Msg("no sample was selected: the stream has no rows")
	case written == 0:
		ctx.Log.Warn().Msg("no sample could be encoded: the stream has no rows")
	}
	ctx.Log.Info().Int("samples", written).Int("classes", len(src.Samples().Classes)).Int("missing", report.missing).Int("broken", report.broken).Msg("encoded")
	if err := report.write(ctx, p.Report); err != nil {
		return err
	}
	return out.commit()
}
