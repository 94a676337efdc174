package network

import (
	"fmt"
	"math"
	"slices"

	"mmtools/pkg/rng"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// Slot is a tensor's place in a flat run of float32.
type Slot struct {
	Name   string
	Shape  []int
	Offset int
	fanIn  int // of the layer; 0 for what is not drawn
}

// Size returns the number of elements.
func (s Slot) Size() int {
	size := 1
	for _, d := range s.Shape {
		size *= d
	}
	return size
}

// In returns the slot's part of the run.
func (s Slot) In(run []float32) []float32 { return run[s.Offset : s.Offset+s.Size()] }

// Layout places all parameters in one run, so that an optimizer step is one pass over memory, and all buffers (what is
// kept but not trained) in another. Slots start at multiples of 16 elements; the gaps stay zero.
type Layout struct {
	Params, Buffers       []Slot
	ParamSize, BufferSize int
	features              []int
	fused                 int
}

// Layout returns the places of the model's tensors.
func (s Spec) Layout() (Layout, error) {
	features, fused, err := s.widths()
	if err != nil {
		return Layout{}, err
	}
	l := Layout{features: features, fused: fused}
	for _, c := range s.Modalities {
		if c.Standardize {
			place(&l.Buffers, &l.BufferSize, Slot{Name: standardizeName(c.Name) + ".mean", Shape: []int{c.Size()}})
			place(&l.Buffers, &l.BufferSize, Slot{Name: standardizeName(c.Name) + ".scale", Shape: []int{c.Size()}})
		}
		b, err := parseBackbone(c.Backbone)
		if err != nil {
			return Layout{}, err
		}
		b.declare(&l, backboneName(c.Name), c.Size())
	}
	l.linear("head", len(s.Classes), fused)
	if l.ParamSize > math.MaxInt32 {
		return Layout{}, fmt.Errorf("a model of %d parameters; at most %d are supported", l.ParamSize, math.MaxInt32)
	}
	return l, nil
}

func backboneName(modality string) string    { return "backbones." + modality }
func standardizeName(modality string) string { return "standardize." + modality }

func (l *Layout) linear(name string, out, in int) {
	place(&l.Params, &l.ParamSize, Slot{Name: name + ".weight", Shape: []int{out, in}, fanIn: in})
	place(&l.Params, &l.ParamSize, Slot{Name: name + ".bias", Shape: []int{out}, fanIn: in})
}

func place(slots *[]Slot, size *int, s Slot) {
	s.Offset = *size
	*slots = append(*slots, s)
	*size = (s.Offset + s.Size() + 15) / 16 * 16
}

// Initialize draws the parameters as torch.nn.Linear does by default: weight and bias uniform in ±1/sqrt(fan in). Each
// tensor has its own stream, so that adding a modality changes no other's draw.
func (l Layout) Initialize(seed uint64) []float32 {
	params := make([]float32, l.ParamSize)
	for _, s := range l.Params {
		r := rng.Stream(seed, "init", s.Name)
		bound := 1 / math.Sqrt(float64(s.fanIn))
		values := s.In(params)
		for i := range values {
			values[i] = float32((2*r.Float64() - 1) * bound)
		}
	}
	return params
}

// Export returns the tensors of a run as rows of a model stream, sharing its memory; each name is prefixed.
func Export(slots []Slot, run []float32, role, prefix string) []schema.Tensor {
	tensors := make([]schema.Tensor, len(slots))
	for i, s := range slots {
		tensors[i] = schema.Tensor{Name: prefix + s.Name, Role: role, Shape: s.Shape, Data: s.In(run)}
	}
	return tensors
}

// Import copies the tensors of a role and prefix from the rows of a model stream to a run. A tensor that is missing, or
// has another shape, is an error.
func Import(slots []Slot, run []float32, tensors []schema.Tensor, role, prefix string) error {
	byName := map[string]schema.Tensor{}
	for _, t := range tensors {
		if t.Role == role {
			byName[t.Name] = t
		}
	}
	for _, s := range slots {
		t, ok := byName[prefix+s.Name]
		if !ok {
			return stream.Errorf("model: no %s %q", role, prefix+s.Name)
		}
		if !slices.Equal(t.Shape, s.Shape) {
			return stream.Errorf("model: %s %q: got shape %v, want %v", role, t.Name, t.Shape, s.Shape)
		}
		copy(s.In(run), t.Data)
	}
	return nil
}
