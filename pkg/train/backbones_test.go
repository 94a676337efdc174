package train

import (
	"fmt"
	"testing"

	"mmtools/internal/fixture"
	"mmtools/pkg/checkpoint"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
)

// ResNet-18 for optical flow, the small convolution network over frames and that over time, with dropout before the head, equal PyTorch:
// loss, gradients and running statistics of a step, and, as they are valued, with batch normalisations folded and backbones run once, the
// logits of every coalition. scripts/reference/backbones.py made the numbers.
func TestBackbonesEqualTorch(t *testing.T) {
	c, err := fixture.LoadNetwork("testdata/backbones.json.gz")
	if err != nil {
		t.Fatal(err)
	}
	spec := network.Spec{Fusion: "concat", Dropout: 0.5, Modalities: []network.Channel{
		{Modality: modality.Modality{Name: "flow", Kind: modality.Flow, Shape: []int{2, 33, 34}}, Backbone: "resnet18"},
		{Modality: modality.Modality{Name: "sensor", Kind: modality.Audio, Shape: []int{16, 11}}, Backbone: "temporal:16,32"},
		{Modality: modality.Modality{Name: "video", Kind: modality.Video, Shape: []int{2, 3, 9, 8}}, Backbone: "cnn:16,5"},
	}}
	tr, params, buffers := wholeTrainer(t, open(t), &spec, c, checkpoint.Optimizer{Name: "sgd"})
	t.Run("coalitions", func(t *testing.T) { holdCoalitions(t, tr, spec, c, params, buffers) })
	t.Run("step", func(t *testing.T) { holdDerivatives(t, tr, c) })
}

func holdCoalitions(t *testing.T, tr *trainer, spec network.Spec, c *fixture.Network, params, buffers []float32) {
	e, err := network.NewEvaluator(spec, open(t), c.Rows, params, buffers)
	if err != nil {
		t.Fatal(err)
	}
	n, b := len(spec.Modalities), network.Minibatch{Rows: c.Rows, X: tr.stepIn.x}
	for row := range c.Rows {
		keep := modality.Coalition(0)
		for p := range n {
			if c.Keep.Values()[row*n+p] == 1 {
				keep = keep.With(p)
			}
		}
		b.Keep = append(b.Keep, keep)
	}
	if err := e.Load(&b); err != nil {
		t.Fatal(err)
	}
	size := c.Rows * c.Classes
	for coalition := range modality.All(n) + 1 {
		got := make([]float32, size)
		if err := e.Logits(coalition, got); err != nil {
			t.Fatal(err)
		}
		want := fixture.Tensor{Float32: c.Coalitions.Float32[int(coalition)*size:][:size]}
		holdWhole(t, fmt.Sprintf("logits of coalition %b", coalition), got, want)
	}
}
