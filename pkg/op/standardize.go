package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// standardize is y = (x - mean) * scale. It stands before a backbone, on data, and passes no gradient.
type standardize struct {
	attributes
	n      int // of mean and scale
	pixels int // consecutive elements of a row that share a mean and a scale
	frames int // times that a row runs through all means
}

// Standardize adds y = (x - mean) * scale to the graph. x, y (B,N); mean, scale (C), where N is a multiple of
// C * pixels: pixels consecutive elements share one, and after the last the first comes again. With pixels 1 and C = N that
// is column by column; with the pixels of an image, channel by channel of every frame. It is for input data: no gradient
// flows through it.
func Standardize(x, mean, scale *gorgonia.Node, pixels int) (*gorgonia.Node, error) {
	shape, n := x.Shape(), mean.Shape().TotalSize()
	if len(shape) != 2 || shape[1]%(n*pixels) != 0 {
		return nil, fmt.Errorf("standardize: x of shape %v for %d means of %d elements", shape, n, pixels)
	}
	return apply(standardize{n: n, pixels: pixels, frames: shape[1] / (n * pixels)}, x, mean, scale)
}

func (o standardize) Arity() int    { return 3 }
func (o standardize) Type() hm.Type { return signature(matrixType, vectorType, vectorType, matrixType) }
func (o standardize) String() string {
	return fmt.Sprintf("Standardize{%d,%d,%d}", o.n, o.pixels, o.frames)
}
func (o standardize) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o standardize) Hashcode() uint32          { return hashcode(o) }
func (o standardize) DiffWRT(inputs int) []bool { return []bool{false, false, false} }

func (o standardize) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	x, mean, scale := in[0].(tensor.Shape), in[1].(tensor.Shape), in[2].(tensor.Shape)
	if len(x) != 2 || x[1] != o.n*o.pixels*o.frames || mean.TotalSize() != o.n || scale.TotalSize() != o.n {
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
	d.Standardize(out, in[0], in[1], in[2], rows*o.frames, o.n, o.pixels)
}
