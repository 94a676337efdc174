package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// arrange lays plain feature maps, (B,T*C*H*W), out as kernel.Image says. It stands before a backbone, on data.
type arrange struct {
	attributes
	image  kernel.Image
	frames int
}

// Arrange adds the layout of plain feature maps to the graph, for maps of 16 channels and their multiples. It is for input
// data: no gradient flows through it.
func Arrange(x Maps) (Maps, error) {
	n, err := apply(arrange{image: x.Image, frames: x.Frames}, x.Node)
	return x.like(n, x.Image), err
}

func (o arrange) Arity() int                { return 1 }
func (o arrange) Type() hm.Type             { return signature(matrixType, matrixType) }
func (o arrange) String() string            { return fmt.Sprintf("Arrange{%+v,%d}", o.image, o.frames) }
func (o arrange) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o arrange) Hashcode() uint32          { return hashcode(o) }
func (o arrange) DiffWRT(inputs int) []bool { return []bool{false} }

func (o arrange) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return batched(o, in[0], o.frames*o.image.Size(), o.frames*o.image.Size())
}

func (o arrange) SymDiff(gorgonia.Nodes, *gorgonia.Node, *gorgonia.Node) (gorgonia.Nodes, error) {
	return gorgonia.Nodes{nil}, nil
}

func (o arrange) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, in[0].Shape().Clone(), in)
}

func (o arrange) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.Arrange(out, in[0], rows*o.frames, o.image)
}
