package onnx

import (
	"errors"
	"fmt"
	"slices"
)

// Plan says what goes into a model and what comes out.
type Plan struct {
	Inputs []Input
	Output string // "" for the model's first
	Pool   Pool
	Mask   int // for Mean: which of Inputs is 1 where a position counts, else 0; -1 where all do
	Batch  int // samples a run, 0 for DefaultBatch; a model that fixes its own has that
}

// Input is what is put into one of a model's inputs.
type Input struct {
	Name  string // "" for the first one that no other Input names
	Shape []int  // of one sample
}

// DefaultBatch is how many samples a run takes where neither the plan nor the model says.
const DefaultBatch = 16

// maxElements bounds a batch of one input or output: 2 GiB of float32.
const maxElements = 1 << 29

// bound is one tensor of a run.
type bound struct {
	port  Port
	shape []int // with the batch axis
	row   int   // elements of one sample
}

func size(shape []int) int {
	n := 1
	for _, d := range shape {
		n *= d
	}
	return n
}

// bind matches the plan's inputs with the model's, in the plan's order, and fixes the batch.
func (p Plan) bind(ports []Port) (inputs []bound, batch int, err error) {
	taken := map[string]bool{}
	for _, in := range p.Inputs {
		if in.Name != "" && taken[in.Name] {
			return nil, 0, fmt.Errorf("input %q twice", in.Name)
		}
		taken[in.Name] = true
	}
	for _, in := range p.Inputs {
		free := ports
		if in.Name == "" {
			free = slices.DeleteFunc(slices.Clone(ports), func(q Port) bool { return taken[q.Name] })
		}
		port, err := find(free, "input", in.Name)
		if err != nil {
			return nil, 0, err
		}
		taken[port.Name] = true
		shape, err := port.take(in.Shape)
		if err != nil {
			return nil, 0, err
		}
		if fixed := port.Shape[0]; fixed >= 0 && batch > 0 && batch != fixed {
			return nil, 0, fmt.Errorf("input %s: another input takes %d samples a run", port, batch)
		} else if fixed >= 0 {
			batch = fixed
		}
		inputs = append(inputs, bound{port: port, shape: shape, row: size(in.Shape)})
	}
	for _, port := range ports {
		if !taken[port.Name] {
			return nil, 0, fmt.Errorf("nothing to put into the model's input %s: it takes %s", port, list(ports))
		}
	}
	if batch == 0 {
		if batch = p.Batch; batch == 0 {
			batch = DefaultBatch
		}
	}
	for i := range inputs {
		if inputs[i].row < 1 || inputs[i].row > maxElements/batch {
			return nil, 0, fmt.Errorf("input %s: %d samples of %d numbers: want at most %d in all", inputs[i].port, batch,
				inputs[i].row, maxElements)
		}
		inputs[i].shape[0] = batch
	}
	return inputs, batch, nil
}

// take returns the shape, its batch axis open, in which the port takes samples of that shape. Axes of size 1 may be there on one side
// only: a wave of 16000 goes into [?,1,16000].
func (p Port) take(sample []int) ([]int, error) {
	refuse := fmt.Errorf("input %s takes no samples of %v", p, sample)
	if len(p.Shape) == 0 || p.Shape[0] == 0 {
		return nil, errors.Join(refuse, errors.New("it has no batch axis"))
	}
	axes := p.Shape[1:]
	shape := append([]int{-1}, axes...)
	if fits(axes, sample) {
		return append(shape[:1], sample...), nil
	}
	long := slices.DeleteFunc(slices.Clone(sample), func(d int) bool { return d == 1 })
	for i, d := range axes {
		if d == 1 {
			continue
		}
		if len(long) == 0 || d >= 0 && d != long[0] {
			return nil, refuse
		}
		shape[i+1], long = long[0], long[1:]
	}
	if len(long) > 0 {
		return nil, refuse
	}
	return shape, nil
}

func fits(axes, sample []int) bool {
	return slices.EqualFunc(axes, sample, func(a, s int) bool { return a < 0 || a == s })
}

// candidates returns the shapes that an output may have whose axes are open: a batch first, and then one of sizes for each.
func candidates(axes []int, batch int, sizes []int) [][]int {
	slices.Sort(sizes)
	sizes = slices.Compact(sizes)
	shapes := [][]int{nil}
	for i, d := range axes {
		choices := []int{d}
		switch {
		case i == 0:
			choices = []int{batch}
		case d < 0:
			choices = sizes
		}
		var next [][]int
		for _, shape := range shapes {
			for _, c := range choices {
				next = append(next, append(slices.Clone(shape), c))
			}
		}
		if shapes = next; len(shapes) > 256 {
			return nil
		}
	}
	return shapes
}
