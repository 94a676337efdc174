package networktest

import (
	"encoding/json"
	"errors"
	"io"
	"os"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
)

// Classes are those of the model of WriteModel.
var Classes = []string{"x", "y", "z"}

// Modalities are embeddings of as many numbers as there are Classes.
func Modalities(names ...string) []modality.Modality {
	var ms []modality.Modality
	for _, name := range names {
		ms = append(ms, modality.Modality{Name: name, Kind: modality.Embedding, Shape: []int{len(Classes)}})
	}
	return ms
}

// Table is the table of docs/design.md, row by row: samples of class x whose ids say what the model of WriteModel gets right of them
// by all modalities, by a and by v.
func Table() []schema.Sample {
	none := []float32{0, 0, 0}
	return []schema.Sample{
		{ID: "111", Tensors: []any{[]float32{0, -4, 0}, []float32{0, -4, 0}}},
		{ID: "110", Tensors: []any{[]float32{0, -4, 0}, none}},
		{ID: "100", Tensors: []any{[]float32{0, -2, 0}, []float32{0, -2, 0}}},
		{ID: "011", Tensors: []any{[]float32{0, -4, 2}, []float32{0, -4, 2}}},
		{ID: "010", Tensors: []any{[]float32{0, -4, 0}, []float32{0, 4, 0}}},
		{ID: "000", Tensors: []any{none, none}},
	}
}

// Write writes a file.
func Write(path string, f func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f(file), file.Close())
}

// WriteSamples writes a samples stream to a file.
func WriteSamples(path string, ms []modality.Modality, classes []string, rows []schema.Sample) error {
	return Write(path, func(out io.Writer) error {
		header := schema.Header{Tool: "test", Modalities: ms, Classes: classes, Digest: schema.Digest{Samples: "sha256:5a"}}
		w, err := schema.NewSamplesWriter(out, schema.Samples{Header: header, DTypes: make([]schema.DType, len(ms))})
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := w.Append(row); err != nil {
				return err
			}
		}
		return w.Close()
	})
}

// WriteModel writes a model of epoch 5 to a file: a head that adds the logits that modalities a and v are, and a bias, which favours
// class y and not class z, so that what two modalities do together can be chosen freely. The weights of its best epoch, where it has
// some, answer x to everything.
func WriteModel(path string, best bool) error {
	ms := Modalities("a", "v")
	spec := network.Spec{Fusion: "concat", Classes: Classes}
	for _, m := range ms {
		spec.Modalities = append(spec.Modalities, network.Channel{Modality: m, Backbone: "identity"})
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	head := schema.Tensor{Name: "head.weight", Role: schema.RoleParameter, Shape: []int{3, 6}, Data: []float32{
		1, 0, 0, 1, 0, 0,
		0, 1, 0, 0, 1, 0,
		0, 0, 1, 0, 0, 1,
	}}
	bias := schema.Tensor{Name: "head.bias", Role: schema.RoleParameter, Shape: []int{3}, Data: []float32{0, 3, -3}}
	c := checkpoint.Checkpoint{Header: schema.Header{Tool: "test", Modalities: ms, Classes: Classes}, Spec: raw,
		State: checkpoint.State{Epoch: 5}, Tensors: []schema.Tensor{head, bias}}
	if best {
		head.Role, bias.Role, bias.Data = schema.RoleBest, schema.RoleBest, []float32{100, 0, 0}
		c.State.Best = &checkpoint.Best{Epoch: 3, Accuracy: 0.9}
		c.Tensors = append(c.Tensors, head, bias)
	}
	return Write(path, c.Write)
}
