package network

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/modality"
	"mmtools/pkg/op"
	"mmtools/pkg/schema"
)

// Evaluator gives a model's logits for every coalition. Both fusions put a linear head on features that join additively,
// so the logits of a coalition are a sum of parts, one a modality, each computed once a minibatch:
//
//	logits(S) = bias + sum over i in S of z_i W_iᵀ
type Evaluator struct {
	spec    Spec
	device  kernel.Device
	machine *machine.Machine
	x       []kernel.Buffer
	prepare []*preparer     // by modality; nil where samples go in as they are
	out     []kernel.Buffer // parts on the device, (rows,C) a modality
	parts   [][]float32     // the same on the host
	bias    []float32
	keep    []modality.Coalition
	rows    int // of the minibatch loaded
}

// Load makes the evaluator of a model stream for minibatches of up to rows rows. weights names the role of the tensors to
// use: schema.RoleParameter for the last epoch's, schema.RoleBest for the best validated epoch's.
func Load(m schema.Model, d kernel.Device, rows int, weights string) (*Evaluator, error) {
	spec, err := ParseSpec(m.Spec)
	if err != nil {
		return nil, err
	}
	layout, err := spec.Layout()
	if err != nil {
		return nil, err
	}
	params, buffers := make([]float32, layout.ParamSize), make([]float32, layout.BufferSize)
	if err := Import(layout.Params, params, m.Tensors, weights, ""); err != nil {
		return nil, err
	}
	role := schema.RoleBuffer
	if weights == schema.RoleBest {
		role = schema.RoleBest // running statistics belong to the weights that they were collected under
	}
	if err := Import(layout.Buffers, buffers, m.Tensors, role, ""); err != nil {
		return nil, err
	}
	return NewEvaluator(spec, d, rows, params, buffers)
}

// NewEvaluator makes the evaluator of a model whose tensors lie in two runs as its Layout says.
func NewEvaluator(s Spec, d kernel.Device, rows int, params, buffers []float32) (*Evaluator, error) {
	g, err := newGraph(s, rows, false)
	if err != nil {
		return nil, err
	}
	tensors, err := Upload(d, params, buffers)
	if err != nil {
		return nil, err
	}
	bound, err := g.Bind(d, tensors)
	if err != nil {
		return nil, err
	}
	g.Fold(d, bound)
	classes := len(s.Classes)
	heads := headParts(g.Layout, s, params)
	zero := g.tensor("zero", []int{classes})
	if bound[zero], err = d.Alloc(classes); err != nil {
		return nil, err
	}
	var outputs []*gorgonia.Node
	for p, z := range g.Features {
		w := gorgonia.NewMatrix(g.graph, tensor.Float32, gorgonia.WithShape(classes, g.Layout.features[p]),
			gorgonia.WithName("head."+s.Modalities[p].Name))
		if bound[w], err = d.Alloc(len(heads[p])); err != nil {
			return nil, err
		}
		d.Upload(bound[w], heads[p])
		part, err := op.Linear(z, w, zero, false)
		if err != nil {
			return nil, fmt.Errorf("building the head of %q: %w", s.Modalities[p].Name, err)
		}
		outputs = append(outputs, part)
	}
	m, err := machine.Compile(d, machine.Program{Rows: rows, Outputs: outputs, Inputs: g.X, Bound: bound})
	if err != nil {
		return nil, err
	}
	e := &Evaluator{spec: s, device: d, machine: m, bias: make([]float32, classes)}
	for _, slot := range g.Layout.Params {
		if slot.Name == "head.bias" {
			copy(e.bias, slot.In(params))
		}
	}
	for p, c := range s.Modalities {
		prepare, err := newPreparer(c, rows)
		if err != nil {
			return nil, err
		}
		e.prepare = append(e.prepare, prepare)
		e.x = append(e.x, m.Buffer(g.X[p]))
		e.out = append(e.out, m.Buffer(outputs[p]))
		e.parts = append(e.parts, make([]float32, rows*classes))
	}
	return e, nil
}

// Tensors are a model's parameters and buffers on a device, in the two runs of its Layout.
type Tensors struct{ Params, Buffers kernel.Buffer }

// Upload puts a model's parameters and buffers on a device.
func Upload(d kernel.Device, params, buffers []float32) (Tensors, error) {
	var t Tensors
	var err error
	if t.Params, err = d.Alloc(max(1, len(params))); err != nil {
		return Tensors{}, err
	}
	if t.Buffers, err = d.Alloc(max(1, len(buffers))); err != nil {
		return Tensors{}, err
	}
	d.Upload(t.Params, params)
	d.Upload(t.Buffers, buffers)
	return t, nil
}

// Bind returns where each parameter and buffer of the graph lives, and gives its scratch memory of its own.
func (g *Graph) Bind(d kernel.Device, t Tensors) (map[*gorgonia.Node]kernel.Buffer, error) {
	bound := map[*gorgonia.Node]kernel.Buffer{}
	for _, slot := range g.Layout.Params {
		bound[g.Param(slot.Name)] = t.Params.Slice(slot.Offset, slot.Offset+slot.Size())
	}
	for _, slot := range g.Layout.Buffers {
		bound[g.Param(slot.Name)] = t.Buffers.Slice(slot.Offset, slot.Offset+slot.Size())
	}
	for _, n := range g.scratches {
		b, err := d.Alloc(n.Shape().TotalSize())
		if err != nil {
			return nil, err
		}
		bound[n] = b
	}
	return bound, nil
}

// headParts returns W_p, (C,D_p), for each modality: its columns of the head's weight, or the whole where features are
// summed.
func headParts(l Layout, s Spec, params []float32) [][]float32 {
	var weight []float32
	for _, slot := range l.Params {
		if slot.Name == "head.weight" {
			weight = slot.In(params)
		}
	}
	parts := make([][]float32, len(s.Modalities))
	from := 0
	for p, width := range l.features {
		for c := range s.Classes {
			parts[p] = append(parts[p], weight[c*l.fused+from:][:width]...)
		}
		if s.Fusion == "concat" {
			from += width
		}
	}
	return parts
}

// Modalities returns the model's modalities in bit order.
func (e *Evaluator) Modalities() []modality.Modality { return e.spec.Channels() }

// Classes returns the model's classes in label order.
func (e *Evaluator) Classes() []string { return e.spec.Classes }

// MaxRows returns the largest minibatch.
func (e *Evaluator) MaxRows() int { return e.machine.Rows() }

// Load runs every backbone on a minibatch, once.
func (e *Evaluator) Load(b *Minibatch) error {
	if b.Rows < 1 || b.Rows > e.MaxRows() {
		return fmt.Errorf("minibatch of %d rows, want 1 to %d", b.Rows, e.MaxRows())
	}
	for p, x := range e.x {
		if prepare := e.prepare[p]; prepare != nil {
			e.device.Upload(x, prepare.run(b.X[p], b.Rows))
			continue
		}
		e.device.Upload(x, b.X[p][:b.Rows*e.spec.Modalities[p].Size()])
	}
	e.rows, e.keep = b.Rows, b.Keep
	e.machine.Run(b.Rows)
	for p, part := range e.out {
		e.device.Download(e.parts[p][:b.Rows*len(e.bias)], part)
	}
	return nil
}

// Parts copies the additive parts of the loaded minibatch's logits: parts (n,Rows,C), bias (C).
func (e *Evaluator) Parts(parts, bias []float32) error {
	size := e.rows * len(e.bias)
	for p, part := range e.parts {
		copy(parts[p*size:][:size], part)
	}
	copy(bias, e.bias)
	return nil
}

// Logits writes the logits of coalition c, less the modalities that a row lacks, to dst (Rows,C).
func (e *Evaluator) Logits(c modality.Coalition, dst []float32) error {
	classes := len(e.bias)
	for r := range e.rows {
		row := dst[r*classes:][:classes]
		copy(row, e.bias)
		for p := range (c & e.keep[r]).Members() {
			for k, part := range e.parts[p][r*classes:][:classes] {
				row[k] += part
			}
		}
	}
	return nil
}
