package main

import (
	"fmt"
	"time"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/cli"
	"mmtools/pkg/device"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/valuation"
)

type command struct {
	Samples     string `arg:"" optional:"" placeholder:"FILE" help:"Samples stream (default: standard input)."`
	Model       string `placeholder:"FILE" help:"Model stream to value with: the weights of its last epoch."`
	Predictions string `placeholder:"FILE" help:"Predictions stream to value in place of a model and samples: every coalition of every sample, the rows of a sample together."`
	Right       bool   `help:"Write the column right too: for each coalition, whether it classifies the sample rightly (up to 6 modalities)."`
	BatchSize   int    `default:"512" placeholder:"N" env:"MM_BATCH_SIZE" help:"Give the model N samples at once (default: ${default})."`

	cli.Device
	cli.Output
	cli.Compression
	cli.Logging
}

// maxBatchSize bounds the memory that a mistyped --batch-size can ask for.
const maxBatchSize = 1 << 16

// Run writes the contributions.
func (c *command) Run(ctx *cli.Context) error {
	start := time.Now()
	if (c.Model == "") == (c.Predictions == "") {
		return cli.Usage("want one of --model and --predictions")
	}
	if c.Predictions != "" && c.Samples != "" {
		return cli.Usage("--predictions takes no samples: %s", c.Samples)
	}
	if c.BatchSize < 1 || c.BatchSize > maxBatchSize {
		return cli.Usage("--batch-size: got %d, want 1 to %d", c.BatchSize, maxBatchSize)
	}
	value := c.model
	if c.Predictions != "" {
		value = c.predictions
	}
	summary, names, err := value(ctx)
	if err != nil {
		return err
	}
	event := ctx.Log.Info().Int64("samples", summary.Samples)
	if summary.Samples > 0 { // there is no mean of nothing
		event = event.Float64("accuracy", summary.Accuracy(modality.All(len(names))))
	}
	for p, name := range names {
		if summary.Have[p] > 0 {
			event = event.Float64("contribution_"+name, summary.Mean(p)).Float64("share_below_one_"+name, summary.ShareBelowOne(p))
		}
	}
	event.Int64("elapsed_ms", time.Since(start).Milliseconds()).Msg("valued samples")
	return nil
}

// model values samples with a model.
func (c *command) model(ctx *cli.Context) (s valuation.Summary, names []string, err error) {
	m, epoch, err := c.readModel(ctx)
	if err != nil {
		return s, nil, err
	}
	d, err := device.Open(c.Device.Device, c.Threads)
	if err != nil {
		return s, nil, err
	}
	defer d.Close()
	predictor, err := network.Load(m, d, c.BatchSize, schema.RoleParameter)
	if err != nil {
		return s, nil, fmt.Errorf("%s: loading the model: %w", c.Model, err)
	}
	in, err := ctx.OpenStream(c.Samples)
	if err != nil {
		return s, nil, err
	}
	defer in.Close()
	r, err := schema.NewSamplesReader(in)
	if err != nil {
		return s, nil, err
	}
	about := published(ctx, schema.Header{
		Modalities: predictor.Modalities(), Classes: predictor.Classes(), Extra: r.Header().Extra,
		Digest: schema.Digest{Samples: r.Header().Digest.Samples, Model: m.Digest()},
	}, c.Right)
	about.Epoch, about.Columns = epoch, r.Columns()
	out, err := c.create(ctx, about)
	if err != nil {
		return s, nil, err
	}
	defer out.product.Abort()
	progress := ctx.Progress(0, "samples")
	defer progress.Done()
	s, err = valuation.Run(ctx, r, predictor, valuation.Options{Threads: c.Threads, Model: c.Model},
		func(b *schema.SamplesBatch, res *valuation.Result) error {
			progress.Add(int64(res.Rows))
			return out.append(schema.ContributionRows{First: b.First(), ID: b.ID, Columns: b.Columns()}, res)
		})
	if err != nil {
		return s, nil, err
	}
	progress.Done()
	return s, modality.Names(about.Modalities), out.commit()
}

// readModel reads the model and the number of epochs it was trained for.
func (c *command) readModel(ctx *cli.Context) (schema.Model, int, error) {
	in, err := ctx.OpenStream(c.Model)
	if err != nil {
		return schema.Model{}, 0, err
	}
	defer in.Close()
	m, err := schema.ReadModel(in)
	if err != nil {
		return m, 0, err
	}
	state, err := checkpoint.FromModel(m, in.Name())
	if err != nil {
		return m, 0, err
	}
	return m, state.State.Epoch, nil
}

// predictions values what another framework predicts.
func (c *command) predictions(ctx *cli.Context) (s valuation.Summary, names []string, err error) {
	in, err := ctx.OpenStream(c.Predictions)
	if err != nil {
		return s, nil, err
	}
	defer in.Close()
	r, err := schema.NewPredictionsReader(in)
	if err != nil {
		return s, nil, err
	}
	h := r.Header()
	about := published(ctx, schema.Header{Modalities: h.Modalities, Classes: h.Classes, Digest: h.Digest, Extra: h.Extra}, c.Right)
	about.Baseline = "" // only the other framework knows
	out, err := c.create(ctx, about)
	if err != nil {
		return s, nil, err
	}
	defer out.product.Abort()
	progress := ctx.Progress(0, "samples")
	defer progress.Done()
	s, err = valuation.RunPredictions(ctx, r, in.Name(), func(ids []string, first int64, res *valuation.Result) error {
		progress.Add(int64(res.Rows))
		return out.append(schema.ContributionRows{First: first, ID: func(i int) string { return ids[i] }}, res)
	})
	if err != nil {
		return s, nil, err
	}
	progress.Done()
	return s, modality.Names(about.Modalities), out.commit()
}
