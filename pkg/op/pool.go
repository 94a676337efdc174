package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// maxPool is torch.nn.functional.max_pool2d. x (B,T*In), index scratch for the places of the maxima; y (B,T*Out).
type maxPool struct {
	attributes
	shape  kernel.Pool
	frames int
}

// MaxPool adds a max pooling to the graph. index is a matrix (B, MaxPoolIndex) bound to memory of its own.
func MaxPool(x Maps, index *gorgonia.Node, window kernel.Window) (Maps, error) {
	o := maxPool{shape: kernel.Pool{In: x.Image, Window: window}, frames: x.Frames}
	if err := o.shape.Check(); err != nil {
		return Maps{}, err
	}
	n, err := apply(o, x.Node, index)
	return x.like(n, o.shape.Out()), err
}

// MaxPoolIndex returns the number of elements a row that the places of the maxima take.
func MaxPoolIndex(x Maps, window kernel.Window) int {
	return kernel.Pool{In: x.Image, Window: window}.Indices(x.Frames)
}

func (o maxPool) Arity() int                { return 2 }
func (o maxPool) Type() hm.Type             { return signature(matrixType, matrixType, matrixType) }
func (o maxPool) String() string            { return fmt.Sprintf("MaxPool{%+v,%d}", o.shape, o.frames) }
func (o maxPool) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o maxPool) Hashcode() uint32          { return hashcode(o) }
func (o maxPool) Mutates() []int            { return []int{1} }
func (o maxPool) DiffWRT(inputs int) []bool { return []bool{true, false} }
func (o maxPool) in() int                   { return o.frames * o.shape.In.Size() }
func (o maxPool) out() int                  { return o.frames * o.shape.Out().Size() }

func (o maxPool) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	if s := in[1].(tensor.Shape); len(s) != 2 || s[1] < o.shape.Indices(o.frames) {
		return nil, fmt.Errorf("%v: index of shape %v, want (B,%d)", o, s, o.shape.Indices(o.frames))
	}
	return batched(o, in[0], o.in(), o.out())
}

func (o maxPool) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{in[0].Shape()[0], o.out()}, in)
}

func (o maxPool) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.MaxPool(out, in[1], in[0], rows*o.frames, o.shape)
}

// SymDiff gives the gradient of x: dy at the places of the maxima.
func (o maxPool) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	// out orders the gradient after the pooling that fills the index.
	dx, err := apply(maxPoolGrad{o}, dy, in[1], out)
	return gorgonia.Nodes{dx, nil}, err
}

// maxPoolGrad is the gradient of a max pooling's input. dy (B,T*Out), index, y (for the order only); dx (B,T*In).
type maxPoolGrad struct{ maxPool }

func (o maxPoolGrad) Arity() int { return 3 }
func (o maxPoolGrad) Type() hm.Type {
	return signature(matrixType, matrixType, matrixType, matrixType)
}
func (o maxPoolGrad) String() string        { return "Grad" + o.maxPool.String() }
func (o maxPoolGrad) WriteHash(h hash.Hash) { writeHash(h, o) }
func (o maxPoolGrad) Hashcode() uint32      { return hashcode(o) }
func (o maxPoolGrad) Mutates() []int        { return nil }
func (o maxPoolGrad) OrderOnly() []int      { return []int{2} }

func (o maxPoolGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return batched(o, in[0], o.out(), o.in())
}

func (o maxPoolGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{in[0].Shape()[0], o.in()}, in)
}

func (o maxPoolGrad) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.MaxPoolGrad(out, in[0], in[1], rows*o.frames, o.shape)
}

// averagePool is the mean over the pixels of all frames: global average pooling, then the mean over time.
// x (B,T*C*H*W), y (B,C).
type averagePool struct {
	attributes
	image  kernel.Image
	frames int
	grad   bool // the gradient: dy (B,C), dx (B,T*C*H*W)
}

// AveragePool adds the mean over pixels and frames to the graph. It returns a matrix (B,C).
func AveragePool(x Maps) (*gorgonia.Node, error) {
	return apply(averagePool{image: x.Image, frames: x.Frames}, x.Node)
}

func (o averagePool) Arity() int    { return 1 }
func (o averagePool) Type() hm.Type { return signature(matrixType, matrixType) }
func (o averagePool) String() string {
	return fmt.Sprintf("AveragePool{%+v,%d,%t}", o.image, o.frames, o.grad)
}
func (o averagePool) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o averagePool) Hashcode() uint32          { return hashcode(o) }
func (o averagePool) DiffWRT(inputs int) []bool { return []bool{true} }

// sizes returns the columns of the input and of the result.
func (o averagePool) sizes() (in, out int) {
	if o.grad {
		return o.image.C, o.frames * o.image.Size()
	}
	return o.frames * o.image.Size(), o.image.C
}

func (o averagePool) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	from, to := o.sizes()
	return batched(o, in[0], from, to)
}

func (o averagePool) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	_, to := o.sizes()
	return do(o, tensor.Shape{in[0].Shape()[0], to}, in)
}

func (o averagePool) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	if o.grad {
		d.AveragePoolGrad(out, in[0], rows, o.frames, o.image)
		return
	}
	d.AveragePool(out, in[0], rows, o.frames, o.image)
}

// SymDiff spreads dy evenly over pixels and frames.
func (o averagePool) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	o.grad = true
	dx, err := apply(o, dy)
	return gorgonia.Nodes{dx}, err
}
