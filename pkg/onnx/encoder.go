package onnx

import (
	"fmt"
	"slices"
)

// Options say how a model is opened.
type Options struct {
	Library string // ONNX Runtime's file, or a folder that holds it; "" as Library says
	CUDA    bool   // run on the first CUDA device, through the runtime's CUDA provider
	Threads int    // of one run; 0 for 1
}

// Model is an ONNX model in a file.
type Model struct {
	path            string
	options         Options
	inputs, outputs []Port
}

// Open reads the model's inputs and outputs.
func Open(path string, o Options) (*Model, error) {
	o.Threads = max(o.Threads, 1)
	inputs, outputs, err := inspect(path, o)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &Model{path: path, options: o, inputs: inputs, outputs: outputs}, nil
}

// Inputs returns the model's inputs, in its order.
func (m *Model) Inputs() []Port { return m.inputs }

// Outputs returns the model's outputs, in its order.
func (m *Model) Outputs() []Port { return m.outputs }

// Encoder is a model made ready for inputs of fixed shapes.
type Encoder struct {
	model   *Model
	plan    Plan
	inputs  []bound
	output  bound
	batch   int
	shape   []int
	session session
}

// session is what runs a model; many goroutines may use one.
type session interface {
	// probe runs the model on zeros and returns the output's shape.
	probe(inputs []bound) ([]int, error)
	// run makes a function that reads inputs and writes output each time it is called, and one that frees what it holds.
	run(inputs []any, output any) (call, free func() error, err error)
	close() error
}

// Encoder loads the model and holds the plan against it: names, shapes, and the shape of what comes out, for which it runs once.
func (m *Model) Encoder(p Plan) (*Encoder, error) {
	e, err := m.encoder(p)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", m.path, err)
	}
	return e, nil
}

func (m *Model) encoder(p Plan) (*Encoder, error) {
	e := &Encoder{model: m, plan: p}
	var err error
	if e.inputs, e.batch, err = p.bind(m.inputs); err != nil {
		return nil, err
	}
	if e.output.port, err = find(m.outputs, "output", p.Output); err != nil {
		return nil, err
	}
	if e.session, err = load(m.path, m.options, e.inputs, &e.output); err != nil {
		return nil, err
	}
	if err := e.open(); err != nil {
		_ = e.session.close() // the first error counts
		return nil, err
	}
	return e, nil
}

func (e *Encoder) open() error {
	var err error
	if e.output.shape, err = e.session.probe(e.inputs); err != nil {
		return err
	}
	got := e.output.shape
	if len(got) == 0 || got[0] != e.batch || slices.Min(got) < 1 {
		return fmt.Errorf("output %s: a batch of %d samples gives %v: want their number first, and something of each", e.output.port,
			e.batch, got)
	}
	each := got[1:]
	if e.output.row = size(each); e.output.row > maxElements/e.batch {
		return fmt.Errorf("output %s: %d numbers a sample: want at most %d in a batch", e.output.port, e.output.row, maxElements)
	}
	if e.shape, err = e.plan.Pool.shape(each); err != nil {
		return fmt.Errorf("output %s: %w", e.output.port, err)
	}
	return e.plan.checkMask(e.inputs, each)
}

// Shape returns the shape of a sample's embedding.
func (e *Encoder) Shape() []int { return slices.Clone(e.shape) }

// Batch returns how many samples a run takes.
func (e *Encoder) Batch() int { return e.batch }

// Close frees the model. No runner may be in use any more.
func (e *Encoder) Close() error { return e.session.close() }

// Runner holds one batch. It belongs to one goroutine.
type Runner struct {
	e      *Encoder
	inputs []any
	output any
	row    []float32 // one sample's output
	mask   []float32
	run    func() error
	free   func() error
}

// NewRunner makes a runner.
func (e *Encoder) NewRunner() (*Runner, error) {
	r := &Runner{e: e, row: make([]float32, e.output.row)}
	for _, in := range e.inputs {
		r.inputs = append(r.inputs, newElements(in.port.Type, e.batch*in.row))
	}
	r.output = newElements(e.output.port.Type, e.batch*e.output.row)
	if e.plan.Pool == Mean && e.plan.Mask >= 0 {
		r.mask = make([]float32, e.inputs[e.plan.Mask].row)
	}
	var err error
	if r.run, r.free, err = e.session.run(r.inputs, r.output); err != nil {
		return nil, fmt.Errorf("%s: %w", e.model.path, err)
	}
	return r, nil
}

// Put sets one of the plan's inputs of a row of the batch; data is []float32, []int64 or []uint8.
func (r *Runner) Put(input, row int, data any) error {
	in := r.e.inputs[input]
	if n := length(data); n != in.row {
		return fmt.Errorf("input %s: got %d numbers, want %d", in.port, n, in.row)
	}
	if err := put(r.inputs[input], row*in.row, data); err != nil {
		return fmt.Errorf("input %s: %w", in.port, err)
	}
	return nil
}

func length(data any) int {
	switch d := data.(type) {
	case []float32:
		return len(d)
	case []int64:
		return len(d)
	case []uint8:
		return len(d)
	}
	panic(fmt.Sprintf("onnx: numbers of %T", data))
}

// Run runs the model on the first rows of the batch, at least one.
func (r *Runner) Run(rows int) error {
	for i, in := range r.e.inputs {
		for row := rows; row < r.e.batch; row++ {
			copyRow(r.inputs[i], row*in.row, 0, in.row)
		}
	}
	if err := r.run(); err != nil {
		return fmt.Errorf("%s: %w", r.e.model.path, err)
	}
	return nil
}

// Take writes a row's embedding to dst, which has Shape.
func (r *Runner) Take(row int, dst []float32) {
	take(r.row, r.output, row*r.e.output.row)
	if r.mask != nil {
		take(r.mask, r.inputs[r.e.plan.Mask], row*len(r.mask))
	}
	r.e.plan.Pool.pool(dst, r.row, r.e.output.shape[1:], r.mask)
}

// Close frees the runner.
func (r *Runner) Close() error { return r.free() }
