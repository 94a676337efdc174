package machine

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/op"
)

// Program says what to compile.
type Program struct {
	// Rows is the largest minibatch.
	Rows int
	// Outputs are the nodes whose values are wanted; they stay readable until the next Run.
	Outputs []*gorgonia.Node
	// Inputs are filled by the caller before each Run, through Buffer; their first dimension is the minibatch. An inner
	// node of the graph may be one: what only it is computed from is then left out.
	Inputs []*gorgonia.Node
	// Bound nodes live in memory of the caller: parameters, buffers, and outputs such as gradients.
	Bound map[*gorgonia.Node]kernel.Buffer
	// Over is a machine of the same device whose memory this one takes too, where it is large enough; nil for memory of its own.
	// What a run of one leaves, and inputs filled before, are lost when the other runs.
	Over *Machine
}

// Machine is a compiled program.
type Machine struct {
	device  kernel.Device
	lanes   kernel.Laner // the device; nil where the program runs in one lane
	join    []int        // marks
	memory  kernel.Buffer
	rows    int
	program []instruction
	buffers map[*gorgonia.Node]kernel.Buffer
	arena   int // elements
	unique  int // elements that the same values would take without sharing

	tape  *Tape
	queue func(rows int) // Queue: to make it anew for every run would allocate
}

type instruction struct {
	op  op.Op
	out kernel.Buffer
	in  []kernel.Buffer
	laned
}

// Compile plans p on a device. It fails on a node that is neither an input, bound, a scalar constant nor an operation of
// pkg/op, and when the device has too little memory.
func Compile(d kernel.Device, p Program) (*Machine, error) {
	if p.Rows < 1 {
		return nil, fmt.Errorf("compiling for %d rows", p.Rows)
	}
	order, err := sortNodes(p)
	if err != nil {
		return nil, err
	}
	if err := prepare(d, order, p); err != nil {
		return nil, err
	}
	s := schedule{order: order}
	laner := lanes(d)
	if laner != nil {
		s = inLanes(order, p.Rows, laner.Lanes())
	}
	plan := planMemory(&s, p)
	m := &Machine{device: d, lanes: laner, join: s.join, rows: p.Rows, buffers: map[*gorgonia.Node]kernel.Buffer{}, arena: plan.arena, unique: plan.unique}
	if p.Over != nil && p.Over.memory.Len() >= plan.arena {
		m.memory = p.Over.memory
	} else if m.memory, err = d.Alloc(max(plan.arena, 1)); err != nil {
		return nil, fmt.Errorf("allocating %d bytes for activations: %w", 4*plan.arena, err)
	}
	m.tape, m.queue = NewTape(d), m.Queue
	for n, place := range plan.places {
		m.buffers[n] = m.memory.Slice(place.offset, place.offset+place.elements)
	}
	for n, b := range p.Bound {
		if b.Len() < n.Shape().TotalSize() {
			return nil, fmt.Errorf("binding %s: buffer of %d elements for shape %v", n.Name(), b.Len(), n.Shape())
		}
		m.buffers[n] = b
	}
	for i, step := range s.order {
		if step.op == nil {
			if value, ok := constant(step.node); ok {
				if m.buffers[step.node], err = d.Alloc(1); err != nil {
					return nil, fmt.Errorf("allocating a constant: %w", err)
				}
				d.Upload(m.buffers[step.node], []float32{value})
			}
			continue
		}
		in := make([]kernel.Buffer, len(step.in))
		for k, child := range step.in {
			in[k] = m.buffers[child]
		}
		if b, ok := step.op.(op.Binder); ok {
			step.op = b.Bind(in)
		}
		run := instruction{op: step.op, out: m.buffers[step.node], in: in}
		if laner != nil {
			run.laned = s.runs[i]
		}
		m.program = append(m.program, run)
	}
	return m, reserve(d, &s, p.Rows)
}

// reserve has a device take what its convolutions work in, before the first runs.
func reserve(d kernel.Device, s *schedule, rows int) error {
	w, ok := d.(kernel.Workspacer)
	if !ok {
		return nil
	}
	var runs []kernel.ConvRun
	for i, st := range s.order {
		if st.op == nil {
			continue
		}
		if run, ok := op.ConvRun(st.op, rows); ok {
			if s.runs != nil {
				run.Lane = s.runs[i].lane
			}
			runs = append(runs, run)
		}
	}
	if err := w.Reserve(runs); err != nil {
		return fmt.Errorf("allocating what convolutions work in: %w", err)
	}
	return nil
}

// prepare makes a device ready for convolutions, where there are any, and the steps for how it keeps maps.
func prepare(d kernel.Device, order []step, p Program) error {
	if !slices.ContainsFunc(order, func(s step) bool { return s.op != nil && op.Convolves(s.op) }) {
		return nil
	}
	if d, ok := d.(kernel.Preparer); ok {
		if err := d.PrepareConvolutions(); err != nil {
			return err
		}
	}
	if d, ok := d.(kernel.Narrower); ok && d.Narrow() {
		return narrowMaps(order, p)
	}
	return nil
}

// Buffer returns the memory of an input, an output or a bound node. Other nodes share memory and have no lasting value.
func (m *Machine) Buffer(n *gorgonia.Node) kernel.Buffer { return m.buffers[n] }

// Rows returns the largest minibatch.
func (m *Machine) Rows() int { return m.rows }

// Memory returns the bytes planned for values, and the bytes that they would take if none shared memory.
func (m *Machine) Memory() (planned, unshared int) { return 4 * m.arena, 4 * m.unique }

// Run runs the program on the first rows rows of the inputs, 1 <= rows <= Rows. The results are in the outputs' buffers.
// On a kernel.Recorder it is recorded when it is run the second time, and replayed from then on.
func (m *Machine) Run(rows int) { m.tape.Run(rows, m.queue) }

// Queue is Run without a recording, for a Tape that holds more than the program.
func (m *Machine) Queue(rows int) {
	if rows < 1 || rows > m.rows {
		panic(fmt.Sprintf("machine: %d rows, planned for 1 to %d", rows, m.rows))
	}
	if m.lanes != nil {
		m.queueInLanes(rows)
		return
	}
	for i := range m.program {
		in := &m.program[i]
		in.op.Run(m.device, rows, in.out, in.in)
	}
}

func (m *Machine) queueInLanes(rows int) {
	m.lanes.Mark(startMark)
	for i := range m.program {
		in := &m.program[i]
		m.lanes.Lane(in.lane)
		for _, mark := range in.waits {
			m.lanes.Wait(mark)
		}
		in.op.Run(m.device, rows, in.out, in.in)
		if in.mark >= 0 {
			m.lanes.Mark(in.mark)
		}
	}
	m.lanes.Lane(0)
	for _, mark := range m.join {
		m.lanes.Wait(mark)
	}
}
