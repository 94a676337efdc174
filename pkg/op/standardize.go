package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// standardize is y = (x - mean) * scale, column by column. It stands before a backbone, on data, and passes no gradient.
type standardize struct {
	attributes
	n int
}

// Standardize adds y = (x - mean) * scale to the graph. x, y (B,N); mean, scale (N). It is for input data: no gradient
// flows through it.
func Standardize(x, mean, scale *gorgonia.Node) (*gorgonia.Node, error) {
	shape := x.Shape()
	if len(shape) != 2 {
		return nil, fmt.Errorf("standardize: x of shape %v, want (B,N)", shape)
	}
	return apply(standardize{n: shape[1]}, x, mean, scale)
}

func (o standardize) Arity() int                { return 3 }
func (o standardize) Type() hm.Type             { return signature(matrixType, vectorType, vectorType, matrixType) }
func (o standardize) String() string            { return fmt.Sprintf("Standardize{%d}", o.n) }
func (o standardize) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o standardize) Hashcode() uint32          { return hashcode(o) }
func (o standardize) DiffWRT(inputs int) []bool { return []bool{false, false, false} }

func (o standardize) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	x, mean, scale := in[0].(tensor.Shape), in[1].(tensor.Shape), in[2].(tensor.Shape)
	if len(x) != 2 || x[1] != o.n || mean.TotalSize() != o.n || scale.TotalSize() != o.n {
		return nil, fmt.Errorf("%v: x %v, mean %v, scale %v", o, x, mean, scale)
	}
	return x.Clone(), nil
}

func (o standardize) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{nil, nil, nil}, nil
}

func (o standardize) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, in[0].Shape().Clone(), in)
}

func (o standardize) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.Standardize(out, in[0], in[1], in[2], rows, o.n)
}
