package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// attend is attention among the present tokens of each row; see kernel.Tokens for the formula. qkv (B,T*3*W), keep (B,T),
// y (B,T*W).
type attend struct {
	attributes
	shape kernel.Attention
	grad  bool // the gradient: qkv, keep, dy (B,T*W), dqkv (B,T*3*W)
}

// Attend adds scaled dot-product attention of several heads, among the present tokens of each row, to the graph (Vaswani et
// al. 2017, equation 1). qkv (B,T*3*W) is query, key and value of each token, keep (B,T); y (B,T*W), zeros at absent tokens.
func Attend(qkv, keep *gorgonia.Node, shape kernel.Attention) (*gorgonia.Node, error) {
	if err := shape.Check(); err != nil {
		return nil, err
	}
	return apply(attend{shape: shape}, qkv, keep)
}

func (o attend) Arity() int {
	if o.grad {
		return 3
	}
	return 2
}

func (o attend) Type() hm.Type {
	if o.grad {
		return signature(matrixType, matrixType, matrixType, matrixType)
	}
	return signature(matrixType, matrixType, matrixType)
}

func (o attend) String() string            { return fmt.Sprintf("Attend{%+v,%t}", o.shape, o.grad) }
func (o attend) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o attend) Hashcode() uint32          { return hashcode(o) }
func (o attend) DiffWRT(inputs int) []bool { return []bool{!o.grad, false, false}[:inputs] }

func (o attend) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	size := o.shape.Tokens * o.shape.Width
	if _, err := batched(o, in[1], o.shape.Tokens, 0); err != nil {
		return nil, err
	}
	if err := sameRows(o, in); err != nil {
		return nil, err
	}
	if !o.grad {
		return batched(o, in[0], 3*size, size)
	}
	if _, err := batched(o, in[2], size, 0); err != nil {
		return nil, err
	}
	return batched(o, in[0], 3*size, 3*size)
}

func (o attend) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	shape := tensor.Shape{in[0].Shape()[0], o.shape.Tokens * o.shape.Width}
	if o.grad {
		shape[1] *= 3
	}
	return do(o, shape, in)
}

func (o attend) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	if o.grad {
		d.AttendGrad(out, in[2], in[0], in[1], rows, o.shape)
		return
	}
	d.Attend(out, in[0], in[1], rows, o.shape)
}

// SymDiff gives the gradient of query, key and value, which computes the weights again; the mask has none.
func (o attend) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	if o.grad {
		return nil, fmt.Errorf("%v is a gradient and has none", o)
	}
	o.grad = true
	dqkv, err := apply(o, in[0], in[1], dy)
	return gorgonia.Nodes{dqkv, nil}, err
}

// maskedMean is the mean over the present tokens of each row. x (B,T*N), keep (B,T), y (B,N).
type maskedMean struct {
	attributes
	tokens, n int
	grad      bool // the gradient: dy (B,N), keep, dx (B,T*N)
}

// MaskedMean adds the mean over the present tokens of each row, zeros where there is none, to the graph. x (B,T*N),
// keep (B,T); y (B,N).
func MaskedMean(x, keep *gorgonia.Node, tokens int) (*gorgonia.Node, error) {
	n, err := columns("masked mean", x)
	if err != nil {
		return nil, err
	}
	if tokens < 1 || n%tokens != 0 {
		return nil, fmt.Errorf("masked mean: %d columns for %d tokens", n, tokens)
	}
	return apply(maskedMean{tokens: tokens, n: n / tokens}, x, keep)
}

func (o maskedMean) Arity() int    { return 2 }
func (o maskedMean) Type() hm.Type { return signature(matrixType, matrixType, matrixType) }
func (o maskedMean) String() string {
	return fmt.Sprintf("MaskedMean{%d,%d,%t}", o.tokens, o.n, o.grad)
}
func (o maskedMean) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o maskedMean) Hashcode() uint32          { return hashcode(o) }
func (o maskedMean) DiffWRT(inputs int) []bool { return []bool{!o.grad, false} }

// sizes returns the columns of the first input and of the result.
func (o maskedMean) sizes() (in, out int) {
	if o.grad {
		return o.n, o.tokens * o.n
	}
	return o.tokens * o.n, o.n
}

func (o maskedMean) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	if _, err := batched(o, in[1], o.tokens, 0); err != nil {
		return nil, err
	}
	if err := sameRows(o, in); err != nil {
		return nil, err
	}
	from, to := o.sizes()
	return batched(o, in[0], from, to)
}

func (o maskedMean) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	_, to := o.sizes()
	return do(o, tensor.Shape{in[0].Shape()[0], to}, in)
}

func (o maskedMean) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	if o.grad {
		d.MaskedMeanGrad(out, in[0], in[1], rows, o.tokens, o.n)
		return
	}
	d.MaskedMean(out, in[0], in[1], rows, o.tokens, o.n)
}

// SymDiff spreads dy evenly over the present tokens; the mask has no gradient.
func (o maskedMean) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	o.grad = true
	dx, err := apply(o, dy, in[1])
	return gorgonia.Nodes{dx, nil}, err
}
