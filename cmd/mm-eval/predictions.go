package main

import (
	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/valuation"
)

// predictions is the stream of --predictions, or nothing where it is not asked for.
type predictions struct {
	writer  *schema.PredictionsWriter
	n       int
	classes int
}

// maxWritten is the number of modalities up to which all coalitions are written: 64 rows a sample.
const maxWritten = 6

func (c *evaluateCommand) openPredictions(ctx *cli.Context, side *files, p valuation.Predictor, digest schema.Digest) (*predictions, error) {
	s := &predictions{n: len(p.Modalities()), classes: len(p.Classes())}
	if c.Predictions == "" {
		return s, nil
	}
	if s.n > maxWritten {
		return nil, cli.Usage("--predictions: %d modalities, at most %d are supported", s.n, maxWritten)
	}
	out, err := side.stream(c.Predictions)
	if err != nil {
		return nil, err
	}
	s.writer, err = schema.NewPredictionsWriter(out, schema.Predictions{Header: schema.Header{
		Tool: ctx.Tool, Modalities: p.Modalities(), Classes: p.Classes(), Digest: digest}})
	return s, err
}

// close ends the stream. Call it once, on the success path.
func (s *predictions) close() error {
	if s.writer == nil {
		return nil
	}
	return s.writer.Close()
}

// write writes the coalitions of a batch's samples from what the observer saw of it.
func (s *predictions) write(b *schema.SamplesBatch, o *observer) error {
	if s.writer == nil {
		return nil
	}
	defer func() { o.logits = o.logits[:0] }()
	all := int(modality.All(s.n)) + 1
	for i := range b.Rows() {
		for c := range all {
			logits := o.logits[(i*all+c)*s.classes:][:s.classes]
			row := schema.Prediction{ID: b.ID(i), Label: b.Label(i), Coalition: modality.Coalition(c), Prediction: argMax(logits), Logits: logits}
			if err := s.writer.Append(row); err != nil {
				return err
			}
		}
	}
	return nil
}

func argMax(values []float32) int32 {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return int32(best)
}

// observer is a predictor that keeps the logits of all coalitions of every minibatch it is given, row by row, for
// --predictions.
type observer struct {
	valuation.Predictor
	sink   *predictions
	logits []float32 // (rows so far, 2^n, C)
	one    []float32
}

// wrap returns the predictor to value with: the model itself where nothing is to be written.
func (o *observer) wrap() valuation.Predictor {
	if o.sink.writer == nil {
		return o.Predictor
	}
	return o
}

// Load runs the model and keeps what it gives.
func (o *observer) Load(b *network.Minibatch) error {
	if err := o.Predictor.Load(b); err != nil {
		return err
	}
	all, classes := int(modality.All(o.sink.n))+1, o.sink.classes
	from := len(o.logits)
	o.logits = append(o.logits, make([]float32, b.Rows*all*classes)...)
	if len(o.one) < b.Rows*classes {
		o.one = make([]float32, b.Rows*classes)
	}
	for c := range all {
		if err := o.Logits(modality.Coalition(c), o.one[:b.Rows*classes]); err != nil {
			return err
		}
		for i := range b.Rows {
			copy(o.logits[from+(i*all+c)*classes:][:classes], o.one[i*classes:])
		}
	}
	return nil
}
