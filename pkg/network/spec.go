package network

import (
	"encoding/json"
	"fmt"

	"mmtools/pkg/augment"
	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// Spec describes a model; it is the mm.spec of a model stream.
type Spec struct {
	Modalities []Channel `json:"modalities"` // in bit order
	Fusion     string    `json:"fusion"`     // as Fusions says
	Classes    []string  `json:"classes"`    // in label order
	// Dropout is the share of what the head sees that training sets to 0, and the rest is scaled up for (Srivastava et al. 2014).
	Dropout float64 `json:"dropout,omitempty"`
}

// Channel is one modality of a model with its backbone.
type Channel struct {
	modality.Modality
	Backbone    string `json:"backbone"`              // as Backbones says
	Input       string `json:"input,omitempty"`       // how frames are prepared, as augment.Parse reads it
	Standardize bool   `json:"standardize,omitempty"` // (x - mean) * scale before the backbone, learned from the training samples
	Frozen      bool   `json:"frozen,omitempty"`      // the backbone is not trained
}

// ParseSpec reads and checks the mm.spec of a model stream.
func ParseSpec(raw []byte) (Spec, error) {
	var s Spec
	if err := json.Unmarshal(raw, &s); err != nil {
		return Spec{}, stream.Errorf("reading mm.spec: %w", err)
	}
	if err := s.Check(); err != nil {
		return Spec{}, stream.Errorf("reading mm.spec: %w", err)
	}
	return s, nil
}

// Check returns an error for a model that cannot be built.
func (s Spec) Check() error {
	_, err := s.Layout()
	return err
}

// Channels returns the modalities in bit order.
func (s Spec) Channels() []modality.Modality {
	ms := make([]modality.Modality, len(s.Modalities))
	for i, c := range s.Modalities {
		ms[i] = c.Modality
	}
	return ms
}

// Transform returns how the modality's frames are prepared.
func (c Channel) Transform() (augment.Transform, error) { return augment.Parse(c.Input) }

// Seen returns the modality as the backbone sees it: prepared.
func (c Channel) Seen() (modality.Modality, error) {
	t, err := c.Transform()
	if err != nil {
		return modality.Modality{}, err
	}
	m := c.Modality
	m.Shape, err = t.Shape(m.Shape)
	return m, err
}

// backbone returns the encoder of what the backbone sees.
func (c Channel) backbone() (backbone, error) {
	m, err := c.Seen()
	if err != nil {
		return nil, err
	}
	return parseBackbone(c.Backbone, m)
}

// parts returns D_p of each modality, and what joins the features.
func (s Spec) parts() (features []int, f fusion, err error) {
	if len(s.Modalities) == 0 || len(s.Modalities) > modality.Max {
		return nil, nil, fmt.Errorf("%d modalities, want 1 to %d", len(s.Modalities), modality.Max)
	}
	if len(s.Classes) < 2 {
		return nil, nil, fmt.Errorf("%d classes, want at least 2", len(s.Classes))
	}
	if !(s.Dropout >= 0 && s.Dropout < 1) {
		return nil, nil, fmt.Errorf("dropout %v, want at least 0 and less than 1", s.Dropout)
	}
	seen := map[string]bool{}
	for _, c := range s.Modalities {
		if err := modality.CheckName(c.Name); err != nil {
			return nil, nil, err
		}
		if seen[c.Name] {
			return nil, nil, fmt.Errorf("modality %q twice", c.Name)
		}
		seen[c.Name] = true
		if _, ok := elements(c.Shape); !ok {
			return nil, nil, fmt.Errorf("modality %q: shape %v is empty, or more than any tensor", c.Name, c.Shape)
		}
		b, err := c.backbone()
		if err != nil {
			return nil, nil, fmt.Errorf("modality %q: %w", c.Name, err)
		}
		features = append(features, b.width())
	}
	in := inputs{features: features}
	for _, c := range s.Modalities {
		in.names = append(in.names, c.Name)
	}
	f, err = parseFusion(s.Fusion, in)
	return features, f, err
}
