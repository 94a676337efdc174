package main

import (
	"errors"
	"fmt"
	"time"

	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/resample"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

type command struct {
	Contributions []string `arg:"" optional:"" placeholder:"FILE" help:"Contributions stream (default: standard input); with --smooth one an epoch, the oldest first."`
	Method        string   `default:"sample" enum:"none,sample,modality,adaptive,reducible" placeholder:"METHOD" help:"Re-sample by none, sample, modality, adaptive or reducible (default: ${default})."`
	Potential     []string `placeholder:"FILE" sep:"none" help:"With --method reducible, a contributions stream of the same samples, by a model that was not trained on them; given again, each of some of the samples, in their order."`
	Function      string   `default:"linear" enum:"linear,ceiling,power,exponential,published,tanh" placeholder:"NAME" help:"With --method sample, copy a sample of n modalities, for one that contributes x less than its share, n*x times rounded (linear) or rounded up (ceiling), n*x^e (power), n*(exp(x)-1)/(exp(1)-1) (exponential), or by the published thresholds (published). With --method modality, let the share of samples added grow with the distance d between the modalities as X*2d/3 (linear), tanh(X*2d/3) (tanh) or X*(2d/3)^1.5 (power), X being --alpha (default: ${default})."`
	Strength      float64  `default:"1" placeholder:"X" help:"With --method sample, multiply the number of copies by X; each modality below its share keeps one at least (default: ${default})."`
	Exponent      float64  `default:"1.5" placeholder:"E" help:"With --method sample --function power, the exponent (default: ${default})."`
	MaxCopies     int64    `placeholder:"N" help:"With --method sample, copy a sample for a modality N times at most."`
	Balance       bool     `help:"With --method sample, adaptive or reducible, give every class that wants extra rows as many of them."`
	Share         float64  `placeholder:"X" help:"The contribution that is a modality's fair share (default: 1 of the published value; of right and probability 1 divided by the sample's modalities; other values have none)."`
	Ratio         float64  `default:"0.2" placeholder:"X" help:"With --method modality, compare the modalities on a random subset of this share of the samples (default: ${default})."`
	Alpha         float64  `default:"1" placeholder:"X" help:"With --method modality, scale the share of samples added (default: ${default})."`
	Budget        float64  `placeholder:"X" help:"Add X times as many rows as there are samples, in place of as many as the function asks for; where not given 1 of --method adaptive and 0.1 of --method reducible."`
	As            string   `default:"copies" enum:"copies,weights" placeholder:"NAME" help:"Write a row as many times as it is to be trained on (copies), or once with that as its weight (weights) (default: ${default})."`
	Control       string   `default:"none" enum:"none,duplicate,random,inverse" placeholder:"NAME" help:"For comparison, add as many rows by other means: samples drawn at random, whole (duplicate) or with one of their modalities drawn too (random), or the same samples with the modalities that contribute most in place of those that contribute least (inverse) (default: ${default})."`
	Smooth        float64  `placeholder:"A" help:"Plan from the exponential mean over epochs: A of the contributions of an epoch and 1-A of the mean before it."`
	Compat        string   `default:"none" enum:"none,published" placeholder:"NAME" help:"With published, reproduce the published code for two modalities: its thresholds, its counts, its draws with replacement; settings that it does not have are refused (default: ${default})."`
	Epoch         *int     `placeholder:"N" help:"Epoch that the plan is for, which picks the random numbers (default: one more than the epoch of the model that was valued)."`

	cli.Seed
	cli.Output
	cli.Compression
	cli.Logging
}

// Run writes the plan.
func (c *command) Run(ctx *cli.Context) error {
	start := time.Now()
	if err := c.check(); err != nil {
		return err
	}
	in, err := c.open(ctx)
	if err != nil {
		return err
	}
	defer in.Close()
	if err := c.fits(in.newest().Contributions()); err != nil {
		return err
	}
	out, err := ctx.Create(c.Output.Output)
	if err != nil {
		return err
	}
	defer out.Abort()
	plan := c.plan(ctx.Tool, in.newest().Contributions())
	w, err := schema.NewPlanWriter(out, plan, c.Compression.Options()...)
	if err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	if c.passes() > 1 {
		if err := in.spool(ctx); err != nil {
			return err
		}
	}
	t := newWriting(w)
	summary, err := c.resample(in.pass(ctx), modality.Names(plan.Modalities), plan.Epoch, t.emit)
	if failed := t.finish(); err == nil {
		err = failed
	}
	var row *resample.RowError
	if errors.As(err, &row) {
		return stream.Errorf("%s: %w", in.name(), err)
	}
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	if in.rows.twice() {
		ctx.Log.Warn().Str("stream", in.name()).Int64("rows", in.rows.rows).Msg("samples are there twice, and are trained on twice: was a part joined twice?")
	}
	if err := out.Commit(); err != nil {
		return err
	}
	c.log(ctx, plan, summary, time.Since(start))
	return nil
}

func (c *command) resample(pass pass, names []string, epoch int, emit resample.Emit[rows]) (resample.Summary, error) {
	switch c.Method {
	case "sample":
		return resample.SampleLevel(pass, names, c.sampleLevel(epoch), emit)
	case "adaptive":
		return resample.Adaptive(pass, names, c.sampleLevel(epoch), emit)
	case "reducible":
		return resample.Reducible(pass, names, c.sampleLevel(epoch), emit)
	case "modality":
		return resample.ModalityLevel(pass, names, c.modalityLevel(epoch), emit)
	default:
		return resample.None(pass, names, emit)
	}
}

func (c *command) log(ctx *cli.Context, plan schema.Plan, s resample.Summary, elapsed time.Duration) {
	event := ctx.Log.Info().Str("method", c.Method).Uint64("seed", c.Seed.Seed).Int("epoch", plan.Epoch).Int64("samples", s.Samples)
	for p, m := range plan.Modalities {
		event = event.Int64("copies_"+m.Name, s.Copies[p])
	}
	if s.Whole > 0 {
		event = event.Int64("copies_whole", s.Whole)
	}
	if c.As == "weights" {
		event = event.Float64("weight", s.Weight)
	}
	if s.Lowest >= 0 {
		event = event.Str("lowest", plan.Modalities[s.Lowest].Name).Float64("gap", s.Gap)
	}
	event.Int64("elapsed_ms", elapsed.Milliseconds()).Msg("planned an epoch")
}
