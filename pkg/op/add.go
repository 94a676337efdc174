package op

import (
	"fmt"
	"hash"
	"strings"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// add is y = a + b. a, b and y (B,N), or, where whole is set, of any one shape without a minibatch.
type add struct {
	attributes
	n     int // elements: of a row, or, where whole is set, of all
	whole bool
}

// Sum returns the operation that runs an addition that Gorgonia's differentiation put into the graph, where a value is
// used more than once and its gradients are summed; nil for a node that is no such addition. batched tells whether its
// first dimension is the minibatch.
func Sum(n *gorgonia.Node, batched bool) Op {
	if n.Op() == nil || n.Op().Arity() != 2 || !strings.HasPrefix(n.Op().String(), "+ ") {
		return nil
	}
	size := n.Shape().TotalSize()
	if batched {
		return add{n: size / n.Shape()[0]}
	}
	return add{n: size, whole: true}
}

func (o add) Arity() int                { return 2 }
func (o add) Type() hm.Type             { return signature(matrixType, matrixType, matrixType) }
func (o add) String() string            { return fmt.Sprintf("Add{%d,%t}", o.n, o.whole) }
func (o add) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o add) Hashcode() uint32          { return hashcode(o) }
func (o add) InPlace() int              { return 0 }
func (o add) Batched(in []bool) bool    { return !o.whole }
func (o add) DiffWRT(inputs int) []bool { return []bool{true, true} }

func (o add) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	if _, err := batched(o, in[1], o.n, o.n); err != nil {
		return nil, err
	}
	return batched(o, in[0], o.n, o.n)
}

func (o add) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, in[0].Shape().Clone(), in)
}

func (o add) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	n := o.n
	if !o.whole {
		n *= rows
	}
	d.Add(out, in[0], in[1], n)
}

// SymDiff gives both inputs the gradient dy.
func (o add) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{dy, dy}, nil
}
