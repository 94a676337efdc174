package network

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
)

// Evaluator gives a model's logits for every coalition; it is a valuation.Predictor. Under the fusions concat and sum the
// logits are a sum of parts, and it is a valuation.QueuedAdditive: it has
//
//	Parts(parts, bias []float32) error
//	Depth() int
//	Queue(b *Minibatch) error
//	Collect(parts, bias []float32) error
//
// Under the others it is a valuation.Featured, which takes features in the place of those that a coalition lacks, and a
// valuation.QueuedWhole:
//
//	Features() ([][]float32, error)
//	Replace(features [][]float32) error
//	Depth() int
//	Queue(b *Minibatch) error
//	CollectLogits(logits []float32) error
//
// It is used by one goroutine at a time.
type Evaluator interface {
	// Modalities returns the model's modalities in bit order.
	Modalities() []modality.Modality
	// Classes returns the model's classes in label order.
	Classes() []string
	// MaxRows returns the largest minibatch.
	MaxRows() int
	// Load runs every backbone on a minibatch, once.
	Load(b *Minibatch) error
	// Logits writes the logits of coalition c, less the modalities that a row lacks, to dst (Rows,C).
	Logits(c modality.Coalition, dst []float32) error
}

// Load makes the evaluator of a model stream for minibatches of up to rows rows. weights names the role of the tensors to
// use: schema.RoleParameter for the last epoch's, schema.RoleBest for the best validated epoch's.
func Load(m schema.Model, d kernel.Device, rows int, weights string) (Evaluator, error) {
	spec, err := ParseSpec(m.Spec)
	if err != nil {
		return nil, err
	}
	layout, err := spec.Layout()
	if err != nil {
		return nil, err
	}
	role := schema.RoleBuffer
	if weights == schema.RoleBest {
		role = schema.RoleBest // running statistics belong to the weights that they were collected under
	}
	var v values
	if v.params, err = find(layout.Params, m.Tensors, weights, ""); err != nil {
		return nil, err
	}
	if v.buffers, err = find(layout.Buffers, m.Tensors, role, ""); err != nil {
		return nil, err
	}
	return newEvaluator(spec, d, rows, layout, v)
}

// NewEvaluator makes the evaluator of a model whose tensors lie in two runs as its Layout says. On a kernel.Group every minibatch is
// divided among its devices.
func NewEvaluator(s Spec, d kernel.Device, rows int, params, buffers []float32) (Evaluator, error) {
	layout, err := s.Layout()
	if err != nil {
		return nil, err
	}
	var v values
	for _, slot := range layout.Params {
		v.params = append(v.params, slot.In(params))
	}
	for _, slot := range layout.Buffers {
		v.buffers = append(v.buffers, slot.In(buffers))
	}
	return newEvaluator(s, d, rows, layout, v)
}

// values are what a model's slots hold on the host, in the order of its Layout.
type values struct{ params, buffers [][]float32 }

// newEvaluator puts the values on the device; they are not looked at afterwards.
func newEvaluator(s Spec, d kernel.Device, rows int, layout Layout, v values) (Evaluator, error) {
	_, f, err := s.parts()
	if err != nil {
		return nil, err
	}
	setUp := func(d kernel.Device, rows int) (Evaluator, error) {
		tensors, err := allocate(d, layout.ParamSize, layout.BufferSize)
		if err != nil {
			return nil, err
		}
		tensors.upload(d, layout, v)
		if f, ok := f.(additive); ok {
			return newSumEvaluator(s, f, d, rows, tensors, v.params)
		}
		return newJointEvaluator(s, d, rows, tensors)
	}
	free, devices := kernel.Free(d), kernel.Devices(d)
	var e Evaluator
	if len(devices) > 1 {
		e, err = newGroupEvaluator(devices, rows, setUp)
	} else {
		e, err = setUp(d, rows)
	}
	if err != nil {
		return nil, kernel.Fits(err, d, free, rows, func(d kernel.Device, rows int) error {
			_, err := setUp(d, kernel.Largest(rows, len(devices)))
			return err
		})
	}
	return e, nil
}

// evaluation is what every evaluator does: it runs the part of a model that no mask reaches on a minibatch.
type evaluation struct {
	spec    Spec
	device  kernel.Device
	machine *machine.Machine
	x       []kernel.Buffer
	prepare []*preparer // by modality; nil where samples go in as they are
	keep    []modality.Coalition
	rows    int // of the minibatch loaded
}

// newEvaluation plans the outputs of an evaluation graph, which need no mask.
func newEvaluation(s Spec, g *Graph, d kernel.Device, rows int, outputs []*gorgonia.Node, bound map[*gorgonia.Node]kernel.Buffer) (evaluation, error) {
	g.Fold(d, bound)
	m, err := machine.Compile(d, machine.Program{Rows: rows, Outputs: outputs, Inputs: g.X, Bound: bound})
	if err != nil {
		return evaluation{}, err
	}
	e := evaluation{spec: s, device: d, machine: m}
	for p, c := range s.Modalities {
		prepare, err := newPreparer(c, rows)
		if err != nil {
			return evaluation{}, err
		}
		e.prepare = append(e.prepare, prepare)
		e.x = append(e.x, m.Buffer(g.X[p]))
	}
	return e, nil
}

func (e *evaluation) Modalities() []modality.Modality { return e.spec.Channels() }
func (e *evaluation) Classes() []string               { return e.spec.Classes }
func (e *evaluation) MaxRows() int                    { return e.machine.Rows() }

func checkRows(rows, most int) error {
	if rows < 1 || rows > most {
		return fmt.Errorf("minibatch of %d rows, want 1 to %d", rows, most)
	}
	return nil
}

func (e *evaluation) Load(b *Minibatch) error {
	if err := checkRows(b.Rows, e.MaxRows()); err != nil {
		return err
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
	return e.device.Err()
}

// Tensors are a model's parameters and buffers on a device, in the two runs of its Layout.
type Tensors struct{ Params, Buffers kernel.Buffer }

// Upload puts a model's parameters and buffers on a device.
func Upload(d kernel.Device, params, buffers []float32) (Tensors, error) {
	t, err := allocate(d, len(params), len(buffers))
	if err != nil {
		return Tensors{}, err
	}
	d.Upload(t.Params, params)
	d.Upload(t.Buffers, buffers)
	return t, nil
}

// allocate makes room for a model's parameters and buffers on a device.
func allocate(d kernel.Device, params, buffers int) (Tensors, error) {
	var t Tensors
	var err error
	if t.Params, err = d.Alloc(max(1, params)); err != nil {
		return Tensors{}, err
	}
	if t.Buffers, err = d.Alloc(max(1, buffers)); err != nil {
		return Tensors{}, err
	}
	return t, nil
}

// upload puts the values where the layout says, from where they lie.
func (t Tensors) upload(d kernel.Device, l Layout, v values) {
	for i, slot := range l.Params {
		d.Upload(t.Params.Slice(slot.Offset, slot.Offset+slot.Size()), v.params[i])
	}
	for i, slot := range l.Buffers {
		d.Upload(t.Buffers.Slice(slot.Offset, slot.Offset+slot.Size()), v.buffers[i])
	}
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
