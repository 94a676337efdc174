package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// elementwise is an operation on rows of n elements, one by one, that may work in place of its first input.
type elementwise struct {
	attributes
	name   string
	inputs int
	n      int
	factor float32 // of scale
}

// columns returns the number of columns of a matrix, or an error that names what wants one.
func columns(what string, x *gorgonia.Node) (int, error) {
	if s := x.Shape(); len(s) == 2 {
		return s[1], nil
	}
	return 0, fmt.Errorf("%s: input of shape %v, want (B,N)", what, x.Shape())
}

func applyElementwise(name string, factor float32, in ...*gorgonia.Node) (*gorgonia.Node, error) {
	n, err := columns(name, in[0])
	if err != nil {
		return nil, err
	}
	return apply(elementwise{name: name, inputs: len(in), n: n, factor: factor}, in...)
}

// Mul adds y = a * b, element by element, to the graph. a, b and y (B,N).
func Mul(a, b *gorgonia.Node) (*gorgonia.Node, error) { return applyElementwise("mul", 0, a, b) }

// Plus adds y = a + b to the graph. a, b and y (B,N).
func Plus(a, b *gorgonia.Node) (*gorgonia.Node, error) {
	n, err := columns("plus", a)
	if err != nil {
		return nil, err
	}
	return apply(add{n: n}, a, b)
}

// Scale adds y = factor * x to the graph. x and y (B,N).
func Scale(x *gorgonia.Node, factor float32) (*gorgonia.Node, error) {
	return applyElementwise("scale", factor, x)
}

// Tanh adds y = tanh(x) to the graph. x and y (B,N).
func Tanh(x *gorgonia.Node) (*gorgonia.Node, error) { return applyElementwise("tanh", 0, x) }

// Sigmoid adds y = 1 / (1 + exp(-x)) to the graph. x and y (B,N).
func Sigmoid(x *gorgonia.Node) (*gorgonia.Node, error) { return applyElementwise("sigmoid", 0, x) }

func (o elementwise) Arity() int            { return o.inputs }
func (o elementwise) WriteHash(h hash.Hash) { writeHash(h, o) }
func (o elementwise) Hashcode() uint32      { return hashcode(o) }
func (o elementwise) InPlace() int          { return 0 }

func (o elementwise) Type() hm.Type {
	if o.inputs == 2 {
		return signature(matrixType, matrixType, matrixType)
	}
	return signature(matrixType, matrixType)
}

func (o elementwise) String() string {
	return fmt.Sprintf("Elementwise{%s,%d,%d,%g}", o.name, o.inputs, o.n, o.factor)
}

func (o elementwise) DiffWRT(inputs int) []bool {
	return []bool{true, true}[:inputs]
}

func (o elementwise) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	x := in[0].(tensor.Shape)
	if len(x) != 2 || x[1] != o.n || !x.Eq(in[len(in)-1].(tensor.Shape)) {
		return nil, fmt.Errorf("%v: inputs %v", o, in)
	}
	return x.Clone(), nil
}

func (o elementwise) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, in[0].Shape().Clone(), in)
}

func (o elementwise) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	n := rows * o.n
	switch o.name {
	case "mul":
		d.Mul(out, in[0], in[1], n)
	case "scale":
		d.Scale(out, in[0], n, o.factor)
	case "tanh":
		d.Tanh(out, in[0], n)
	case "tanh grad":
		d.TanhGrad(out, in[0], in[1], n)
	case "sigmoid":
		d.Sigmoid(out, in[0], n)
	case "sigmoid grad":
		d.SigmoidGrad(out, in[0], in[1], n)
	default:
		panic("op: no elementwise operation " + o.name)
	}
}

// SymDiff multiplies dy by the derivative: of a product by the other factor, of a function by what its result tells.
func (o elementwise) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var dx *gorgonia.Node
	var err error
	switch o.name {
	case "mul":
		da, err := Mul(dy, in[1])
		if err != nil {
			return nil, err
		}
		db, err := Mul(dy, in[0])
		return gorgonia.Nodes{da, db}, err
	case "scale":
		dx, err = Scale(dy, o.factor)
	case "tanh", "sigmoid":
		dx, err = applyElementwise(o.name+" grad", 0, dy, out)
	default:
		return nil, fmt.Errorf("%v is a gradient and has none", o)
	}
	return gorgonia.Nodes{dx}, err
}
