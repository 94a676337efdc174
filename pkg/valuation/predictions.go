package valuation

import (
	"context"
	"errors"
	"fmt"
	"io"

	"mmtools/pkg/schema"
)

// predictionsBatch is how many samples of a predictions stream are handed on at once.
const predictionsBatch = 1024

// RunPredictions values every modality of every sample of a predictions stream, which holds what some classifier
// predicts for every coalition of every sample: the rows of a sample together, in any order, so that memory does not
// grow with the stream. The modalities that none of a sample's coalitions name are those that it lacks; of the others
// every coalition has to be there. The empty one may be missing for the published value, to which it counts for nothing but
// its own accuracy, and as wrong. Values that look at logits need them in every row.
//
// With Options.Additive the logits of the single modalities and of none are enough: those of none are the bias, what is
// beyond it in those of a single modality is its part, and a coalition's logits are the sum of the bias and its parts.
// Other coalitions that are given are held against that sum.
//
// emit gets the samples' ids and the position of the first; its arguments are borrowed until it returns, and
// Result.Logits is nil. name is what errors call the stream.
//
// Errors that are stream.ErrInput: a coalition missing or given twice, a modality that the stream does not name, a
// sample without a label or with two, a prediction or label that is no class, logits that are missing or no sum.
func RunPredictions(ctx context.Context, in *schema.PredictionsReader, name string, o Options, emit func(ids []string, first int64, r *Result) error) (Summary, error) {
	h := in.Header()
	if o.Estimator.Sampled() {
		return Summary{}, fmt.Errorf("estimator %s of predictions, which hold every coalition, want %s", o.Estimator, Exact)
	}
	if o.Replacement != nil {
		return Summary{}, fmt.Errorf("absence %s of predictions, where only their writer knows what is absent", o.Replacement.Absence)
	}
	if err := o.Validate(name, len(h.Modalities), len(h.Classes)); err != nil {
		return Summary{}, err
	}
	g := newGrouping(name, h, o)
	g.emit = emit
	for {
		if err := ctx.Err(); err != nil {
			return Summary{}, err
		}
		b, err := in.Next()
		if errors.Is(err, io.EOF) {
			if err := g.finish(); err != nil {
				return Summary{}, err
			}
			return g.game.summary, g.flush()
		}
		if err != nil {
			return Summary{}, err
		}
		for i := range b.Rows() {
			if err := g.add(b.At(i)); err != nil {
				return Summary{}, err
			}
		}
	}
}
