package main

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"time"

	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/resample"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

type command struct {
	Contributions string  `arg:"" optional:"" placeholder:"FILE" help:"Contributions stream (default: standard input)."`
	Method        string  `default:"sample" enum:"none,sample,modality" placeholder:"METHOD" help:"Re-sample by none, sample or modality (default: ${default})."`
	Strength      float64 `default:"1" placeholder:"X" help:"With --method sample, multiply the number of copies by X; each modality below its share keeps one at least (default: ${default})."`
	Ratio         float64 `default:"0.2" placeholder:"X" help:"With --method modality, compare the modalities on a random subset of this share of the samples (default: ${default})."`
	Alpha         float64 `default:"1" placeholder:"X" help:"With --method modality, scale the share of samples added (default: ${default})."`
	Function      string  `default:"linear" enum:"linear,tanh,power" placeholder:"NAME" help:"With --method modality, let the share added grow with the distance d between the modalities as linear (X*2d/3), tanh (tanh(X*2d/3)) or power (X*(2d/3)^1.5), X being --alpha (default: ${default})."`
	Epoch         *int    `placeholder:"N" help:"Epoch that the plan is for, which picks the random numbers (default: one more than the epoch of the model that was valued)."`

	cli.Seed
	cli.Output
	cli.Compression
	cli.Logging
}

func (c *command) sampleLevel() resample.SampleOptions {
	return resample.SampleOptions{Strength: c.Strength}
}

func (c *command) modalityLevel(epoch int) resample.ModalityOptions {
	return resample.ModalityOptions{
		Ratio: c.Ratio, Alpha: c.Alpha, Function: resample.Function(c.Function), Seed: c.Seed.Seed, Epoch: epoch,
	}
}

// check refuses settings out of range, whether or not the method uses them.
func (c *command) check() error {
	if c.Epoch != nil && *c.Epoch < 0 {
		return cli.Usage("--epoch: got %d, want 0 or more", *c.Epoch)
	}
	for _, err := range []error{c.sampleLevel().Validate(), c.modalityLevel(0).Validate()} {
		if err != nil {
			return cli.Usage("--%w", err) // errors of the options begin with the name of the flag
		}
	}
	return nil
}

// Run writes the plan.
func (c *command) Run(ctx *cli.Context) error {
	start := time.Now()
	if err := c.check(); err != nil {
		return err
	}
	in, err := ctx.OpenStream(c.Contributions)
	if err != nil {
		return err
	}
	defer in.Close()
	r, err := schema.NewContributionsReader(in)
	if err != nil {
		return err
	}
	out, err := ctx.Create(c.Output.Output)
	if err != nil {
		return err
	}
	defer out.Abort()
	plan := c.plan(ctx.Tool, r.Contributions())
	w, err := schema.NewPlanWriter(out, plan, c.Compression.Options()...)
	if err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	pass := once(ctx, r)
	if c.Method == "modality" {
		if !in.Mapped() {
			spooled, copied, err := spool(ctx, in, r)
			if err != nil {
				return err
			}
			defer spooled.Close()
			r = copied
		}
		pass = again(ctx, r)
	}
	summary, err := c.resample(pass, modality.Names(plan.Modalities), plan.Epoch, appendTo(w))
	var row *resample.RowError
	if errors.As(err, &row) {
		return stream.Errorf("%s: %w", in.Name(), err)
	}
	if err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("writing the plan: %w", err)
	}
	if err := out.Commit(); err != nil {
		return err
	}
	c.log(ctx, plan, summary, time.Since(start))
	return nil
}

// plan describes the plan to write.
func (c *command) plan(tool string, from schema.Contributions) schema.Plan {
	seed := c.Seed.Seed
	plan := schema.Plan{
		Header: schema.Header{
			Tool: tool, Seed: &seed, Modalities: from.Modalities, Classes: from.Classes, Digest: from.Digest,
			Extra: maps.Clone(from.Extra),
		},
		Method: c.Method, Epoch: from.Epoch + 1, Shuffle: true,
	}
	if c.Epoch != nil {
		plan.Epoch = *c.Epoch
	}
	switch c.Method {
	case "sample":
		plan.Strength = c.Strength
	case "modality":
		if plan.Extra == nil {
			plan.Extra = map[string]string{}
		}
		plan.Extra["mm.ratio"] = strconv.FormatFloat(c.Ratio, 'g', -1, 64)
		plan.Extra["mm.alpha"] = strconv.FormatFloat(c.Alpha, 'g', -1, 64)
		plan.Extra["mm.function"] = c.Function
	}
	return plan
}

func (c *command) resample(pass pass, names []string, epoch int, emit resample.Emit[*schema.ContributionsBatch]) (resample.Summary, error) {
	switch c.Method {
	case "sample":
		return resample.SampleLevel(pass, names, c.sampleLevel(), emit)
	case "modality":
		return resample.ModalityLevel(pass, names, c.modalityLevel(epoch), emit)
	default:
		return resample.None(pass, names, emit)
	}
}

// appendTo returns an Emit that writes to w.
func appendTo(w *schema.PlanWriter) resample.Emit[*schema.ContributionsBatch] {
	return func(b *schema.ContributionsBatch, picks *resample.Picks) error {
		for k, index := range picks.Index {
			i := int(index)
			if err := w.Append(schema.PlanRow{Row: b.Row(i), ID: b.ID(i), Keep: picks.Keep[k], Weight: 1}); err != nil {
				return fmt.Errorf("writing the plan: %w", err)
			}
		}
		return nil
	}
}

func (c *command) log(ctx *cli.Context, plan schema.Plan, s resample.Summary, elapsed time.Duration) {
	event := ctx.Log.Info().Str("method", c.Method).Uint64("seed", c.Seed.Seed).Int("epoch", plan.Epoch).Int64("samples", s.Samples)
	for p, m := range plan.Modalities {
		event = event.Int64("copies_"+m.Name, s.Copies[p])
	}
	if s.Lowest >= 0 {
		event = event.Str("lowest", plan.Modalities[s.Lowest].Name).Float64("gap", s.Gap)
	}
	event.Int64("elapsed_ms", elapsed.Milliseconds()).Msg("planned an epoch")
}
