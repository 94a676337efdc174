package main

import (
	"errors"
	"time"

	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/shapley"
	"mmtools/pkg/valuation"
)

type command struct {
	Samples     string `arg:"" optional:"" placeholder:"FILE" help:"Samples stream (default: standard input)."`
	Model       string `placeholder:"FILE" help:"Model stream to value with: the weights of its last epoch."`
	Predictions string `placeholder:"FILE" help:"Predictions stream to value in place of a model and samples: every coalition of every sample, the rows of a sample together."`
	Additive    bool   `help:"With --predictions, take logits of a coalition as the sum of its modalities' parts: the rows of each single modality and of none, which is the bias, are enough."`

	Value     string `default:"published" enum:"published,right,probability,log-probability,margin,negative-loss" placeholder:"NAME" help:"Let a coalition be worth its size where it is right (published), 1 where it is right (right), the label's probability, log-probability in nats or margin over the best other class, or negative-loss, which is the log-probability of the cross-entropy that mm-fit trains with (default: ${default})."`
	Label     string `default:"given" enum:"given,predicted" placeholder:"NAME" help:"Value the label that is given, or what the model predicts from all modalities with predicted, for which samples need no label (default: ${default})."`
	Absence   string `default:"zero-feature" enum:"zero-feature,mean-feature,zero-input,mean-input,marginal" placeholder:"NAME" help:"Put the zero vector (zero-feature) or the mean of the reference (mean-feature) in the place of an absent modality's feature, zeros (zero-input) or the mean of the reference (mean-input) in that of its input, or average over reference samples in its place (marginal) (default: ${default})."`
	Reference string `placeholder:"FILE" help:"Samples stream that --absence mean-feature, mean-input and marginal refer to, such as the training samples."`
	Draws     int    `default:"32" placeholder:"N" help:"With --absence marginal, average over N samples drawn from the reference (default: ${default})."`

	Estimator  string        `default:"exact" enum:"exact,banzhaf,alone,permutation,owen,kernel" placeholder:"NAME" help:"Take every coalition (exact, up to 20 modalities; banzhaf for Banzhaf values, alone for what a modality is worth without the others), or estimate from some by orders of joining (permutation), Owen sampling (owen) or regression (kernel), with columns stderr_MODALITY (default: ${default})."`
	Coalitions int           `default:"1024" placeholder:"N" help:"Let an estimator look at N coalitions a sample at most (default: ${default})."`
	StopStderr float64       `placeholder:"X" help:"Let an estimator stop at a sample where no standard error is above X."`
	StopRanked bool          `help:"Let an estimator stop at a sample where the order of its contributions is told: modalities that are alike are told apart by chance in 5 samples of 100 at most."`
	StopAfter  time.Duration `placeholder:"TIME" help:"Let an estimator stop at a sample after TIME, such as 5ms; the output then depends on the machine's speed."`

	Right        bool   `help:"Write the column right too: for each coalition, whether it classifies the sample rightly (up to 6 modalities)."`
	Cooperation  bool   `help:"Write the column cooperation too: what all modalities together are worth beyond the sum of what each is worth alone."`
	Interactions bool   `help:"Write columns interaction_A_B too, the Shapley interaction index of each pair: above 0 where the two complement each other, below 0 where one would do."`
	Shard        string `placeholder:"I/N" help:"Value the I-th of N equal parts of the samples, from 1; the contributions of all parts join by cat. Samples have to be a file."`
	LeftOut      bool   `help:"Value the samples alone that the model was trained without (mm-fit --leave-out): the contributions of the models of all folds join by cat to those of every sample, out of fold."`
	Summary      string `placeholder:"FILE" help:"Write what there is to read in the contributions to FILE as JSON: means, shares, quantiles, classes, agreement, the largest discrepancies. On a terminal a table of them follows, unless --quiet."`
	BatchSize    int    `default:"512" placeholder:"N" env:"MM_BATCH_SIZE" help:"Give the model N samples at once (default: ${default})."`

	cli.Seed
	cli.Device
	cli.Output
	cli.Compression
	cli.Logging
}

// maxBatchSize bounds the memory that a mistyped --batch-size can ask for, and maxCoalitions and maxDraws that of theirs.
const (
	maxBatchSize  = 1 << 16
	maxCoalitions = 1 << 24
	maxDraws      = 1 << 16
)

// check refuses settings that are out of range or do not go together.
func (c *command) check() error {
	absence := valuation.Absence(c.Absence)
	switch {
	case (c.Model == "") == (c.Predictions == ""):
		return cli.Usage("want one of --model and --predictions")
	case c.Predictions != "" && c.Samples != "":
		return cli.Usage("--predictions takes no samples: %s", c.Samples)
	case c.Predictions != "" && absence != valuation.ZeroFeature:
		return cli.Usage("--predictions takes no --absence: only their writer knows what is absent")
	case c.Predictions != "" && valuation.Estimator(c.Estimator).Sampled():
		return cli.Usage("--predictions hold every coalition: --estimator %s draws some, want exact, banzhaf or alone", c.Estimator)
	case c.Predictions != "" && c.LeftOut:
		return cli.Usage("--predictions takes no --left-out: only the model says what it was trained without")
	case c.Predictions != "" && c.Shard != "":
		return cli.Usage("--predictions takes no --shard")
	case c.Additive && c.Predictions == "":
		return cli.Usage("--additive is for --predictions; a model says itself whether its logits are a sum")
	case absence.Referring() && c.Reference == "":
		return cli.Usage("--absence %s wants --reference FILE, such as the training samples", c.Absence)
	case !absence.Referring() && c.Reference != "":
		return cli.Usage("--absence %s refers to no samples: --reference %s", c.Absence, c.Reference)
	case c.Draws < 1 || c.Draws > maxDraws:
		return cli.Usage("--draws: got %d, want 1 to %d", c.Draws, maxDraws)
	case c.Coalitions < 1 || c.Coalitions > maxCoalitions:
		return cli.Usage("--coalitions: got %d, want 1 to %d", c.Coalitions, maxCoalitions)
	case !(c.StopStderr >= 0):
		return cli.Usage("--stop-stderr: got %v, want 0 or more", c.StopStderr)
	case c.StopAfter < 0:
		return cli.Usage("--stop-after: got %v, want 0 or more", c.StopAfter)
	case c.Right && (absence == valuation.Marginal || valuation.Estimator(c.Estimator).Sampled()):
		return cli.Usage("--right: with --absence %s and --estimator %s no coalition is simply right", c.Absence, c.Estimator)
	case (c.Cooperation || c.Interactions) && valuation.Estimator(c.Estimator).Sampled():
		return cli.Usage("--cooperation and --interactions want every coalition: --estimator exact or banzhaf")
	case c.BatchSize < 1 || c.BatchSize > maxBatchSize:
		return cli.Usage("--batch-size: got %d, want 1 to %d", c.BatchSize, maxBatchSize)
	}
	return nil
}

// options returns the settings of the valuation, without the replacement of absent modalities and the shard.
func (c *command) options() valuation.Options {
	return valuation.Options{
		Value: valuation.Value(c.Value), Predicted: c.Label == "predicted", Estimator: valuation.Estimator(c.Estimator),
		Rule: shapley.Rule{Evaluations: c.Coalitions, StdErr: c.StopStderr, Ranked: c.StopRanked, Time: c.StopAfter},
		Seed: c.Seed.Seed, Cooperation: c.Cooperation, Interactions: c.Interactions, Additive: c.Additive,
		Threads: c.Threads, Model: c.Model,
	}
}

// Run writes the contributions.
func (c *command) Run(ctx *cli.Context) error {
	start := time.Now()
	if err := c.check(); err != nil {
		return err
	}
	value := c.model
	if c.Predictions != "" {
		value = c.predictions
	}
	found, err := value(ctx)
	if errors.Is(err, valuation.ErrUnlabelled) {
		return cli.Hint(err, "--label predicted values what the model predicts, and needs no label")
	}
	if err != nil {
		return err
	}
	if err := found.report(ctx, c.Quiet); err != nil {
		return err
	}
	summary := found.summary
	event := ctx.Log.Info().Int64("samples", summary.Samples)
	if summary.Samples > 0 { // there is no mean of nothing
		event = event.Float64("accuracy", summary.Accuracy(modality.All(len(found.names))))
	}
	for p, name := range found.names {
		if summary.Have[p] > 0 {
			event = event.Float64("contribution_"+name, summary.Mean(p)).Float64("share_below_one_"+name, summary.ShareBelowOne(p))
		}
	}
	if summary.Evaluations > 0 {
		event = event.Int64("coalitions", summary.Evaluations)
	}
	event.Int64("elapsed_ms", time.Since(start).Milliseconds()).Msg("valued samples")
	return nil
}
