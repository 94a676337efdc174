package machine

import (
	"fmt"
	"slices"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/op"
)

// step is a node in the order of execution; op is nil for what needs no execution: inputs, bound nodes and constants.
type step struct {
	node   *gorgonia.Node
	op     op.Op
	in     []*gorgonia.Node
	narrow bool // maps in bfloat16
}

// elements returns the elements of memory that the step's value takes.
func (s step) elements() int {
	n := max(1, s.node.Shape().TotalSize())
	if s.narrow {
		return (n + 1) / 2
	}
	return n
}

// sortNodes returns what the outputs need, every node after its inputs, depth first from the outputs in their order: the
// same graph gives the same program.
func sortNodes(p Program) ([]step, error) {
	leaf := map[*gorgonia.Node]bool{}
	for _, n := range p.Inputs {
		leaf[n] = true
	}
	var order []step
	state := map[*gorgonia.Node]int{} // 1: being visited, 2: done
	var visit func(n *gorgonia.Node) error
	visit = func(n *gorgonia.Node) error {
		switch state[n] {
		case 2:
			return nil
		case 1:
			return fmt.Errorf("compiling: the graph has a cycle through %s", n.Name())
		}
		state[n] = 1
		s, err := newStep(n, leaf[n], p)
		if err != nil {
			return err
		}
		for _, child := range s.in {
			if err := visit(child); err != nil {
				return err
			}
		}
		state[n] = 2
		order = append(order, s)
		return nil
	}
	for _, n := range p.Outputs {
		if err := visit(n); err != nil {
			return nil, err
		}
	}
	if err := bindOps(order, p); err != nil {
		return nil, err
	}
	return fuse(order, p), nil
}

func newStep(n *gorgonia.Node, input bool, p Program) (step, error) {
	if input {
		return step{node: n}, nil // what an inner node would be computed from is not needed
	}
	if n.Op() == nil {
		if _, bound := p.Bound[n]; !bound {
			return step{}, fmt.Errorf("compiling: %s is neither an input nor bound", n.Name())
		}
		return step{node: n}, nil
	}
	if _, ok := constant(n); ok {
		return step{node: n}, nil
	}
	s := step{node: n}
	for children := n.Graph().From(n.ID()); children.Next(); {
		s.in = append(s.in, children.Node().(*gorgonia.Node))
	}
	if len(s.in) != n.Op().Arity() {
		return step{}, fmt.Errorf("compiling: %v has %d inputs, want %d", n.Op(), len(s.in), n.Op().Arity())
	}
	return s, nil
}

// bindOps gives every step its operation, and finds out which values have the minibatch as their first dimension. The
// order is complete: every node's inputs come before it.
func bindOps(order []step, p Program) error {
	batched := map[*gorgonia.Node]bool{}
	for _, n := range p.Inputs {
		batched[n] = true
	}
	for i := range order {
		s := &order[i]
		if s.in == nil {
			continue
		}
		in := make([]bool, len(s.in))
		for k, child := range s.in {
			in[k] = batched[child]
		}
		o, ok := s.node.Op().(op.Op)
		if !ok {
			if o = op.Sum(s.node, in[0]); o == nil || in[0] != in[1] {
				return fmt.Errorf("compiling: operation %v is not one of pkg/op", s.node.Op())
			}
		}
		s.op, batched[s.node] = o, o.Batched(in)
	}
	return nil
}

// narrowMaps gives the steps that deal with blocked maps the operations for a device that keeps them in bfloat16, and fails where the
// program gives or takes such maps, which are float32 to everybody else.
func narrowMaps(order []step, p Program) error {
	narrow := map[*gorgonia.Node]bool{}
	for i := range order {
		s := &order[i]
		if s.op == nil {
			continue
		}
		in := make([]bool, len(s.in))
		for k, child := range s.in {
			in[k] = narrow[child]
		}
		s.op, s.narrow = op.Narrow(s.op, in)
		narrow[s.node] = s.narrow
	}
	wanted := slices.Clone(p.Outputs)
	for n := range p.Bound {
		wanted = append(wanted, n)
	}
	for _, n := range wanted {
		if narrow[n] {
			return fmt.Errorf("compiling: the result of %v is feature maps, which the device keeps in bfloat16", n.Op())
		}
	}
	return nil
}

// constant returns the value of a scalar constant, such as the gradient of the cost to itself.
func constant(n *gorgonia.Node) (float32, bool) {
	if n.Op() == nil || n.Op().Arity() != 0 || !n.IsScalar() || n.Value() == nil {
		return 0, false
	}
	value, ok := n.Value().Data().(float32)
	return value, ok
}
