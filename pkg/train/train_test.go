package train

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/device"
	"mmtools/pkg/kernel"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

var testModalities = []modality.Modality{
	{Name: "audio", Kind: modality.Audio, Shape: []int{6}},
	{Name: "image", Kind: modality.Image, Shape: []int{2, 2}},
}

// samplesStream is a samples stream of rows rows whose classes are separable, with a modality missing in every seventh.
func samplesStream(t testing.TB, rows int, change func(int, *schema.Sample)) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := schema.NewSamplesWriter(&out, schema.Samples{
		Header: schema.Header{Kind: schema.KindSamples, Tool: "test", Modalities: testModalities, Classes: []string{"x", "y", "z"},
			Digest: schema.Digest{Samples: "sha256:00"}},
		DTypes: []schema.DType{schema.Float32, schema.Float32},
	})
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	for i := range rows {
		label := r.IntN(3)
		audio, image := make([]float32, 6), make([]float32, 4)
		for k := range audio {
			audio[k] = float32(r.NormFloat64())
		}
		for k := range image {
			image[k] = float32(r.NormFloat64() * 10)
		}
		audio[label] += 3
		image[label] += 30
		s := schema.Sample{ID: fmt.Sprintf("s%d", i), Label: int32(label), Tensors: []any{audio, image}}
		if i%7 == 3 {
			s.Tensors[0] = nil
		}
		if change != nil {
			change(i, &s)
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

func readSamples(t testing.TB, data []byte, labelled bool) (*Samples, error) {
	t.Helper()
	in, err := stream.NewReader(bytes.NewReader(data), stream.WithName("stdin"))
	if err != nil {
		t.Fatal(err)
	}
	r, err := schema.NewSamplesReader(in)
	if err != nil {
		t.Fatal(err)
	}
	s, err := ReadSamples(r, in, labelled)
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return s, err
}

func mustRead(t testing.TB, data []byte) *Samples {
	t.Helper()
	s, err := readSamples(t, data, true)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func testSpec() network.Spec {
	return network.Spec{Fusion: "concat", Classes: []string{"x", "y", "z"}, Modalities: []network.Channel{
		{Modality: testModalities[0], Backbone: "mlp:16", Standardize: true},
		{Modality: testModalities[1], Backbone: "mlp:8,12", Standardize: true},
	}}
}

func testState(optimizer string) checkpoint.State {
	s := checkpoint.State{Seed: 11, BatchSize: 16, Schedule: "step:3:0.5",
		Optimizer: checkpoint.Optimizer{Name: optimizer, LR: 1e-2, WeightDecay: 1e-4, ClipNorm: 1}}
	if optimizer == "sgd" {
		s.Optimizer.Momentum = 0.9
	} else {
		s.Optimizer.Beta1, s.Optimizer.Beta2, s.Optimizer.Epsilon = 0.9, 0.999, 1e-8
	}
	return s
}

// onDevice is the device that tests run on: the CPU, or what MM_TEST_DEVICE names; cuda, on a machine with a card.
func onDevice() string {
	if name := os.Getenv("MM_TEST_DEVICE"); name != "" {
		return name
	}
	return "cpu"
}

// onCard reports whether that is a card, or several.
func onCard() bool { return strings.HasPrefix(onDevice(), "cuda") }

// open opens the device that tests run on.
func open(t testing.TB) kernel.Device {
	t.Helper()
	return openIn(t, kernel.Float32)
}

func openIn(t testing.TB, precision kernel.Precision) kernel.Device {
	t.Helper()
	d, err := device.Open(device.Options{Name: onDevice(), Threads: threads(t), Precision: precision})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

// threads is how many the CPU computes with: two, or as many as MM_TEST_THREADS says.
func threads(t testing.TB) int {
	t.Helper()
	n := 2
	if s := os.Getenv("MM_TEST_THREADS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatalf("MM_TEST_THREADS: %v", err)
		}
	}
	return n
}

// model returns the bytes of a model trained in runs of the given numbers of epochs, each going on from the stream that
// the one before wrote.
func model(t testing.TB, data, validation []byte, optimizer string, runs ...int) []byte {
	t.Helper()
	var written []byte
	for _, epochs := range runs {
		samples, d := mustRead(t, data), open(t)
		var c *checkpoint.Checkpoint
		if written == nil {
			var err error
			if c, err = New(testSpec(), testState(optimizer), samples); err != nil {
				t.Fatal(err)
			}
		} else {
			in, err := stream.NewReader(bytes.NewReader(written))
			if err != nil {
				t.Fatal(err)
			}
			if c, err = checkpoint.Read(in); err != nil {
				t.Fatal(err)
			}
		}
		o := Options{Device: d, Epochs: epochs, Samples: samples, Validate: mustRead(t, validation), KeepBest: true}
		if err := Run(context.Background(), c, o); err != nil {
			t.Fatal(err)
		}
		c.Header = schema.Header{Kind: schema.KindModel, Tool: "test", Modalities: testModalities, Classes: testSpec().Classes}
		var out bytes.Buffer
		if err := c.Write(&out); err != nil {
			t.Fatal(err)
		}
		written = out.Bytes()
	}
	return written
}

// Ten epochs in one process and ten processes of one epoch give the same bytes.
func TestGoingOnIsExact(t *testing.T) {
	data, validation := samplesStream(t, 101, nil), samplesStream(t, 30, nil)
	for _, optimizer := range Optimizers {
		t.Run(optimizer, func(t *testing.T) {
			once := model(t, data, validation, optimizer, 10)
			tenTimes := model(t, data, validation, optimizer, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1)
			if !bytes.Equal(once, tenTimes) {
				t.Error("ten runs of one epoch differ from one run of ten")
			}
			if bytes.Equal(once, model(t, data, validation, optimizer, 9)) {
				t.Error("nine epochs give the bytes of ten: the model does not train")
			}
		})
	}
}

func TestTrainingLearns(t *testing.T) {
	samples := mustRead(t, samplesStream(t, 300, nil))
	c, err := New(testSpec(), testState("adam"), samples)
	if err != nil {
		t.Fatal(err)
	}
	var epochs []Epoch
	o := Options{Device: open(t), Epochs: 8, Samples: samples, Validate: mustRead(t, samplesStream(t, 90, nil)), KeepBest: true,
		OnEpoch: func(e Epoch) { epochs = append(epochs, e) }}
	if err := Run(context.Background(), c, o); err != nil {
		t.Fatal(err)
	}
	first, last := epochs[0], epochs[len(epochs)-1]
	if last.Loss > first.Loss/2 || last.Accuracy < 0.9 {
		t.Errorf("loss %v to %v, accuracy %v: separable classes were not learned", first.Loss, last.Loss, last.Accuracy)
	}
	if c.State.Epoch != 8 || c.State.Step != int64(8*((300+15)/16)) || c.State.Best == nil || !c.HasBest() {
		t.Errorf("state %+v, best kept: %t", c.State, c.HasBest())
	}
	if want := 1e-2 * 0.25; last.LR != want {
		t.Errorf("learning rate of epoch 8: %v, want %v", last.LR, want)
	}
}

func TestCancelledRunLeavesCheckpoint(t *testing.T) {
	samples := mustRead(t, samplesStream(t, 50, nil))
	c, err := New(testSpec(), testState("adam"), samples)
	if err != nil {
		t.Fatal(err)
	}
	before := append([]float32{}, c.Tensors[0].Data...)
	ctx, cancel := context.WithCancel(context.Background())
	o := Options{Device: open(t), Epochs: 2, Samples: samples, OnEpoch: func(Epoch) { cancel() }}
	if err := Run(ctx, c, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the cancellation", err)
	}
	if c.State.Epoch != 0 || fmt.Sprint(before) != fmt.Sprint(c.Tensors[0].Data) {
		t.Error("a cancelled run changed the checkpoint")
	}
}

func TestReadSamplesRefuses(t *testing.T) {
	nan := float32(0)
	nan /= nan
	for name, c := range map[string]struct {
		change func(int, *schema.Sample)
		want   string
	}{
		"same id":  {func(i int, s *schema.Sample) { s.ID = fmt.Sprintf("s%d", i%9) }, `"s0"`},
		"no label": {func(i int, s *schema.Sample) { s.Label = int32(i%2) - 1 }, `row 0, id "s0"`},
		"NaN":      {func(i int, s *schema.Sample) { s.Tensors[1] = []float32{1, nan, 0, 0} }, `"image"`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := readSamples(t, samplesStream(t, 20, c.change), true)
			if !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an input error with %s", err, c.want)
			}
		})
	}
}
