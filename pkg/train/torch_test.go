package train

import (
	"context"
	"fmt"
	"math"
	"testing"

	"mmtools/internal/fixture"
	"mmtools/pkg/checkpoint"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
)

// tolerance is relative to a tensor's largest element.
const tolerance = 1e-5

// Forward, loss, every gradient, and the weights after ten steps of each optimizer equal PyTorch's. The numbers are made by
// scripts/reference/training.py.
func TestEqualsTorch(t *testing.T) {
	cases, err := fixture.LoadAll("testdata/torch")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			t.Run("gradients", func(t *testing.T) { holdGradients(t, c) })
			for _, run := range c.Training {
				t.Run(run.Name, func(t *testing.T) { holdRun(t, c, run) })
			}
		})
	}
}

func fixtureSpec(c *fixture.Training) network.Spec {
	spec := network.Spec{Fusion: c.Fusion}
	for k := range c.Classes {
		spec.Classes = append(spec.Classes, fmt.Sprint(k))
	}
	for _, m := range c.Modalities {
		spec.Modalities = append(spec.Modalities, network.Channel{
			Modality: modality.Modality{Name: m.Name, Kind: modality.Embedding, Shape: []int{m.Size}}, Backbone: m.Backbone})
	}
	return spec
}

// fixtureTrainer is a trainer at the case's initial weights, its minibatch in place.
func fixtureTrainer(t *testing.T, c *fixture.Training, settings checkpoint.Optimizer) *trainer {
	t.Helper()
	spec := fixtureSpec(c)
	layout, err := spec.Layout()
	if err != nil {
		t.Fatal(err)
	}
	params := make([]float32, layout.ParamSize)
	for _, slot := range layout.Params {
		values, ok := c.Parameters[slot.Name]
		if !ok || fmt.Sprint(values.Shape) != fmt.Sprint(slot.Shape) {
			t.Fatalf("%s: PyTorch has shape %v (there: %t), want %v", slot.Name, values.Shape, ok, slot.Shape)
		}
		copy(slot.In(params), floats(t, values))
	}
	if len(c.Parameters) != len(layout.Params) {
		t.Fatalf("PyTorch has %d parameters, want %d", len(c.Parameters), len(layout.Params))
	}
	tr, err := newTrainer(open(t), spec, checkpoint.State{BatchSize: c.Rows, Optimizer: settings}, params, nil)
	if err != nil {
		t.Fatal(err)
	}
	stage(t, tr, &tr.stepIn, c)
	return tr
}

// stage puts the fixture's minibatch in place, for a run of one machine: the other's memory is the same.
func stage(t *testing.T, tr *trainer, in *staging, c *fixture.Training) {
	t.Helper()
	for p, m := range c.Modalities {
		copy(in.x[p], floats(t, c.X[m.Name]))
	}
	copy(in.keep, floats(t, c.Keep))
	copy(in.label, floats(t, c.Label))
	copy(in.weight, floats(t, c.Weight))
	in.upload(c.Rows)
}

// floats returns float32 elements, or int32 ones as float32: labels.
func floats(t *testing.T, v fixture.Tensor) []float32 {
	t.Helper()
	if v.Float32 != nil {
		return v.Float32
	}
	out := make([]float32, 0, len(v.Int32))
	for _, x := range v.Int32 {
		out = append(out, float32(x))
	}
	return out
}

func holdGradients(t *testing.T, c *fixture.Training) {
	tr := fixtureTrainer(t, c, checkpoint.Optimizer{Name: "sgd"})
	tr.step.Run(c.Rows)
	loss := make([]float32, 1)
	tr.device.Download(loss, tr.step.Buffer(tr.graph.Loss))
	hold(t, "loss", loss, c.Float32.Loss)
	stage(t, tr, &tr.evalIn, c)
	tr.predict.Run(c.Rows)
	logits := make([]float32, c.Rows*c.Classes)
	tr.device.Download(logits, tr.predict.Buffer(tr.whole.Logits))
	hold(t, "logits", logits, c.Float32.Logits)
	grads := make([]float32, tr.graph.Layout.ParamSize)
	tr.device.Download(grads, tr.grads)
	for _, slot := range tr.graph.Layout.Params {
		hold(t, slot.Name, slot.In(grads), c.Float32.Gradients[slot.Name])
	}
}

func holdRun(t *testing.T, c *fixture.Training, run fixture.Run) {
	tr := fixtureTrainer(t, c, checkpoint.Optimizer{Name: run.Optimizer, LR: run.LR, Beta1: run.Beta1, Beta2: run.Beta2,
		Epsilon: run.Epsilon, Momentum: run.Momentum, WeightDecay: run.WeightDecay, ClipNorm: run.ClipNorm})
	var losses []float32
	for step := range run.Steps {
		takeStep(t, tr, c.Rows, step+1, run.LR)
		loss := make([]float32, 1)
		tr.device.Download(loss, tr.step.Buffer(tr.graph.Loss))
		losses = append(losses, loss[0])
	}
	hold(t, "losses", losses, run.Float32.Losses)
	params := weightsOf(t, tr).params
	for _, slot := range tr.graph.Layout.Params {
		hold(t, slot.Name, slot.In(params), run.Float32.Parameters[slot.Name])
	}
}

// takeStep takes a step by the minibatch that is in place.
func takeStep(t *testing.T, tr *trainer, rows, step int, lr float64) {
	t.Helper()
	tr.set(int64(step), lr)
	tr.stepIn.upload(rows)
	if err := tr.take(rows); err != nil {
		t.Fatal(err)
	}
}

func hold(t *testing.T, name string, got []float32, want fixture.Tensor) {
	t.Helper()
	values := want.Values()
	if len(got) != len(values) {
		t.Fatalf("%s: %d elements, PyTorch has %d", name, len(got), len(values))
	}
	largest := 1e-6
	for _, w := range values {
		largest = max(largest, math.Abs(w))
	}
	for i, w := range values {
		if diff := math.Abs(float64(got[i]) - w); !(diff <= tolerance*largest) {
			t.Errorf("%s[%d]: got %v, PyTorch has %v (largest %v)", name, i, got[i], w, largest)
			return
		}
	}
}

// The learning rates of each epoch equal those of PyTorch's schedulers, made by scripts/reference/schedules.py.
func TestSchedulesEqualTorch(t *testing.T) {
	all, err := fixture.LoadSchedules("testdata/torch/schedules.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range all.Schedules {
		t.Run(c.Schedule, func(t *testing.T) {
			s, err := ParseSchedule(c.Schedule)
			if err != nil {
				t.Fatal(err)
			}
			for epoch, want := range c.Rates {
				if got := s.LR(c.LR, epoch); math.Abs(got-want) > 1e-12*c.LR {
					t.Errorf("epoch %d: got %v, PyTorch has %v", epoch, got, want)
				}
			}
		})
	}
}

func TestParseScheduleRefuses(t *testing.T) {
	for _, s := range []string{"step", "step:0:0.1", "step:3", "step:3:x", "cosine", "cosine:0", "cosine:5:-1", "constant:1", "linear:3", "step:3:0.1:2", "step:3:NaN"} {
		if got, err := ParseSchedule(s); err == nil {
			t.Errorf("%q: got %+v, want an error", s, got)
		}
	}
}

// One run of an epoch draws its order from the seed and its number alone.
func TestOrderIsOfTheEpoch(t *testing.T) {
	samples := mustRead(t, samplesStream(t, 64, nil))
	losses := func(seed uint64) (out []float64) {
		state := testState("sgd")
		state.Seed = seed
		c, err := New(testSpec(), state, samples)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Device: open(t), Epochs: 3, Samples: samples, OnEpoch: func(e Epoch) { out = append(out, e.Loss) }}
		if err := Run(context.Background(), c, o); err != nil {
			t.Fatal(err)
		}
		return out
	}
	first := fmt.Sprint(losses(1))
	if again := fmt.Sprint(losses(1)); again != first {
		t.Errorf("the same seed gives losses %s, then %s", first, again)
	}
	if other := fmt.Sprint(losses(2)); other == first {
		t.Errorf("seeds 1 and 2 give the same losses %s", first)
	}
}

// weightsOf downloads a trainer's numbers.
func weightsOf(t *testing.T, tr *trainer) weights {
	t.Helper()
	w, err := tr.weights()
	if err != nil {
		t.Fatal(err)
	}
	return w
}
