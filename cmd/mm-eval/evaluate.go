package main

import (
	"errors"

	"mmtools/pkg/classifier"
	"mmtools/pkg/cli"
	"mmtools/pkg/metric"
	"mmtools/pkg/modality"
	"mmtools/pkg/report"
	"mmtools/pkg/schema"
	"mmtools/pkg/valuation"
)

type evaluateCommand struct {
	Samples     string `arg:"" optional:"" placeholder:"FILE" help:"Samples stream to measure on, every sample labelled (default: standard input)."`
	Model       string `required:"" placeholder:"FILE" help:"Model stream to measure."`
	Weights     string `default:"auto" enum:"auto,best,last" placeholder:"WHICH" help:"Measure the weights of the best validated epoch, or of the last; auto takes the best where the model holds them (default: ${default})."`
	Format      string `default:"table" enum:"table,json,arrow" placeholder:"FORMAT" env:"MM_FORMAT" help:"Write a table for people, json, or an arrow stream with a row for each figure (default: ${default})."`
	Predictions string `placeholder:"FILE" help:"Write a predictions stream too: every coalition of every sample, with its logits."`
	Figures     string `placeholder:"DIR" help:"Draw the accuracies, the contributions and the confusion matrix into the folder DIR, as accuracy.svg, contributions.svg and confusion.svg."`
	BatchSize   int    `default:"512" placeholder:"N" env:"MM_BATCH_SIZE" help:"Give the model N samples at once (default: ${default})."`

	cli.Device
	cli.Output
}

const maxBatchSize = 1 << 16

// Run measures the model and writes what it found.
func (c *evaluateCommand) Run(ctx *cli.Context) error {
	if c.BatchSize < 1 || c.BatchSize > maxBatchSize {
		return cli.Usage("--batch-size: got %d, want 1 to %d", c.BatchSize, maxBatchSize)
	}
	create := ctx.CreateText
	if c.Format == "arrow" {
		create = ctx.Create
	}
	out, err := create(c.Output.Output)
	if err != nil {
		return err
	}
	defer out.Abort()
	side := &files{ctx: ctx}
	defer side.abort()
	r, err := c.measure(ctx, side)
	if err != nil {
		return err
	}
	if c.Figures != "" {
		if err := c.draw(side, r); err != nil {
			return err
		}
	}
	switch c.Format {
	case "json":
		err = r.writeJSON(out)
	case "arrow":
		err = r.writeArrow(out, ctx.Tool)
	default:
		err = r.writeTable(out)
	}
	if err != nil {
		return err
	}
	if err := side.commit(); err != nil {
		return err
	}
	return out.Commit()
}

// measure runs the model over the samples once: the valuation pass gives every figure. The mean average precision ranks
// all samples, so that 4 (classes + 1) bytes of each are held; nothing else grows with them.
func (c *evaluateCommand) measure(ctx *cli.Context, side *files) (*result, error) {
	m, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	predictor := m.Evaluator
	in, err := ctx.OpenStream(c.Samples)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	samples, err := schema.NewSamplesReader(in)
	if err != nil {
		return nil, err
	}
	sink, err := c.openPredictions(ctx, side, predictor, schema.Digest{Samples: samples.Header().Digest.Samples, Model: m.Digest})
	if err != nil {
		return nil, err
	}
	classes := len(predictor.Classes())
	metrics := metric.NewAccumulator(classes)
	probabilities := make([]float32, 0)
	progress := ctx.Progress(0, "samples")
	defer progress.Done()
	observed := &observer{Predictor: predictor, sink: sink}
	contributions := report.NewHistogram("contributions", modality.Names(predictor.Modalities()))
	summary, err := valuation.Run(ctx, samples, observed.wrap(), valuation.Options{Threads: c.Threads, Model: c.Model},
		func(b *schema.SamplesBatch, r *valuation.Result) error {
			progress.Add(int64(r.Rows))
			if len(probabilities) < len(r.Logits) {
				probabilities = make([]float32, len(r.Logits))
			}
			scores := probabilities[:len(r.Logits)]
			metric.LogSoftmax(scores, r.Logits, classes)
			metrics.Add(r.Label, r.Prediction, scores)
			for i, phi := range r.Phi {
				contributions.Add(i%sink.n, phi)
			}
			return sink.write(b, observed)
		})
	if err != nil {
		return nil, err
	}
	progress.Done()
	if err := sink.close(); err != nil {
		return nil, err
	}
	r := newResult(predictor, metrics, summary)
	r.contributions, r.matrix = contributions, metrics.Confusion
	return r, nil
}

// draw draws the figures of --figures.
func (c *evaluateCommand) draw(side *files, r *result) error {
	groups, values := []string{"all"}, [][]float64{{float64(r.Accuracy)}}
	for _, m := range r.Modalities {
		groups, values = append(groups, m.Key), append(values, []float64{float64(m.Value.Accuracy)})
	}
	accuracy, err := report.Accuracy("Accuracy with all modalities, and with each alone", groups,
		[]report.Method{{Name: c.Model, Values: values}}, 1/float64(len(r.classes)))
	if err != nil {
		return err
	}
	contributions, err := report.Contributions("Contributions", []*report.Histogram{r.contributions})
	if err != nil {
		return err
	}
	confusion, err := report.Confusion("Confusion matrix", r.matrix, r.classes)
	if err != nil {
		return err
	}
	return side.figures(c.Figures, []string{"accuracy", "contributions", "confusion"}, []*report.Figure{accuracy, contributions, confusion})
}

// open opens the model with the weights to measure.
func (c *evaluateCommand) open(ctx *cli.Context) (*classifier.Classifier, error) {
	in, err := ctx.OpenStream(c.Model)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	m, err := classifier.Open(in, classifier.Options{
		Device: c.DeviceOptions(ctx), Rows: c.BatchSize, Weights: classifier.Weights(c.Weights),
	})
	if errors.Is(err, classifier.ErrNoBest) {
		return nil, cli.Usage("--weights best: %s holds the last epoch's weights only (mm-fit --validate keeps the best)", in.Name())
	}
	if err == nil && m.Best {
		ctx.Log.Info().Int("epoch", m.State.Best.Epoch).Msg("measuring the weights of the best validated epoch")
	}
	return m, err
}

func newResult(p valuation.Predictor, m *metric.Accumulator, s valuation.Summary) *result {
	names := modality.Names(p.Modalities())
	r := &result{Samples: s.Samples, Accuracy: number(m.Accuracy()), MacroF1: number(m.MacroF1()),
		MeanAveragePrecision: number(m.MeanAveragePrecision()), classes: p.Classes(), names: names}
	for c, class := range p.Classes() {
		r.PerClass = append(r.PerClass, entry[number]{class, number(m.Recall(c))})
		r.Confusion = append(r.Confusion, m.Row(c))
	}
	for _, c := range coalitions(len(names)) {
		r.Coalitions = append(r.Coalitions, entry[number]{c.Label(names), number(s.Accuracy(c))})
	}
	for i, name := range names {
		r.Modalities = append(r.Modalities, entry[modalityResult]{name, modalityResult{
			Accuracy: number(s.Accuracy(modality.Only(i))), MeanContribution: number(s.Mean(i)), ShareBelowOne: number(s.ShareBelowOne(i))}})
	}
	return r
}

// coalitions returns those whose accuracy is reported: all but the empty one for up to 6 modalities, else every modality
// alone and all together.
func coalitions(n int) []modality.Coalition {
	var all []modality.Coalition
	if n > 6 {
		for i := range n {
			all = append(all, modality.Only(i))
		}
		return append(all, modality.All(n))
	}
	for c := modality.Coalition(1); c <= modality.All(n); c++ {
		all = append(all, c)
	}
	return all
}
