package valuation_test

import (
	"bytes"
	"context"
	"fmt"

	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
	"mmtools/pkg/valuation"
)

// Another framework's predictions for two samples of class 1: the first is right from the audio alone, the second from
// the video alone, and both are right from the two together.
func ExampleRunPredictions() {
	var b bytes.Buffer
	w, err := schema.NewPredictionsWriter(&b, schema.Predictions{Header: schema.Header{
		Tool: "other 1.0", Modalities: []modality.Modality{{Name: "audio"}, {Name: "video"}}, Classes: []string{"no", "yes"},
	}})
	if err != nil {
		panic(err)
	}
	for _, p := range []schema.Prediction{
		{ID: "s0", Label: 1, Coalition: 0b01, Prediction: 1},
		{ID: "s0", Label: 1, Coalition: 0b10, Prediction: 0},
		{ID: "s0", Label: 1, Coalition: 0b11, Prediction: 1},
		{ID: "s1", Label: 1, Coalition: 0b01, Prediction: 0},
		{ID: "s1", Label: 1, Coalition: 0b10, Prediction: 1},
		{ID: "s1", Label: 1, Coalition: 0b11, Prediction: 1},
	} {
		if err := w.Append(p); err != nil {
			panic(err)
		}
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	in, err := stream.NewReader(&b)
	if err != nil {
		panic(err)
	}
	defer in.Close()
	r, err := schema.NewPredictionsReader(in)
	if err != nil {
		panic(err)
	}
	summary, err := valuation.RunPredictions(context.Background(), r, "predictions", valuation.Options{}, func(ids []string, _ int64, res *valuation.Result) error {
		for i, id := range ids {
			fmt.Println(id, res.Phi[2*i:][:2])
		}
		return nil
	})
	fmt.Println("mean", summary.Mean(0), summary.Mean(1), err)
	// Output:
	// s0 [1.5 0.5]
	// s1 [0.5 1.5]
	// mean 1 1 <nil>
}
