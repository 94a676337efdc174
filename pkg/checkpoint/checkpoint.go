// Package checkpoint reads and writes the model stream: what a model is (spec), its tensors, and the state of its
// training, from which training goes on exactly where it stopped.
package checkpoint

import (
	"encoding/json"
	"fmt"
	"io"

	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// Checkpoint is a model stream's content.
type Checkpoint struct {
	Header  schema.Header
	Spec    json.RawMessage // network.Spec
	State   State
	Tensors []schema.Tensor // roles parameter, buffer, optimizer, best
	SHA256  string          // of the rows, as read
}

// State is the mm.state of a model stream: everything that the next epoch depends on besides tensors and data. There is
// no generator state: every epoch draws from streams that the seed and the epoch name.
type State struct {
	Epoch     int       `json:"epoch"` // epochs done
	Step      int64     `json:"step"`  // optimizer steps done
	Seed      uint64    `json:"seed"`
	BatchSize int       `json:"batch_size"`
	Optimizer Optimizer `json:"optimizer"`
	Schedule  string    `json:"schedule"`           // of the learning rate
	LeftOut   string    `json:"left_out,omitempty"` // the schema.Fold of the samples that it is trained without
	Best      *Best     `json:"best,omitempty"`     // the best validated epoch; its tensors have the role best
	// Skipped is the steps that each backbone did not take because it was frozen, by modality.
	Skipped map[string]int64 `json:"skipped,omitempty"`
}

// Fold returns the fold of samples that the model is trained without; nil where there is none.
func (s State) Fold() (*schema.Fold, error) {
	if s.LeftOut == "" {
		return nil, nil
	}
	f, err := schema.ParseFold(s.LeftOut)
	if err != nil {
		return nil, fmt.Errorf("left_out: %w", err)
	}
	return &f, nil
}

// Optimizer names an optimizer and its settings, with torch.optim's meanings.
type Optimizer struct {
	Name        string  `json:"name"` // adam, adamw, sgd
	LR          float64 `json:"lr"`
	Beta1       float64 `json:"beta1,omitempty"`
	Beta2       float64 `json:"beta2,omitempty"`
	Epsilon     float64 `json:"epsilon,omitempty"`
	Momentum    float64 `json:"momentum,omitempty"`
	WeightDecay float64 `json:"weight_decay"`
	ClipNorm    float64 `json:"clip_norm,omitempty"` // largest norm of the gradient; 0: no clipping
	// Factors multiply the learning rate of a backbone, by modality; one that is not there has factor 1.
	Factors map[string]float64 `json:"lr_factors,omitempty"`
}

// Best says which epoch validated best.
type Best struct {
	Epoch    int     `json:"epoch"` // 1 is the first
	Accuracy float64 `json:"accuracy"`
}

// Read reads a whole model stream.
func Read(r *stream.Reader) (*Checkpoint, error) {
	m, err := schema.ReadModel(r)
	if err != nil {
		return nil, err
	}
	return FromModel(m, r.Name())
}

// FromModel reads the state of a model; name is what errors call it.
func FromModel(m schema.Model, name string) (*Checkpoint, error) {
	c := &Checkpoint{Header: m.Header, Spec: m.Spec, Tensors: m.Tensors, SHA256: m.SHA256}
	if len(m.State) > 0 {
		if err := json.Unmarshal(m.State, &c.State); err != nil {
			return nil, stream.Errorf("%s: reading mm.state: %w", name, err)
		}
	}
	if c.State.Epoch < 0 || c.State.Step < 0 {
		return nil, stream.Errorf("%s: mm.state: epoch %d and step %d, want neither negative", name, c.State.Epoch, c.State.Step)
	}
	if _, err := c.State.Fold(); err != nil {
		return nil, stream.Errorf("%s: mm.state: %w", name, err)
	}
	for modality, n := range c.State.Skipped {
		if n < 0 || n > c.State.Step {
			return nil, stream.Errorf("%s: mm.state: %q skipped %d steps of %d", name, modality, n, c.State.Step)
		}
	}
	return c, nil
}

// Write writes the whole model stream.
func (c *Checkpoint) Write(w io.Writer) error {
	state, err := json.Marshal(c.State)
	if err != nil {
		return fmt.Errorf("writing mm.state: %w", err)
	}
	return schema.WriteModel(w, schema.Model{Header: c.Header, Spec: c.Spec, State: state, Tensors: c.Tensors})
}

// HasBest reports whether the model holds the tensors of its best validated epoch.
func (c *Checkpoint) HasBest() bool {
	for _, t := range c.Tensors {
		if t.Role == schema.RoleBest {
			return true
		}
	}
	return false
}
