package main

import (
	"errors"
	"io"
	"maps"
	"strconv"
	"strings"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/classifier"
	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
	"mmtools/pkg/valuation"
)

// model values samples with a model.
func (c *command) model(ctx *cli.Context) (*found, error) {
	m, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer m.Close()
	predictor, o := m.Evaluator, c.options()
	if o.Fold, err = c.fold(m.State); err != nil {
		return nil, err
	}
	if err := validate(o, c.Model, len(predictor.Modalities()), len(predictor.Classes())); err != nil {
		return nil, err
	}
	if o.Replacement, err = c.replacement(ctx, predictor, o); err != nil {
		return nil, err
	}
	in, err := ctx.OpenStream(c.Samples)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, err := schema.NewSamplesReader(in)
	if err != nil {
		return nil, err
	}
	if o.From, o.To, err = c.shard(in, r); err != nil {
		return nil, err
	}
	about := c.about(ctx, schema.Header{
		Modalities: predictor.Modalities(), Classes: predictor.Classes(), Extra: r.Header().Extra,
		Digest: schema.Digest{Samples: r.Header().Digest.Samples, Model: m.Digest},
	})
	about.Epoch = m.State.Epoch
	if o.Fold != nil {
		about.Digest.Model, about.Extra["mm.folds"] = "", strconv.Itoa(o.Fold.Of)
	}
	if strings.HasPrefix(m.Spec.Fusion, "attention") && o.Replacement == nil {
		about.Baseline = "left-out" // attention sees no token of an absent modality, not one of zeros
	}
	out, err := c.create(ctx, about, r.Columns())
	if err != nil {
		return nil, err
	}
	defer out.product.Abort()
	f, err := c.find(ctx, about)
	if err != nil {
		return nil, err
	}
	progress := ctx.Progress(0, "samples")
	defer progress.Done()
	f.summary, err = valuation.Run(ctx, r, predictor, o, func(b *schema.SamplesBatch, res *valuation.Result) error {
		progress.Add(int64(res.Rows))
		id := func(i int) string { return b.ID(res.First + i) }
		f.add(res, id)
		return out.append(id, b.Columns(), res)
	})
	if err != nil {
		return nil, err
	}
	progress.Done()
	return f, out.commit()
}

// validate turns what is wrong with the options, and not with the model, into a usage error.
func validate(o valuation.Options, name string, modalities, classes int) error {
	err := o.Validate(name, modalities, classes)
	if err != nil && !errors.Is(err, stream.ErrInput) {
		return cli.Usage("--%w", err) // errors of the options begin with the name of the flag
	}
	return err
}

// fold returns the samples to value with --left-out: those that the model was trained without.
func (c *command) fold(state checkpoint.State) (*schema.Fold, error) {
	if !c.LeftOut {
		return nil, nil
	}
	f, err := state.Fold()
	if f == nil && err == nil {
		err = stream.Errorf("%s: trained on every sample: --left-out wants a model of mm-fit --leave-out", c.Model)
	}
	return f, err
}

// open opens the model.
func (c *command) open(ctx *cli.Context) (*classifier.Classifier, error) {
	in, err := ctx.OpenStream(c.Model)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	return classifier.Open(in, classifier.Options{Device: c.DeviceOptions(ctx), Rows: c.BatchSize})
}

// replacement computes what stands in for absent modalities.
func (c *command) replacement(ctx *cli.Context, p valuation.Predictor, o valuation.Options) (*valuation.Replacement, error) {
	absence := valuation.Absence(c.Absence)
	if !absence.Referring() {
		return valuation.NewReplacement(ctx, absence, p, nil, c.Draws, c.Seed.Seed, o)
	}
	in, err := ctx.OpenStream(c.Reference)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, err := schema.NewSamplesReader(in)
	if err != nil {
		return nil, err
	}
	return valuation.NewReplacement(ctx, absence, p, r, c.Draws, c.Seed.Seed, o)
}

// shard returns which samples to value: from and to as valuation.Options has them.
func (c *command) shard(in *stream.Reader, r *schema.SamplesReader) (from, to int64, err error) {
	if c.Shard == "" {
		return 0, 0, nil
	}
	part, parts, ok := strings.Cut(c.Shard, "/")
	i, badPart := strconv.ParseInt(part, 10, 32)
	n, badParts := strconv.ParseInt(parts, 10, 32)
	if !ok || badPart != nil || badParts != nil || i < 1 || i > n {
		return 0, 0, cli.Usage("--shard %s: want I/N with I from 1 to N, such as 2/8", c.Shard)
	}
	if !in.Mapped() {
		return 0, 0, cli.Usage("--shard %s of %s: how many samples a pipe holds is not known before its end, want a file", c.Shard, in.Name())
	}
	rows := int64(0)
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, 0, err
		}
		rows += int64(b.Rows())
	}
	if err := r.Rewind(); err != nil {
		return 0, 0, err
	}
	if from, to = rows*(i-1)/n, rows*i/n; to == 0 {
		to = -1 // nothing: 0 would be everything
	}
	return from, to, nil
}

// predictions values what another framework predicts.
func (c *command) predictions(ctx *cli.Context) (*found, error) {
	in, err := ctx.OpenStream(c.Predictions)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	r, err := schema.NewPredictionsReader(in)
	if err != nil {
		return nil, err
	}
	h, o := r.Header(), c.options()
	about := c.about(ctx, schema.Header{Modalities: h.Modalities, Classes: h.Classes, Digest: h.Digest, Extra: h.Extra})
	about.Baseline = "" // only the other framework knows
	if err := validate(o, in.Name(), len(h.Modalities), len(h.Classes)); err != nil {
		return nil, err
	}
	out, err := c.create(ctx, about, nil)
	if err != nil {
		return nil, err
	}
	defer out.product.Abort()
	f, err := c.find(ctx, about)
	if err != nil {
		return nil, err
	}
	progress := ctx.Progress(0, "samples")
	defer progress.Done()
	f.summary, err = valuation.RunPredictions(ctx, r, in.Name(), o, func(ids []string, _ int64, res *valuation.Result) error {
		progress.Add(int64(res.Rows))
		id := func(i int) string { return ids[i] }
		f.add(res, id)
		return out.append(id, nil, res)
	})
	if err != nil {
		return nil, err
	}
	progress.Done()
	return f, out.commit()
}

// about describes the contributions to write.
func (c *command) about(ctx *cli.Context, h schema.Header) schema.Contributions {
	h.Tool, h.Extra = ctx.Tool, maps.Clone(h.Extra)
	if h.Extra == nil {
		h.Extra = map[string]string{}
	}
	sampled := valuation.Estimator(c.Estimator).Sampled()
	if sampled || c.Absence == string(valuation.Marginal) {
		h.Seed = &c.Seed.Seed
	}
	for key, value := range map[string]string{
		"mm.label":      map[bool]string{true: c.Label}[c.Label == "predicted"],
		"mm.draws":      map[bool]string{true: strconv.Itoa(c.Draws)}[c.Absence == string(valuation.Marginal)],
		"mm.coalitions": map[bool]string{true: strconv.Itoa(c.Coalitions)}[sampled],
		"mm.stop":       map[bool]string{true: c.stop()}[sampled],
	} {
		delete(h.Extra, key) // what was said of the samples is not said of this
		if value != "" {
			h.Extra[key] = value
		}
	}
	about := schema.Contributions{
		Header: h, Value: c.Value, Estimator: c.Estimator, Baseline: c.Absence, Right: c.Right, StdErr: sampled,
	}
	if n := len(h.Modalities); c.Estimator == string(valuation.Permutation) && n > 1 {
		about.Permutations = (c.Coalitions - 2) / (2 * (n - 1)) * 2
	}
	return about
}

// stop says what may stop an estimator before its last coalition.
func (c *command) stop() string {
	var rules []string
	if c.StopStderr > 0 {
		rules = append(rules, "stderr "+strconv.FormatFloat(c.StopStderr, 'g', -1, 64))
	}
	if c.StopRanked {
		rules = append(rules, "ranked")
	}
	if c.StopAfter > 0 {
		rules = append(rules, "after "+c.StopAfter.String())
	}
	return strings.Join(rules, ", ")
}

func names(about schema.Contributions) []string { return modality.Names(about.Modalities) }
