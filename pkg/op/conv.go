package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// conv is y = x * w: torch.nn.functional.conv2d without bias. x (B,T*In), w (K,C,KH,KW), y (B,T*Out).
type conv struct {
	attributes
	shape  kernel.Conv
	frames int
}

// Conv adds a convolution to k channels to the graph. w (k,C,KH,KW).
func Conv(x Maps, w *gorgonia.Node, k int, window kernel.Window) (Maps, error) {
	o := conv{shape: kernel.Conv{In: x.Image, K: k, Window: window}, frames: x.Frames}
	if err := o.shape.Check(); err != nil {
		return Maps{}, err
	}
	n, err := apply(o, x.Node, w)
	return x.like(n, o.shape.Out()), err
}

func (o conv) Arity() int                { return 2 }
func (o conv) Type() hm.Type             { return signature(matrixType, weightType, matrixType) }
func (o conv) String() string            { return fmt.Sprintf("Conv{%+v,%d}", o.shape, o.frames) }
func (o conv) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o conv) Hashcode() uint32          { return hashcode(o) }
func (o conv) DiffWRT(inputs int) []bool { return []bool{true, true} }
func (o conv) Flops(rows int) float64    { return o.shape.Flops(rows * o.frames) }
func (o conv) in() int                   { return o.frames * o.shape.In.Size() }
func (o conv) out() int                  { return o.frames * o.shape.Out().Size() }

func (o conv) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	if err := sized(o, in[1], "weight", o.shape.Weights()); err != nil {
		return nil, err
	}
	return batched(o, in[0], o.in(), o.out())
}

func (o conv) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{in[0].Shape()[0], o.out()}, in)
}

func (o conv) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.Conv(out, in[0], in[1], rows*o.frames, o.shape)
}

// SymDiff gives the gradients of x and w.
func (o conv) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	dx, err := apply(convGradInput{o}, dy, in[1])
	if err != nil {
		return nil, err
	}
	dw, err := apply(convGradWeight{o}, dy, in[0])
	if err != nil {
		return nil, err
	}
	return gorgonia.Nodes{dx, dw}, nil
}

// convGradInput is the gradient of a convolution's input. dy (B,T*Out), w (K,C,KH,KW), dx (B,T*In).
type convGradInput struct{ conv }

func (o convGradInput) String() string {
	return fmt.Sprintf("ConvGradInput{%+v,%d}", o.shape, o.frames)
}
func (o convGradInput) WriteHash(h hash.Hash) { writeHash(h, o) }
func (o convGradInput) Hashcode() uint32      { return hashcode(o) }

func (o convGradInput) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	if err := sized(o, in[1], "weight", o.shape.Weights()); err != nil {
		return nil, err
	}
	return batched(o, in[0], o.out(), o.in())
}

func (o convGradInput) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{in[0].Shape()[0], o.in()}, in)
}

func (o convGradInput) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.ConvGradInput(out, in[0], in[1], rows*o.frames, o.shape)
}

// convGradWeight is the gradient of a convolution's weights. dy (B,T*Out), x (B,T*In), dw (K,C,KH,KW).
type convGradWeight struct{ conv }

func (o convGradWeight) Type() hm.Type { return signature(matrixType, matrixType, weightType) }
func (o convGradWeight) String() string {
	return fmt.Sprintf("ConvGradWeight{%+v,%d}", o.shape, o.frames)
}
func (o convGradWeight) WriteHash(h hash.Hash)  { writeHash(h, o) }
func (o convGradWeight) Hashcode() uint32       { return hashcode(o) }
func (o convGradWeight) Batched(in []bool) bool { return false }

func (o convGradWeight) shapeOut() tensor.Shape {
	return tensor.Shape{o.shape.K, o.shape.In.C, o.shape.KH, o.shape.KW}
}

func (o convGradWeight) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	if _, err := batched(o, in[0], o.out(), 0); err != nil {
		return nil, err
	}
	if _, err := batched(o, in[1], o.in(), 0); err != nil {
		return nil, err
	}
	return o.shapeOut(), nil
}

func (o convGradWeight) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, o.shapeOut(), in)
}

func (o convGradWeight) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.ConvGradWeight(out, in[0], in[1], rows*o.frames, o.shape)
}

// convAffine is a convolution of an evaluation: batch normalisation folded to scale and shift, a residual, ReLU. The
// residual, (B,T*Out), is the last input where there is one. It has no gradient.
type convAffine struct {
	conv
	residual, relu bool
}

// ConvAffine adds y = scale_k (x * w) + shift_k + residual, and max(0, y) where relu is set, to the graph; residual may be
// nil. scale, shift (k).
func ConvAffine(x Maps, w, scale, shift *gorgonia.Node, residual *Maps, k int, window kernel.Window, relu bool) (Maps, error) {
	o := convAffine{conv: conv{shape: kernel.Conv{In: x.Image, K: k, Window: window}, frames: x.Frames}, residual: residual != nil, relu: relu}
	if err := o.shape.Check(); err != nil {
		return Maps{}, err
	}
	in := []*gorgonia.Node{x.Node, w, scale, shift}
	if residual != nil {
		in = append(in, residual.Node)
	}
	n, err := apply(o, in...)
	return x.like(n, o.shape.Out()), err
}

func (o convAffine) Arity() int {
	if o.residual {
		return 5
	}
	return 4
}

func (o convAffine) Type() hm.Type {
	if o.residual {
		return signature(matrixType, weightType, vectorType, vectorType, matrixType, matrixType)
	}
	return signature(matrixType, weightType, vectorType, vectorType, matrixType)
}

func (o convAffine) String() string {
	return fmt.Sprintf("ConvAffine{%+v,%d,%t,%t}", o.shape, o.frames, o.residual, o.relu)
}
func (o convAffine) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o convAffine) Hashcode() uint32          { return hashcode(o) }
func (o convAffine) DiffWRT(inputs int) []bool { return make([]bool, inputs) }

// InPlace lets y take the residual's memory: the sum is then made where it lies.
func (o convAffine) InPlace() int {
	if o.residual {
		return 4
	}
	return -1
}

func (o convAffine) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	for i, what := range []string{"scale", "shift"} {
		if err := sized(o, in[2+i], what, o.shape.K); err != nil {
			return nil, err
		}
	}
	if o.residual {
		if _, err := batched(o, in[4], o.out(), 0); err != nil {
			return nil, err
		}
	}
	return o.conv.InferShape(in...)
}

func (o convAffine) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{in[0].Shape()[0], o.out()}, in)
}

func (o convAffine) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	return nil, fmt.Errorf("%v is for evaluation and has no gradient", o)
}

func (o convAffine) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	var residual kernel.Buffer
	if o.residual {
		residual = in[4]
	}
	d.ConvAffine(out, in[0], in[1], in[2], in[3], residual, rows*o.frames, o.shape, o.relu)
}
