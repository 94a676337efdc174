package train

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"mmtools/internal/fixture"
	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
)

// wholeTolerance is what a whole network may be off, of a tensor's norm or largest element: PyTorch's own float32 is up to
// 1e-5 from its float64, which the fixture holds.
const wholeTolerance = 1e-4

// The published network, on small inputs, equals PyTorch: logits in evaluation and training, loss, gradients, running
// statistics, and the loss over ten steps. scripts/reference/resnet.py made the numbers.
func TestResNetEqualsTorch(t *testing.T) {
	if testing.Short() {
		t.Skip("two ResNet-18 take a while")
	}
	c, err := fixture.LoadNetwork("testdata/resnet18.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	t.Run("step", func(t *testing.T) { holdStep(t, c) })
	if !curves {
		t.Skip("the ten steps: minutes in plain Go; they run with -tags dnnl")
	}
	for _, run := range c.Runs {
		t.Run(run.Name, func(t *testing.T) { holdLosses(t, c, run) })
	}
}

// resnetTrainer is a trainer of the published network at the fixture's initial weights, its minibatch in place.
func resnetTrainer(t *testing.T, d kernel.Device, c *fixture.Network, settings checkpoint.Optimizer) *trainer {
	t.Helper()
	spec := network.Spec{Fusion: "concat", Modalities: []network.Channel{
		{Modality: modality.Modality{Name: "audio", Kind: modality.Audio, Shape: c.Audio[2:]}, Backbone: "resnet18"},
		{Modality: modality.Modality{Name: "visual", Kind: modality.Video, Shape: c.Visual}, Backbone: "resnet18"},
	}}
	tr, _, _ := wholeTrainer(t, d, &spec, c, settings)
	return tr
}

// wholeTrainer is a trainer of a network without classes at the fixture's initial weights, which it returns too, its minibatch in place.
func wholeTrainer(t *testing.T, d kernel.Device, spec *network.Spec, c *fixture.Network, settings checkpoint.Optimizer) (tr *trainer, params, buffers []float32) {
	t.Helper()
	for k := range c.Classes {
		spec.Classes = append(spec.Classes, fmt.Sprint(k))
	}
	layout, err := spec.Layout()
	if err != nil {
		t.Fatal(err)
	}
	params, buffers = make([]float32, layout.ParamSize), make([]float32, layout.BufferSize)
	for _, slot := range layout.Params {
		drawn(slot, slot.In(params))
	}
	for _, slot := range layout.Buffers {
		drawn(slot, slot.In(buffers))
	}
	if tr, err = newTrainer(d, *spec, checkpoint.State{BatchSize: c.Rows, Optimizer: settings}, params, buffers); err != nil {
		t.Fatal(err)
	}
	stageWhole(t, tr, &tr.stepIn, c)
	return tr, params, buffers
}

// stageWhole puts the fixture's minibatch in place, for a run of one machine: the other's memory is the same. Modalities are in the
// order of their names.
func stageWhole(t *testing.T, tr *trainer, in *staging, c *fixture.Network) {
	t.Helper()
	for p, name := range slices.Sorted(maps.Keys(c.Inputs)) {
		for i, u := range fixture.Uniform(c.Inputs[name], len(in.x[p])) {
			in.x[p][i] = float32(u)
		}
	}
	for i, u := range fixture.Uniform("drop", len(in.drop)) { // half of the features, the rest doubled
		in.drop[i] = 0
		if u >= 0 {
			in.drop[i] = 2
		}
	}
	copy(in.keep, floats(t, c.Keep))
	copy(in.label, floats(t, c.Label))
	copy(in.weight, floats(t, c.Weight))
	in.upload(c.Rows)
}

// drawn fills a tensor with the initial values that scripts/reference/resnet.py describes.
func drawn(slot network.Slot, values []float32) {
	u := fixture.Uniform(slot.Name, len(values))
	scale, shift := 0.1, 0.0
	switch last := slot.Name[strings.LastIndexByte(slot.Name, '.')+1:]; {
	case len(slot.Shape) == 4:
		scale = math.Sqrt(6 / float64(slot.Shape[0]*slot.Shape[2]*slot.Shape[3]))
	case strings.HasPrefix(slot.Name, "head"):
		scale = 1 / math.Sqrt(1024)
	case last == "weight":
		scale, shift = 0.2, 1
	case last == "running_var":
		scale, shift = 0.5, 1
	}
	for i := range values {
		values[i] = float32(shift + scale*u[i])
	}
}

func download(d kernel.Device, b kernel.Buffer, n int) []float32 {
	out := make([]float32, n)
	d.Download(out, b)
	return out
}

func holdStep(t *testing.T, c *fixture.Network) {
	tr := resnetTrainer(t, open(t), c, checkpoint.Optimizer{Name: "sgd"})
	tr.whole.Fold(tr.device, tr.evaluate)
	stageWhole(t, tr, &tr.evalIn, c)
	tr.predict.Run(c.Rows)
	holdWhole(t, "logits in evaluation", download(tr.device, tr.predict.Buffer(tr.whole.Logits), c.Rows*c.Classes), c.Step.Evaluated)
	stageWhole(t, tr, &tr.stepIn, c)
	holdDerivatives(t, tr, c)
}

// holdDerivatives takes the step that is in place and holds its loss, gradients and running statistics.
func holdDerivatives(t *testing.T, tr *trainer, c *fixture.Network) {
	t.Helper()
	layout := tr.graph.Layout
	tr.step.Run(c.Rows)
	if loss := float64(download(tr.device, tr.step.Buffer(tr.graph.Loss), 1)[0]); !(math.Abs(loss-c.Step.Loss) <= wholeTolerance*c.Step.Loss) {
		t.Errorf("loss: got %v, PyTorch has %v", loss, c.Step.Loss)
	}
	grads, buffers := download(tr.device, tr.grads, layout.ParamSize), weightsOf(t, tr).buffers
	holdTensors(t, "gradient of ", layout.Params, grads, c.Step.Gradients, c.Step.GradientSums)
	holdTensors(t, "", layout.Buffers, buffers, c.Step.Buffers, c.Step.BufferSums)
}

func holdLosses(t *testing.T, c *fixture.Network, run fixture.NetworkRun) {
	tr := resnetTrainer(t, open(t), c, checkpoint.Optimizer{Name: run.Optimizer, LR: run.LR, Beta1: run.Beta1, Beta2: run.Beta2,
		Epsilon: run.Epsilon, Momentum: run.Momentum, WeightDecay: run.WeightDecay})
	for step, want := range run.Losses {
		takeStep(t, tr, c.Rows, step+1, run.LR)
		if got := float64(download(tr.device, tr.step.Buffer(tr.graph.Loss), 1)[0]); !(math.Abs(got-want) <= wholeTolerance*want) {
			t.Errorf("loss before step %d: got %v, PyTorch has %v", step+1, got, want)
		}
	}
	holdTensors(t, "after the run, ", tr.graph.Layout.Buffers, weightsOf(t, tr).buffers, nil, run.BufferSums)
}

// holdTensors holds the tensors of a run: some element by element, all by their summaries.
func holdTensors(t *testing.T, what string, slots []network.Slot, run []float32, whole map[string]fixture.Tensor, sums map[string]fixture.Summary) {
	t.Helper()
	if len(slots) != len(sums) {
		t.Fatalf("%d tensors, PyTorch has %d", len(slots), len(sums))
	}
	for _, slot := range slots {
		values := slot.In(run)
		if want, ok := whole[slot.Name]; ok {
			holdWhole(t, what+slot.Name, values, want)
		}
		var got fixture.Summary
		for i, u := range fixture.Uniform(slot.Name, len(values)) {
			v := float64(values[i])
			got[0], got[1], got[2] = got[0]+v, got[1]+v*v, got[2]+v*u
		}
		got[1] = math.Sqrt(got[1])
		want := sums[slot.Name]
		// A sum of n elements, each off by as much as the norm allows, is off by up to sqrt(n) of it.
		allowed := fixture.Summary{wholeTolerance * want[1] * math.Sqrt(float64(len(values))), wholeTolerance * want[1], wholeTolerance * want[1]}
		for i, name := range []string{"sum", "norm", "product"} {
			if !(math.Abs(got[i]-want[i]) <= allowed[i]) || want[1] == 0 {
				t.Errorf("%s%s: %s: got %v, PyTorch has %v (norm %v)", what, slot.Name, name, got[i], want[i], want[1])
			}
		}
	}
}

func holdWhole(t *testing.T, name string, got []float32, want fixture.Tensor) {
	t.Helper()
	largest := 0.0
	for _, w := range want.Values() {
		largest = max(largest, math.Abs(w))
	}
	if len(got) != len(want.Values()) || largest == 0 {
		t.Fatalf("%s: %d elements, PyTorch has %d, the largest %v", name, len(got), len(want.Values()), largest)
	}
	for i, w := range want.Values() {
		if !(math.Abs(float64(got[i])-w) <= wholeTolerance*largest) {
			t.Errorf("%s[%d]: got %v, PyTorch has %v (largest %v)", name, i, got[i], w, largest)
			return
		}
	}
}
