package train

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// videoStream is a samples stream of uint8 frames, (5,1,9,8), and a plain modality.
func videoStream(t *testing.T, rows int) []byte {
	t.Helper()
	ms := []modality.Modality{{Name: "video", Kind: modality.Video, Shape: []int{5, 1, 9, 8}}, {Name: "sensor", Kind: modality.Embedding, Shape: []int{3}}}
	var out bytes.Buffer
	w, err := schema.NewSamplesWriter(&out, schema.Samples{
		Header: schema.Header{Tool: "test", Modalities: ms, Classes: []string{"x", "y"}}, DTypes: []schema.DType{schema.Uint8, schema.Float32}})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(9, 9))
	for i := range rows {
		label := i % 2
		frames := make([]uint8, 5*9*8)
		for k := range frames {
			frames[k] = uint8(r.IntN(100) + 100*label)
		}
		s := schema.Sample{ID: fmt.Sprint(i), Label: int32(label), Tensors: []any{frames, []float32{r.Float32(), r.Float32(), r.Float32()}}}
		if i%5 == 4 {
			s.Tensors[0] = nil
		}
		if err := w.Append(s); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Training on augmented frames depends on the seed and the epochs alone: neither on how many threads prepare them, nor on how
// the epochs fall into runs.
func TestAugmentedTrainingIsExact(t *testing.T) {
	data := videoStream(t, 40)
	train := func(threads int, input string, runs ...int) []byte {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads))
		samples := mustRead(t, data)
		spec := network.Spec{Fusion: "concat", Classes: []string{"x", "y"}, Modalities: []network.Channel{
			{Modality: samples.Header.Modalities[0], Backbone: "cnn:4", Input: input, Standardize: true},
			{Modality: samples.Header.Modalities[1], Backbone: "linear:3", Standardize: true}}}
		var written []byte
		for _, epochs := range runs {
			var c *checkpoint.Checkpoint
			var err error
			if written == nil {
				state := testState("adam")
				state.BatchSize = 7
				c, err = New(spec, state, samples)
			} else {
				var in *stream.Reader
				if in, err = stream.NewReader(bytes.NewReader(written)); err == nil {
					c, err = checkpoint.Read(in)
				}
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := Run(context.Background(), c, Options{Device: open(t), Epochs: epochs, Samples: samples}); err != nil {
				t.Fatal(err)
			}
			c.Header = schema.Header{Tool: "test", Modalities: spec.Channels(), Classes: spec.Classes}
			var out bytes.Buffer
			if err := c.Write(&out); err != nil {
				t.Fatal(err)
			}
			written = out.Bytes()
		}
		return written
	}
	const input = "frames:2,size:6x7,crop,flip"
	want := train(1, input, 3)
	if !bytes.Equal(want, train(4, input, 3)) {
		t.Error("4 threads give other bytes than 1")
	}
	if !bytes.Equal(want, train(2, input, 1, 1, 1)) {
		t.Error("three runs of one epoch give other bytes than one of three")
	}
	if bytes.Equal(want, train(1, "frames:2,size:6x7", 3)) {
		t.Error("augmentation changes nothing")
	}
}

// The valuation pass sees frames as the validation of the training does.
func TestPreparedEvaluationAgrees(t *testing.T) {
	samples := mustRead(t, videoStream(t, 30))
	spec := network.Spec{Fusion: "concat", Classes: []string{"x", "y"}, Modalities: []network.Channel{
		{Modality: samples.Header.Modalities[0], Backbone: "cnn:4,16", Input: "frames:2,size:6x7,crop,flip", Standardize: true},
		{Modality: samples.Header.Modalities[1], Backbone: "identity"}}}
	c, err := New(spec, testState("adam"), samples)
	if err != nil {
		t.Fatal(err)
	}
	var accuracy float64
	o := Options{Device: open(t), Epochs: 4, Samples: samples, Validate: samples, OnEpoch: func(e Epoch) { accuracy = e.Accuracy }}
	if err := Run(context.Background(), c, o); err != nil {
		t.Fatal(err)
	}
	e, err := network.Load(schema.Model{Spec: c.Spec, Tensors: c.Tensors}, open(t), samples.Rows(), schema.RoleParameter)
	if err != nil {
		t.Fatal(err)
	}
	b := network.Minibatch{Rows: samples.Rows(), X: make([][]float32, 2)}
	for row := range samples.Rows() {
		keep := modality.Coalition(0)
		for p, m := range spec.Channels() {
			x := make([]float32, m.Size())
			if samples.copyRow(p, row, x) {
				keep = keep.With(p)
			}
			b.X[p] = append(b.X[p], x...)
		}
		b.Keep = append(b.Keep, keep)
	}
	if err := e.Load(&b); err != nil {
		t.Fatal(err)
	}
	logits := make([]float32, 2*samples.Rows())
	if err := e.Logits(modality.All(2), logits); err != nil {
		t.Fatal(err)
	}
	right := 0
	for row := range samples.Rows() {
		if argMax(logits[2*row:][:2]) == int(samples.label(row)) {
			right++
		}
	}
	if got := float64(right) / float64(samples.Rows()); got != accuracy || got < 0.8 {
		t.Errorf("the evaluator finds accuracy %v, the validation %v", got, accuracy)
	}
}
