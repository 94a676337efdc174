package modality

import (
	"fmt"
	"regexp"
	"slices"
)

// Kind says what a modality's tensors hold; it chooses no behaviour by itself.
type Kind string

// The kinds of the streams contract (field metadata mm.modality).
const (
	Audio     Kind = "audio"
	Image     Kind = "image"
	Video     Kind = "video"
	Flow      Kind = "flow"
	Text      Kind = "text"
	Embedding Kind = "embedding"
)

// Kinds lists every Kind.
var Kinds = []Kind{Audio, Image, Video, Flow, Text, Embedding}

// Modality is one input channel of a sample: a tensor of a fixed shape.
type Modality struct {
	Name  string `json:"name"`
	Kind  Kind   `json:"kind"`
	Shape []int  `json:"shape"` // without the sample dimension
}

// Size returns the number of elements of one sample's tensor.
func (m Modality) Size() int {
	size := 1
	for _, d := range m.Shape {
		size *= d
	}
	return size
}

// Equal reports whether a and b have the same name, kind and shape.
func (m Modality) Equal(b Modality) bool {
	return m.Name == b.Name && m.Kind == b.Kind && slices.Equal(m.Shape, b.Shape)
}

var name = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]*$`)

// reserved are the column names of the streams, which a modality cannot take.
var reserved = []string{"id", "label", "row", "prediction", "keep", "weight", "coalition", "logits", "right", "all", "none"}

// CheckName returns an error for a name that cannot be a column: a letter, then letters, digits, "_", "." or "-",
// and none of the streams' own columns.
func CheckName(s string) error {
	if !name.MatchString(s) {
		return fmt.Errorf("modality name %q: want a letter, then letters, digits, _, . or -", s)
	}
	if slices.Contains(reserved, s) {
		return fmt.Errorf("modality name %q: reserved for a column of the streams", s)
	}
	return nil
}

// Names returns the names of ms in order.
func Names(ms []Modality) []string {
	names := make([]string, len(ms))
	for i, m := range ms {
		names[i] = m.Name
	}
	return names
}
