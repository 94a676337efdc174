package network

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/modality"
)

// replacing runs a model from its features on, with others in the place of those that a coalition lacks. It has a machine of its own:
// that of a jointEvaluator starts beyond the features where no mask reaches, and what stands in has to go through that, too.
type replacing struct {
	machine  *machine.Machine
	features []kernel.Buffer // (rows,D_p) a modality: what the machine starts from
	holds    []int           // by modality: held's number that lies in features, 0 for the loaded minibatch's, -1 for nothing
	real     [][]float32     // (rows,D_p): the loaded minibatch's
	widths   []int
	stand    [][]float32 // (D_p) a modality, borrowed: what takes the place of absent ones; nil where they are masked
	number   int         // of stand, from 1
	scratch  []float32
}

// newReplacing compiles the graph from its features on.
func newReplacing(g *Graph, d kernel.Device, rows int, bound map[*gorgonia.Node]kernel.Buffer) (*replacing, error) {
	r := &replacing{}
	own := map[*gorgonia.Node]kernel.Buffer{} // not in the arena, where an operation may overwrite what it takes
	for n, b := range bound {
		own[n] = b
	}
	for _, z := range g.Features {
		b, err := d.Alloc(z.Shape().TotalSize())
		if err != nil {
			return nil, fmt.Errorf("allocating features to replace: %w", err)
		}
		own[z] = b
		r.features, r.widths = append(r.features, b), append(r.widths, z.Shape()[1])
		r.holds, r.real = append(r.holds, -1), append(r.real, make([]float32, z.Shape().TotalSize()))
	}
	var err error
	r.machine, err = machine.Compile(d, machine.Program{
		Rows: rows, Outputs: []*gorgonia.Node{g.Logits}, Inputs: append([]*gorgonia.Node{g.Keep}, g.Features...), Bound: own})
	return r, err
}

// put makes the features of rows rows those of coalition c, and what stands in elsewhere.
func (r *replacing) put(d kernel.Device, c modality.Coalition, rows int) {
	for p, b := range r.features {
		want := r.number
		if c.Has(p) {
			want = 0
		}
		if r.holds[p] == want {
			continue
		}
		r.holds[p] = want
		if want == 0 {
			d.Upload(b, r.real[p][:rows*r.widths[p]])
			continue
		}
		r.scratch = r.scratch[:0]
		for range rows {
			r.scratch = append(r.scratch, r.stand[p]...)
		}
		d.Upload(b, r.scratch)
	}
}

// replaces returns what replaces features; it is made where it is first asked for.
func (e *jointEvaluator) replaces() (*replacing, error) {
	if e.replacing != nil {
		return e.replacing, nil
	}
	var err error
	e.replacing, err = newReplacing(e.graph, e.device, e.MaxRows(), e.bound)
	return e.replacing, err
}

// Features returns the features of the loaded minibatch, (Rows,D_p) a modality, borrowed until the next Load. Those of modalities
// that a row lacks are of no use.
func (e *jointEvaluator) Features() ([][]float32, error) {
	r, err := e.replaces()
	if err != nil {
		return nil, err
	}
	out := make([][]float32, len(r.real))
	for p, z := range e.graph.Features {
		out[p] = r.real[p][:e.rows*r.widths[p]]
		if e.fresh {
			e.device.Download(out[p], e.machine.Buffer(z))
			r.holds[p] = -1
		}
	}
	e.fresh = false
	return out, e.device.Err()
}

// Replace makes Logits put features, (D_p) a modality, in the place of those that a row has and the coalition lacks; nil masks them
// again. The features are borrowed until the next Replace.
func (e *jointEvaluator) Replace(features [][]float32) error {
	r, err := e.replaces()
	if err == nil {
		r.stand = features
		r.number++
	}
	return err
}

// replaced is Logits with features in the place of those that coalition c lacks.
func (e *jointEvaluator) replaced(c modality.Coalition, dst []float32) error {
	if _, err := e.Features(); err != nil {
		return err
	}
	m := e.replacing.machine
	e.replacing.put(e.device, c, e.rows)
	e.device.Upload(m.Buffer(e.graph.Keep), e.kept(modality.All(len(e.spec.Modalities))))
	m.Run(e.rows)
	e.device.Download(dst[:e.rows*len(e.spec.Classes)], m.Buffer(e.graph.Logits))
	return e.device.Err()
}
