package network

import (
	"fmt"
	"slices"
	"strings"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// Stems are what can become of a first convolution whose weights were trained on another number of input channels: nothing,
// it is an error (exact); every channel takes the sum over the trained ones divided by the number of its own, so that equal
// channels give what they gave (sum); or it stays as it was (drawn).
var Stems = []string{"exact", "sum", "drawn"}

// Misfit lists all in which a file of weights and a model differ. It is a stream.ErrInput.
type Misfit struct {
	Missing, Shapes, Unknown []string
	Stem                     bool // a first convolution differs in its input channels, and in no more
}

// mostNames is how many names an error gives of a list; a network of another kind differs in a hundred.
const mostNames = 5

// Error gives the number of names, and the first of them.
func (m *Misfit) Error() string {
	var parts []string
	for _, part := range []struct {
		what  string
		names []string
	}{{"missing", m.Missing}, {"of another shape", m.Shapes}, {"not in the model", m.Unknown}} {
		if len(part.names) > 0 {
			parts = append(parts, fmt.Sprintf("%d %s: %s", len(part.names), part.what, few(part.names)))
		}
	}
	return "weights that do not fit: " + strings.Join(parts, "; ")
}

// few joins names, the first ones alone where there are many.
func few(names []string) string {
	if len(names) <= mostNames+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s, and %d more", strings.Join(names[:mostNames], ", "), len(names)-mostNames)
}

// Is tells that the file is at fault.
func (m *Misfit) Is(target error) bool { return target == stream.ErrInput }

// TakeWeights copies the tensors of a file into a model's: all of them, by the model's names, or, where backbone names a
// modality, those of its backbone, by PyTorch's: conv1.weight, layer1.0.bn1.running_mean, ... The last layer of torchvision's
// networks (fc.*) and counters of batches are ignored. On an error the model is as it was: a Misfit lists every tensor that is
// missing, has another shape, or is not the model's.
func (l Layout) TakeWeights(model []schema.Tensor, file *checkpoint.Safetensors, backbone, stem string) error {
	byName := map[string]checkpoint.SafeTensor{}
	for _, t := range file.Tensors {
		if !ignored(t.Name, backbone) {
			byName[t.Name] = t
		}
	}
	misfit, data := new(Misfit), map[string][]float32{}
	for k, part := range l.part(backbone) {
		t, ok := byName[part.name]
		delete(byName, part.name)
		isStem := k == 0 && backbone != "" && len(part.Shape) == 4
		switch {
		case !ok:
			misfit.Missing = append(misfit.Missing, part.name)
		case slices.Equal(t.Shape, part.Shape):
			values, err := file.Read(t)
			if err != nil {
				return err
			}
			data[part.Name] = values
		case isStem && otherChannels(t.Shape, part.Shape) && stem == "sum":
			values, err := file.Read(t)
			if err != nil {
				return err
			}
			data[part.Name] = sumChannels(values, t.Shape, part.Shape[1])
		case isStem && otherChannels(t.Shape, part.Shape) && stem == "drawn":
		default:
			misfit.Stem = misfit.Stem || isStem && otherChannels(t.Shape, part.Shape)
			misfit.Shapes = append(misfit.Shapes, fmt.Sprintf("%s: got %v, want %v", part.name, t.Shape, part.Shape))
		}
	}
	for _, t := range file.Tensors {
		if _, left := byName[t.Name]; left {
			misfit.Unknown = append(misfit.Unknown, t.Name)
		}
	}
	if len(misfit.Missing)+len(misfit.Shapes)+len(misfit.Unknown) > 0 {
		return misfit
	}
	for _, t := range model {
		if t.Role == schema.RoleParameter || t.Role == schema.RoleBuffer {
			copy(t.Data, data[t.Name]) // none where it stays as it was drawn
		}
	}
	return nil
}

// GiveWeights returns a model's tensors under the names that TakeWeights reads, sharing their data: those of the best
// validated epoch where the model keeps them, else the last.
func (l Layout) GiveWeights(c *checkpoint.Checkpoint, backbone string) ([]schema.Tensor, error) {
	roles := []string{schema.RoleParameter, schema.RoleBuffer}
	if c.HasBest() {
		roles = []string{schema.RoleBest}
	}
	var out []schema.Tensor
	for _, part := range l.part(backbone) {
		i := slices.IndexFunc(c.Tensors, func(t schema.Tensor) bool { return t.Name == part.Name && slices.Contains(roles, t.Role) })
		if i < 0 {
			return nil, stream.Errorf("model: no %q", part.Name)
		}
		t := c.Tensors[i]
		t.Name = part.name
		out = append(out, t)
	}
	return out, nil
}

// named is a slot under the name that files have for it.
type named struct {
	Slot
	name string
}

// part returns the tensors of a backbone, or, for "", of the whole model.
func (l Layout) part(backbone string) []named {
	var all []named
	for _, s := range slices.Concat(l.Params, l.Buffers) {
		switch {
		case backbone == "":
			all = append(all, named{s, s.Name})
		case s.Backbone == backbone:
			all = append(all, named{s, strings.TrimPrefix(s.Name, backboneName(backbone)+".")})
		}
	}
	return all
}

// ignored reports whether a file's tensor is one that PyTorch keeps and the model has no use for.
func ignored(name, backbone string) bool {
	return name == "num_batches_tracked" || strings.HasSuffix(name, ".num_batches_tracked") || backbone != "" && strings.HasPrefix(name, "fc.")
}

// otherChannels reports whether two shapes of convolutions, (K,C,KH,KW), differ in C alone.
func otherChannels(a, b []int) bool {
	return len(a) == 4 && len(b) == 4 && a[0] == b[0] && a[1] > 0 && slices.Equal(a[2:], b[2:])
}

// sumChannels returns w, of shape (K,C',KH,KW), for c channels: the sum over C', divided by c, in each.
func sumChannels(w []float32, shape []int, c int) []float32 {
	pixels := shape[2] * shape[3]
	out := make([]float32, shape[0]*c*pixels)
	for k := range shape[0] {
		for i := range pixels {
			var sum float64
			for j := range shape[1] {
				sum += float64(w[(k*shape[1]+j)*pixels+i])
			}
			for j := range c {
				out[(k*c+j)*pixels+i] = float32(sum / float64(c))
			}
		}
	}
	return out
}
