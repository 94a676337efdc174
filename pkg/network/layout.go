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
	Name     string
	Shape    []int
	Offset   int
	Backbone string // the modality whose backbone it belongs to, or ""
	init     initial
}

// initial is a tensor's distribution in an untrained model: uniform in ±uniform, or normal.
type initial struct{ uniform, mean, deviation float64 }

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
	frozen                map[string]bool // backbones, by modality
}

// Layout returns the places of the model's tensors.
func (s Spec) Layout() (Layout, error) {
	features, f, err := s.parts()
	if err != nil {
		return Layout{}, err
	}
	l := Layout{features: features, fused: f.width()}
	for _, c := range s.Modalities {
		b, err := c.backbone()
		if err != nil {
			return Layout{}, err
		}
		if c.Standardize {
			declareStandardize(&l, c, b)
		}
		l.declareBackbone(c, b)
	}
	f.declare(&l)
	l.linear("head", len(s.Classes), l.fused)
	if max(l.ParamSize, l.BufferSize) > math.MaxInt32 {
		return Layout{}, fmt.Errorf("a model of more than %d parameters, or buffers, is not supported", math.MaxInt32)
	}
	return l, nil
}

func backboneName(modality string) string    { return "backbones." + modality }
func standardizeName(modality string) string { return "standardize." + modality }

// linear adds a fully connected layer, drawn as torch.nn.Linear is by default: uniform in ±1/sqrt(fan in).
func (l *Layout) linear(name string, out, in int) {
	l.linearWeight(name, out, in)
	drawn := initial{uniform: 1 / math.Sqrt(float64(in))}
	place(&l.Params, &l.ParamSize, Slot{Name: name + ".bias", Shape: []int{out}, init: drawn})
}

// linearWeight adds a fully connected layer without bias, drawn in the same way.
func (l *Layout) linearWeight(name string, out, in int) {
	drawn := initial{uniform: 1 / math.Sqrt(float64(in))}
	place(&l.Params, &l.ParamSize, Slot{Name: name + ".weight", Shape: []int{out, in}, init: drawn})
}

// conv adds a convolution's weights, drawn as published: normal with variance 2 / fan out (He et al. 2015).
func (l *Layout) conv(name string, k, c, kh, kw int) {
	drawn := initial{deviation: math.Sqrt(2 / float64(k*kh*kw))}
	place(&l.Params, &l.ParamSize, Slot{Name: name + ".weight", Shape: []int{k, c, kh, kw}, init: drawn})
}

// norm adds a batch normalisation, drawn as published: the weight normal around 1 with deviation 0.02, the bias 0.
func (l *Layout) norm(name string, c int) {
	place(&l.Params, &l.ParamSize, Slot{Name: name + ".weight", Shape: []int{c}, init: initial{mean: 1, deviation: 0.02}})
	place(&l.Params, &l.ParamSize, Slot{Name: name + ".bias", Shape: []int{c}})
	place(&l.Buffers, &l.BufferSize, Slot{Name: name + ".running_mean", Shape: []int{c}})
	place(&l.Buffers, &l.BufferSize, Slot{Name: name + ".running_var", Shape: []int{c}, init: initial{mean: 1}})
}

func place(slots *[]Slot, size *int, s Slot) {
	s.Offset = *size
	*slots = append(*slots, s)
	n, ok := elements(s.Shape)
	if !ok || *size > math.MaxInt32 {
		*size = math.MaxInt // too many, which no more can make less: widths come from a file
		return
	}
	*size = (s.Offset + n + 15) / 16 * 16
}

// elements multiplies the sides of a shape; ok is false for 0, and for more than a model can have.
func elements(shape []int) (n int, ok bool) {
	n = 1
	for _, d := range shape {
		if d < 1 || d > math.MaxInt32/n {
			return 0, false
		}
		n *= d
	}
	return n, true
}

// Initialize draws the parameters of an untrained model. Each tensor has its own stream, so that adding a modality changes
// no other's draw.
func (l Layout) Initialize(seed uint64) []float32 {
	params := make([]float32, l.ParamSize)
	draw(l.Params, params, seed)
	return params
}

// InitializeBuffers returns the buffers of an untrained model: running means of 0 and variances of 1.
func (l Layout) InitializeBuffers() []float32 {
	buffers := make([]float32, l.BufferSize)
	draw(l.Buffers, buffers, 0)
	return buffers
}

func draw(slots []Slot, run []float32, seed uint64) {
	for _, s := range slots {
		values := s.In(run)
		if s.init.uniform == 0 && s.init.deviation == 0 {
			for i := range values {
				values[i] = float32(s.init.mean)
			}
			continue
		}
		r := rng.Stream(seed, "init", s.Name)
		for i := range values {
			if s.init.uniform > 0 {
				values[i] = float32((2*r.Float64() - 1) * s.init.uniform)
			} else {
				values[i] = float32(s.init.mean + s.init.deviation*r.NormFloat64())
			}
		}
	}
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
	found, err := find(slots, tensors, role, prefix)
	if err != nil {
		return err
	}
	for i, s := range slots {
		copy(s.In(run), found[i])
	}
	return nil
}

// find returns the data of each slot, as Import copies it.
func find(slots []Slot, tensors []schema.Tensor, role, prefix string) ([][]float32, error) {
	byName := map[string]schema.Tensor{}
	for _, t := range tensors {
		if t.Role == role {
			byName[t.Name] = t
		}
	}
	var found [][]float32
	for _, s := range slots {
		t, ok := byName[prefix+s.Name]
		if !ok {
			return nil, stream.Errorf("model: no %s %q", role, prefix+s.Name)
		}
		if !slices.Equal(t.Shape, s.Shape) {
			return nil, stream.Errorf("model: %s %q: got shape %v, want %v", role, t.Name, t.Shape, s.Shape)
		}
		found = append(found, t.Data)
	}
	return found, nil
}
