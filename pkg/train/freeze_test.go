package train

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// freezeSpec is a model with batch normalisations in the image's backbone.
func freezeSpec(frozen bool) network.Spec {
	return network.Spec{Fusion: "concat", Classes: []string{"x", "y", "z"}, Modalities: []network.Channel{
		{Modality: testModalities[0], Backbone: "mlp:16", Standardize: true},
		{Modality: testModalities[1], Backbone: "cnn:16,6", Standardize: true, Frozen: frozen},
	}}
}

// continued trains on from a model stream, nil for a new model, with the image's backbone frozen or not, and returns the
// model's stream.
func continued(t *testing.T, data, written []byte, optimizer checkpoint.Optimizer, epochs int, frozen bool) []byte {
	t.Helper()
	samples := mustRead(t, data)
	var c *checkpoint.Checkpoint
	var err error
	if written == nil {
		state := testState(optimizer.Name)
		state.Optimizer = optimizer
		if c, err = New(freezeSpec(frozen), state, samples); err != nil {
			t.Fatal(err)
		}
	} else {
		c = readModel(t, written)
		if c.Spec, err = json.Marshal(freezeSpec(frozen)); err != nil {
			t.Fatal(err)
		}
	}
	if err := Run(context.Background(), c, Options{Device: open(t), Epochs: epochs, Samples: samples}); err != nil {
		t.Fatal(err)
	}
	c.Header = schema.Header{Kind: schema.KindModel, Tool: "test", Modalities: testModalities, Classes: testSpec().Classes}
	var out bytes.Buffer
	if err := c.Write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readModel(t *testing.T, written []byte) *checkpoint.Checkpoint {
	t.Helper()
	in, err := stream.NewReader(bytes.NewReader(written))
	if err != nil {
		t.Fatal(err)
	}
	c, err := checkpoint.Read(in)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// moved returns the largest change of each tensor of a role.
func moved(t *testing.T, from, to []byte, role string) map[string]float64 {
	t.Helper()
	before, changes := readModel(t, from).Tensors, map[string]float64{}
	for _, after := range readModel(t, to).Tensors {
		if after.Role != role {
			continue
		}
		i := slices.IndexFunc(before, func(b schema.Tensor) bool { return b.Name == after.Name && b.Role == role })
		if i < 0 {
			t.Fatalf("no %s before", after.Name)
		}
		changes[after.Name] = 0
		for k, v := range after.Data {
			changes[after.Name] = max(changes[after.Name], math.Abs(float64(v)-float64(before[i].Data[k])))
		}
	}
	return changes
}

func adam(lr float64) checkpoint.Optimizer {
	return checkpoint.Optimizer{Name: "adam", LR: lr, Beta1: 0.9, Beta2: 0.999, Epsilon: 1e-8}
}

// Frozen: not a bit of the backbone changes, its running statistics included, under weight decay and clipping; all else is
// trained.
func TestFrozenStays(t *testing.T) {
	data := samplesStream(t, 64, nil)
	for _, name := range Optimizers {
		t.Run(name, func(t *testing.T) {
			settings := testState(name).Optimizer
			drawn := continued(t, data, nil, settings, 0, true)
			// Statistics other than 0 and 1, so that a minibatch's would be another feature.
			before := continued(t, data, drawn, settings, 1, false)
			after := continued(t, data, before, settings, 2, true)
			for _, role := range []string{schema.RoleParameter, schema.RoleBuffer} {
				for tensor, change := range moved(t, before, after, role) {
					frozen := strings.HasPrefix(tensor, "backbones.image.") || role == schema.RoleBuffer
					if (change == 0) != frozen {
						t.Errorf("%s %s moved by %v", role, tensor, change)
					}
				}
			}
			for tensor, change := range moved(t, drawn, before, schema.RoleBuffer) {
				if (change == 0) == strings.HasPrefix(tensor, "backbones.image.") {
					t.Errorf("not frozen: %s moved by %v", tensor, change)
				}
			}
		})
	}
}

// Freezing and learning-rate factors are part of the model: ten runs of one epoch give the bytes of one run of ten.
func TestGoingOnFrozenIsExact(t *testing.T) {
	data := samplesStream(t, 50, nil)
	for _, name := range Optimizers {
		t.Run(name, func(t *testing.T) {
			settings := testState(name).Optimizer
			settings.Factors = map[string]float64{"audio": 0.25}
			once := continued(t, data, nil, settings, 10, true)
			var steps []byte
			for range 10 {
				steps = continued(t, data, steps, settings, 1, true)
			}
			if !bytes.Equal(once, steps) {
				t.Error("ten runs of one epoch differ from one run of ten")
			}
			if c := readModel(t, once); c.State.Skipped["image"] != c.State.Step || c.State.Optimizer.Factors["audio"] != 0.25 {
				t.Errorf("state %+v", c.State)
			}
		})
	}
}

// A factor scales a backbone's steps and no other's. One step, without weight decay: moments do not depend on the rate.
func TestFactorScalesSteps(t *testing.T) {
	data := samplesStream(t, 16, nil)
	for _, name := range Optimizers {
		t.Run(name, func(t *testing.T) {
			settings := testState(name).Optimizer
			settings.WeightDecay = 0
			before := continued(t, data, nil, settings, 0, false)
			plain := moved(t, before, continued(t, data, before, settings, 1, false), schema.RoleParameter)
			settings.Factors = map[string]float64{"audio": 0.25, "image": 3}
			scaled := moved(t, before, continued(t, data, continued(t, data, nil, settings, 0, false), settings, 1, false), schema.RoleParameter)
			for tensor, change := range plain {
				want := change
				switch {
				case strings.HasPrefix(tensor, "backbones.audio."):
					want *= 0.25
				case strings.HasPrefix(tensor, "backbones.image."):
					want *= 3
				}
				if math.Abs(scaled[tensor]-want) > 1e-5*want+1e-6 || want == 0 {
					t.Errorf("%s moved by %v, want %v", tensor, scaled[tensor], want)
				}
			}
		})
	}
}

// A backbone that is thawed after many steps takes its first step as any parameter's first, of size lr under Adam, as
// PyTorch counts the steps of each parameter from its first gradient.
func TestThawedStartsAnew(t *testing.T) {
	data := samplesStream(t, 16, nil) // one step an epoch
	const lr, step = 1e-3, 1e-3 / 64  // the schedule has halved the rate six times by epoch 20
	frozen := continued(t, data, nil, adam(lr), 20, true)
	thawed := continued(t, data, frozen, adam(lr), 1, false)
	for tensor, change := range moved(t, frozen, thawed, schema.RoleParameter) {
		if strings.HasPrefix(tensor, "backbones.image.") && math.Abs(change-step) > step/50 {
			t.Errorf("%s moved by %v, want %v", tensor, change, step)
		}
	}
	if again := continued(t, data, thawed, adam(lr), 2, false); readModel(t, again).State.Skipped["image"] != 20 {
		t.Errorf("state %+v, want 20 steps skipped", readModel(t, again).State)
	}
}
