package main

import (
	"errors"
	"fmt"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/cli"
	"mmtools/pkg/device"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
	"mmtools/pkg/train"
)

type command struct {
	Samples  string `arg:"" optional:"" placeholder:"SAMPLES" help:"Samples stream to train on (default: standard input)."`
	Init     string `placeholder:"MODEL" help:"Go on from this model instead of a new one."`
	Plan     string `placeholder:"FILE" help:"Train on the rows of this plan; - reads it from standard input (default: every sample once, whole)."`
	Epochs   int    `default:"1" placeholder:"N" help:"Train for N epochs more; 0 writes the model untrained (default: ${default})."`
	LeaveOut string `placeholder:"I/N" help:"Train without the samples of the I-th of N folds, by a hash of their ids, and keep that in the model, which goes on without them, whatever a plan says: mm-value --left-out values them out of fold."`
	Validate string `placeholder:"FILE" help:"Measure the accuracy on these samples after every epoch."`
	Keep     string `default:"auto" enum:"auto,best,last" placeholder:"WHICH" help:"With best, the model also keeps the weights of the epoch that validated best, which mm-eval prefers; with last it does not; auto is best where --validate is given (default: ${default})."`

	Model    modelFlags    `embed:""`
	Training trainingFlags `embed:""`
	Weights  weightFlags   `embed:""`

	cli.Device
	cli.Output
	cli.Logging
}

// Run trains and writes the model.
func (c *command) Run(ctx *cli.Context) error {
	if c.Epochs < 0 {
		return cli.Usage("--epochs: got %d, want 0 or more", c.Epochs)
	}
	if c.Keep == "best" && c.Validate == "" {
		return cli.Usage("--keep best needs --validate FILE")
	}
	if c.Keep == "auto" && c.Validate != "" {
		c.Keep = "best"
	}
	if err := c.Training.check(); err != nil {
		return err
	}
	if err := c.checkLeaveOut(); err != nil {
		return err
	}
	if len(c.Weights.Export) > 0 && c.Init != "" && c.Epochs == 0 && c.Samples == "" && c.Output.Output == "" {
		return c.convert(ctx)
	}
	d, err := device.Open(c.DeviceOptions(ctx))
	if err != nil {
		return err
	}
	defer d.Close()
	samples, err := readSamples(ctx, c.Samples, true)
	if err != nil {
		return err
	}
	defer samples.Close()
	model, err := c.start(ctx, samples)
	if err != nil {
		return err
	}
	if err := c.leaveOut(model, samples); err != nil {
		return err
	}
	spec, err := specOf(model)
	if err != nil {
		return err
	}
	options := train.Options{Device: d, Epochs: c.Epochs, Samples: samples, KeepBest: c.Keep == "best"}
	if options.Plan, err = c.readPlan(ctx, model, samples); err != nil {
		return err
	}
	if c.Validate != "" {
		if options.Validate, err = readSamples(ctx, c.Validate, false); err != nil {
			return err
		}
		defer options.Validate.Close()
		if err := arrange(options.Validate, model); err != nil {
			return err
		}
	}
	out, err := ctx.Create(c.Output.Output)
	if err != nil {
		return err
	}
	defer out.Abort()
	exported, err := c.Weights.create(ctx, c.Init)
	if err != nil {
		return err
	}
	defer exported.abort()
	ctx.Log.Debug().Str("device", d.Name()).Int("samples", samples.Rows()).Uint64("seed", model.State.Seed).Msg("training")
	if err := c.train(ctx, model, options); err != nil {
		return err
	}
	seed := model.State.Seed
	model.Header = schema.Header{
		Kind: schema.KindModel, Tool: ctx.Tool, Seed: &seed, Modalities: model.Header.Modalities, Classes: samples.Header.Classes,
		Digest: schema.Digest{Samples: samples.Header.Digest.Samples},
	}
	if err := model.Write(out); err != nil {
		return err
	}
	if err := exported.write(model, spec); err != nil {
		return err
	}
	return out.Commit()
}

// convert writes the weights of --init to the files of --export, and no more.
func (c *command) convert(ctx *cli.Context) error {
	model, err := c.readInit(ctx)
	if err != nil {
		return err
	}
	spec, err := specOf(model)
	if err != nil {
		return err
	}
	if err := c.Weights.check(spec); err != nil {
		return err
	}
	exported, err := c.Weights.create(ctx, c.Init)
	if err != nil {
		return err
	}
	defer exported.abort()
	return exported.write(model, spec)
}

// start returns the model to train: that of --init, arranged for the samples, or a new one.
func (c *command) start(ctx *cli.Context, samples *train.Samples) (*checkpoint.Checkpoint, error) {
	if c.Init == "" {
		spec, err := c.Model.spec(samples.Header)
		if err != nil {
			return nil, err
		}
		if err := c.Weights.check(spec); err != nil {
			return nil, err
		}
		state := c.Training.state(checkpoint.State{LeftOut: c.LeaveOut})
		if err := c.Training.factors(&state, spec); err != nil {
			return nil, err
		}
		if err := c.Training.checkOptimizer(state.Optimizer); err != nil {
			return nil, err
		}
		fold, err := state.Fold()
		if err != nil {
			return nil, err
		}
		samples.LeaveOut(fold) // before the model is standardized by the others
		model, err := train.New(spec, state, samples)
		if err != nil {
			return nil, err
		}
		model.Header.Modalities = samples.Header.Modalities
		return model, c.Weights.load(ctx, model, spec)
	}
	model, err := c.readInit(ctx)
	if err != nil {
		return nil, err
	}
	if err := c.Model.change(model); err != nil {
		return nil, err
	}
	spec, err := specOf(model)
	if err != nil {
		return nil, err
	}
	if err := c.Weights.check(spec); err != nil {
		return nil, err
	}
	trained := model.State.Optimizer.Name
	model.State = c.Training.state(model.State)
	if err := c.Training.factors(&model.State, spec); err != nil {
		return nil, err
	}
	if model.State.Step > 0 && model.State.Optimizer.Name != trained {
		return nil, cli.Usage("--optimizer %s: the model of --init was trained with %s, whose moments do not carry over", model.State.Optimizer.Name, trained)
	}
	if err := c.Training.checkOptimizer(model.State.Optimizer); err != nil {
		return nil, err
	}
	return model, arrange(samples, model)
}

// readInit reads the model of --init.
func (c *command) readInit(ctx *cli.Context) (*checkpoint.Checkpoint, error) {
	if err := c.Model.refuse(); err != nil {
		return nil, err
	}
	if err := c.Weights.refuse(); err != nil {
		return nil, err
	}
	in, err := ctx.OpenPrevious(c.Init)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return checkpoint.Read(in)
}

func (c *command) readPlan(ctx *cli.Context, model *checkpoint.Checkpoint, samples *train.Samples) (*train.Plan, error) {
	if c.Plan == "" {
		return nil, nil
	}
	in, err := ctx.OpenStream(c.Plan)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, err := schema.NewPlanReader(in)
	if err != nil {
		return nil, err
	}
	spec, err := specOf(model)
	if err != nil {
		return nil, err
	}
	plan, err := train.ReadPlan(r, samples, spec, in.Name())
	if err == nil && plan.Unnamed > 0 {
		ctx.Log.Warn().Int("samples", plan.Unnamed).Int("of", samples.Rows()).Msg("the plan has no row of some samples: they are not trained on")
	}
	if err == nil && plan.LeftOut > 0 {
		ctx.Log.Info().Int("rows", plan.LeftOut).Msg("rows of samples of fold " + model.State.LeftOut + " are left out")
	}
	return plan, err
}

// readSamples reads a samples stream to its end: where it lies in a file, or from a copy on disk where it comes through a
// pipe.
func readSamples(ctx *cli.Context, path string, labelled bool) (*train.Samples, error) {
	in, err := ctx.OpenStream(path)
	if err != nil {
		return nil, err
	}
	if !in.Mapped() {
		spooled, copied, err := stream.Spool(in)
		if err := errors.Join(err, in.Close()); err != nil {
			return nil, err
		}
		ctx.Log.Info().Str("stream", in.Name()).Int64("bytes", copied).Msg("copied the samples of a pipe to a temporary file")
		in = spooled
	}
	r, err := schema.NewSamplesReader(in)
	if err == nil {
		var samples *train.Samples
		if samples, err = train.ReadSamples(r, in, labelled); err == nil {
			return samples, nil
		}
	}
	in.Close()
	return nil, err
}

func arrange(samples *train.Samples, model *checkpoint.Checkpoint) error {
	spec, err := specOf(model)
	if err != nil {
		return err
	}
	return samples.Arrange(spec)
}

// train runs the epochs, logs each, and draws the progress within one.
func (c *command) train(ctx *cli.Context, model *checkpoint.Checkpoint, o train.Options) error {
	rows := o.Samples.Rows()
	if o.Plan != nil {
		rows = o.Plan.Rows()
	}
	progress := ctx.Progress(int64(c.Epochs)*int64(rows), "rows")
	o.OnRows = func(n int) { progress.Add(int64(n)) }
	o.OnEpoch = func(e train.Epoch) {
		event := ctx.Log.Info().Int("epoch", e.Epoch).Int64("step", e.Step).Int("rows", e.Rows).Float64("lr", e.LR).
			Float64("loss", e.Loss).Int64("elapsed_ms", e.Elapsed.Milliseconds())
		if o.Validate != nil {
			event = event.Float64("accuracy", e.Accuracy).Bool("best", e.Best)
		}
		event.Msg("trained an epoch")
	}
	err := train.Run(ctx, model, o)
	progress.Done()
	if err != nil {
		return fmt.Errorf("training: %w", err)
	}
	return nil
}
