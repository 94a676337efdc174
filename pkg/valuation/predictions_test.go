package valuation

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

func predictionsReader(t *testing.T, h schema.Header, rows []schema.Prediction) *schema.PredictionsReader {
	t.Helper()
	var b bytes.Buffer
	w, err := schema.NewPredictionsWriter(&b, schema.Predictions{Header: h})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		if err := w.Append(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	in, err := stream.NewReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	r, err := schema.NewPredictionsReader(in)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// predict writes down what the reference model predicts: for each sample every coalition of what it has, shuffled.
func predict(r *rand.Rand, m *linear, s samples) []schema.Prediction {
	n := len(m.modalities)
	var rows []schema.Prediction
	for _, sample := range s.rows {
		present := modality.Coalition(0)
		parts := make([][]float32, n)
		for p := range n {
			if x := float32s(sample.Tensors[n-1-p]); x != nil {
				present, parts[p] = present.With(p), m.part(p, x)
			}
		}
		start := len(rows)
		for c := range modality.All(n) + 1 {
			if c&^present == 0 {
				prediction := int32(firstMax(coalitionLogits(m.bias, parts, c)))
				rows = append(rows, schema.Prediction{ID: sample.ID, Label: sample.Label, Coalition: c, Prediction: prediction})
			}
		}
		r.Shuffle(len(rows)-start, func(i, j int) { rows[start+i], rows[start+j] = rows[start+j], rows[start+i] })
	}
	return rows
}

func TestPredictionsEqualRun(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 8))
	for _, n := range []int{1, 2, 3, 5, 8} {
		m, s := random(r, n, 3, 300)
		want := &Result{}
		wantSummary, err := Run(context.Background(), s.reader(t), m, Options{}, func(_ *schema.SamplesBatch, res *Result) error {
			want.Prediction = append(want.Prediction, res.Prediction...)
			want.Right = append(want.Right, res.Right...)
			want.Phi = append(want.Phi, res.Phi...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		got := &Result{}
		at := 0
		in := predictionsReader(t, schema.Header{Tool: "test", Modalities: m.modalities, Classes: m.classes}, predict(r, m, s))
		summary, err := RunPredictions(context.Background(), in, "predictions", Options{}, func(ids []string, first int64, res *Result) error {
			if int(first) != at || len(ids) != res.Rows || ids[0] != s.rows[at].ID || res.Label[0] != s.rows[at].Label {
				t.Errorf("n=%d: %d ids from %s at %d, want %s at %d", n, len(ids), ids[0], first, s.rows[at].ID, at)
			}
			at += res.Rows
			got.Prediction = append(got.Prediction, res.Prediction...)
			got.Right = append(got.Right, res.Right...)
			got.Phi = append(got.Phi, res.Phi...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if at != len(s.rows) || !same(got.Phi, want.Phi) || !slices.Equal(got.Right, want.Right) || !slices.Equal(got.Prediction, want.Prediction) {
			t.Errorf("n=%d: predictions and model differ over %d samples", n, at)
		}
		if fmt.Sprint(summary) != fmt.Sprint(wantSummary) {
			t.Errorf("n=%d: summary %+v, want %+v", n, summary, wantSummary)
		}
	}
}

func TestPredictionsErrors(t *testing.T) {
	h := schema.Header{Tool: "test", Modalities: []modality.Modality{{Name: "a"}, {Name: "v"}, {Name: "t"}}, Classes: []string{"x", "y"}}
	row := func(id string, label int32, c modality.Coalition) schema.Prediction {
		return schema.Prediction{ID: id, Label: label, Coalition: c}
	}
	one := []schema.Prediction{row("s0", 0, 0b01), row("s0", 0, 0b10), row("s0", 0, 0b11)} // without the empty coalition
	for _, c := range []struct {
		name string
		rows []schema.Prediction
		want []string
	}{
		{"missing coalition", append(slices.Clone(one), row("s1", 0, 0b001), row("s1", 0, 0b111), row("s2", 0, 1)),
			[]string{"p.arrows", `"s1"`, "before row 5", "5 of the 7", "a+v+t", "among them v"}},
		{"missing at the end", one[:2], []string{`"s0"`, "1 of the 3", "a+v"}},
		{"twice", append(slices.Clone(one), row("s0", 0, 0b10)), []string{"row 3", `"s0"`, "v is given twice"}},
		{"apart", append(slices.Clone(one[:2]), row("s1", 0, 1), one[2]), []string{`"s0"`, "before row 2"}},
		{"two labels", append(slices.Clone(one), row("s0", 1, 0)), []string{"row 3", "label 1, but 0"}},
		{"unlabelled", append(slices.Clone(one), row("s1", -1, 1)), []string{"row 3", `"s1"`, "no label"}},
	} {
		_, err := RunPredictions(context.Background(), predictionsReader(t, h, c.rows), "p.arrows", Options{}, func([]string, int64, *Result) error { return nil })
		if !errors.Is(err, stream.ErrInput) {
			t.Errorf("%s: got %v, want a bad input", c.name, err)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: got %v, which lacks %s", c.name, err, part)
			}
		}
	}
	summary, err := RunPredictions(context.Background(), predictionsReader(t, h, one), "p.arrows", Options{}, func([]string, int64, *Result) error { return nil })
	if err != nil || summary.Samples != 1 || !slices.Equal(summary.Have, []int64{1, 1, 0}) || !slices.Equal(summary.Contribution, []int64{6, 6, 0}) {
		t.Errorf("got %+v, %v", summary, err) // all right: phi 1 each, in sixths
	}
	if summary, err := RunPredictions(context.Background(), predictionsReader(t, h, nil), "p", Options{}, nil); err != nil || summary.Samples != 0 {
		t.Errorf("no rows: %+v, %v", summary, err)
	}
}
