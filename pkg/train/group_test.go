package train

import (
	"context"
	"math"
	"strings"
	"testing"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/kernel/hostgroup"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
)

// fit trains a new model, and returns it with the losses and accuracies of its epochs.
func fit(t *testing.T, d kernel.Device, spec network.Spec, state checkpoint.State, rows, epochs int) (*checkpoint.Checkpoint, []Epoch) {
	t.Helper()
	s := mustRead(t, samplesStream(t, rows, nil))
	c, err := New(spec, state, s)
	if err != nil {
		t.Fatal(err)
	}
	var all []Epoch
	if err := Run(context.Background(), c, Options{Device: d, Epochs: epochs, Samples: s, Validate: s, OnEpoch: func(e Epoch) { all = append(all, e) }}); err != nil {
		t.Fatal(err)
	}
	return c, all
}

// A model trained on several devices is the one device's up to rounding, where no statistics of the minibatch go in: parameters,
// moments, losses and accuracies. 49 rows in minibatches of 16 leave one, for the first device alone.
func TestGroupEqualsOne(t *testing.T) {
	for _, optimizer := range Optimizers {
		want, epochs := fit(t, hostgroup.New(t, 1), testSpec(), testState(optimizer), 49, 3)
		for _, devices := range []int{2, 3, 4} {
			g := hostgroup.New(t, devices)
			got, gotEpochs := fit(t, g, testSpec(), testState(optimizer), 49, 3)
			if g.Means != 3*(4+1) { // four steps and the statistics
				t.Errorf("%d devices: %d means", devices, g.Means)
			}
			for i, w := range want.Tensors {
				var apart, length float64
				for k, v := range w.Data {
					apart += math.Pow(float64(got.Tensors[i].Data[k])-float64(v), 2)
					length += math.Pow(float64(v), 2)
				}
				if !(math.Sqrt(apart) <= 2e-5*math.Sqrt(length)) {
					t.Errorf("%s, %d devices: %s %s is apart by %.2g of %.2g", optimizer, devices, w.Role, w.Name, math.Sqrt(apart), math.Sqrt(length))
				}
			}
			for i, e := range epochs {
				if o := gotEpochs[i]; !(math.Abs(o.Loss-e.Loss) <= 1e-5*e.Loss) || o.Accuracy != e.Accuracy || o.Step != e.Step {
					t.Errorf("%s, %d devices: epoch %+v, one has %+v", optimizer, devices, o, e)
				}
			}
		}
	}
}

// The running statistics of a batch normalisation are the mean of the devices': after one step in equal shares the first layer's mean
// is one device's, and its variance no larger, since each normalises by its own rows.
func TestGroupStatistics(t *testing.T) {
	spec, state := testSpec(), testState("sgd")
	spec.Modalities[1].Shape, spec.Modalities[1].Backbone = []int{1, 2, 2}, "cnn:4"
	run := func(devices int) *checkpoint.Checkpoint {
		c, _ := fit(t, hostgroup.New(t, devices), spec, state, 16, 1)
		return c
	}
	one, two := run(1), run(2)
	held := 0
	for i, w := range one.Tensors {
		if w.Role != schema.RoleBuffer || !strings.Contains(w.Name, "running_") {
			continue
		}
		held++
		for k, v := range w.Data {
			got := two.Tensors[i].Data[k]
			if strings.HasSuffix(w.Name, "mean") && math.Abs(float64(got-v)) > 1e-6 || strings.HasSuffix(w.Name, "var") && got > v*1.05 {
				t.Errorf("%s %d: got %v, one device has %v", w.Name, k, got, v)
			}
		}
	}
	if held == 0 {
		t.Error("the model has no running statistics")
	}
}

// Devices whose parameters differ are found before a model is written.
func TestGroupComesApart(t *testing.T) {
	s := mustRead(t, samplesStream(t, 20, nil))
	c, err := New(testSpec(), testState("sgd"), s)
	if err != nil {
		t.Fatal(err)
	}
	r, err := newRun(c, Options{Device: hostgroup.New(t, 3), Samples: s})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.trainer.weights(); err != nil {
		t.Fatal(err)
	}
	last := r.trainer.replicas[2]
	last.device.Upload(last.tensors.Params, []float32{7})
	if _, err := r.trainer.weights(); err == nil || !strings.Contains(err.Error(), "1 and 3") {
		t.Errorf("got %v, want cards 1 and 3 apart", err)
	}
}

func TestGroupWantsARowEach(t *testing.T) {
	s := mustRead(t, samplesStream(t, 20, nil))
	state := testState("sgd")
	state.BatchSize = 2
	c, err := New(testSpec(), state, s)
	if err != nil {
		t.Fatal(err)
	}
	if err := Run(context.Background(), c, Options{Device: hostgroup.New(t, 3), Epochs: 1, Samples: s}); err == nil || !strings.Contains(err.Error(), "2 rows for 3 cards") {
		t.Errorf("got %v", err)
	}
}

func TestShare(t *testing.T) {
	for rows := range 40 {
		for n := 1; n <= 8; n++ {
			at := 0
			for i := range n {
				from, to := kernel.Share(rows, n, i)
				if from != at || to < from || to-from > kernel.Largest(rows, n) || i == 0 && to-from != kernel.Largest(rows, n) {
					t.Fatalf("share %d of %d rows among %d: %d to %d", i, rows, n, from, to)
				}
				at = to
			}
			if at != rows {
				t.Fatalf("%d rows among %d: %d given out", rows, n, at)
			}
		}
	}
}
