package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// linear is y = x wᵀ + b, then max(0, y) where relu is set: torch.nn.Linear, with the activation fused.
// A row may hold several tokens, each of which the layer takes by itself: x (B,T*K), w (N,K), b (N) or none, y (B,T*N).
type linear struct {
	attributes
	n, k, tokens int
	bias, relu   bool
}

// Linear adds y = x wᵀ + b to the graph, followed by ReLU where relu is set. x (B,K), w (N,K), b (N); y (B,N). b may be nil
// where relu is not set.
func Linear(x, w, b *gorgonia.Node, relu bool) (*gorgonia.Node, error) {
	return applyLinear(linear{tokens: 1, bias: b != nil, relu: relu}, x, w, b)
}

// LinearTokens adds y_t = x_t wᵀ + b, for each of the tokens of a row, to the graph. x (B,T*K), w (N,K), b (N); y (B,T*N).
func LinearTokens(x, w, b *gorgonia.Node, tokens int) (*gorgonia.Node, error) {
	return applyLinear(linear{tokens: tokens, bias: true}, x, w, b)
}

func applyLinear(o linear, x, w, b *gorgonia.Node) (*gorgonia.Node, error) {
	ws := w.Shape()
	if len(ws) != 2 {
		return nil, fmt.Errorf("linear: weight of shape %v, want (N,K)", ws)
	}
	o.n, o.k = ws[0], ws[1]
	if !o.bias {
		return apply(o, x, w)
	}
	return apply(o, x, w, b)
}

func (o linear) Arity() int {
	if o.bias {
		return 3
	}
	return 2
}

func (o linear) Type() hm.Type {
	if o.bias {
		return signature(matrixType, matrixType, vectorType, matrixType)
	}
	return signature(matrixType, matrixType, matrixType)
}

func (o linear) String() string {
	return fmt.Sprintf("Linear{%d,%d,%d,%t,%t}", o.n, o.k, o.tokens, o.bias, o.relu)
}

func (o linear) WriteHash(h hash.Hash)     { writeHash(h, o) }
func (o linear) Hashcode() uint32          { return hashcode(o) }
func (o linear) DiffWRT(inputs int) []bool { return []bool{true, true, true}[:inputs] }

func (o linear) Flops(rows int) float64 {
	return 2 * float64(rows) * float64(o.tokens) * float64(o.n) * float64(o.k)
}

func (o linear) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	x, w := in[0].(tensor.Shape), in[1].(tensor.Shape)
	if len(x) != 2 || x[1] != o.tokens*o.k || len(w) != 2 || w[0] != o.n || w[1] != o.k {
		return nil, fmt.Errorf("%v: x %v, w %v", o, x, w)
	}
	if o.bias && in[2].(tensor.Shape).TotalSize() != o.n {
		return nil, fmt.Errorf("%v: b %v", o, in[2])
	}
	return tensor.Shape{x[0], o.tokens * o.n}, nil
}

func (o linear) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{in[0].Shape()[0], o.tokens * o.n}, in)
}

func (o linear) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	var b kernel.Buffer
	if o.bias {
		b = in[2]
	}
	d.Linear(out, in[0], in[1], b, rows*o.tokens, o.n, o.k, o.relu)
}

// SymDiff gives dx = dy w, dw = dyᵀ x, db = column sums of dy, with dy masked by y > 0 first where the layer has a ReLU.
func (o linear) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	var err error
	if o.relu {
		if dy, err = apply(reluGrad{n: o.tokens * o.n}, dy, out); err != nil {
			return nil, err
		}
	}
	dx, err := apply(linearGradInput{n: o.n, k: o.k, tokens: o.tokens}, dy, in[1])
	if err != nil {
		return nil, err
	}
	dw, err := apply(linearGradWeight{n: o.n, k: o.k, tokens: o.tokens}, dy, in[0])
	if err != nil {
		return nil, err
	}
	if !o.bias {
		return gorgonia.Nodes{dx, dw}, nil
	}
	db, err := apply(sumRows{n: o.n, tokens: o.tokens}, dy)
	if err != nil {
		return nil, err
	}
	return gorgonia.Nodes{dx, dw, db}, nil
}

// linearGradInput is dx = dy w. dy (B,T*N), w (N,K), dx (B,T*K).
type linearGradInput struct {
	attributes
	n, k, tokens int
}

func (o linearGradInput) Arity() int    { return 2 }
func (o linearGradInput) Type() hm.Type { return signature(matrixType, matrixType, matrixType) }
func (o linearGradInput) String() string {
	return fmt.Sprintf("LinearGradInput{%d,%d,%d}", o.n, o.k, o.tokens)
}
func (o linearGradInput) WriteHash(h hash.Hash) { writeHash(h, o) }
func (o linearGradInput) Hashcode() uint32      { return hashcode(o) }

func (o linearGradInput) Flops(rows int) float64 {
	return 2 * float64(rows) * float64(o.tokens) * float64(o.n) * float64(o.k)
}

func (o linearGradInput) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	dy, w := in[0].(tensor.Shape), in[1].(tensor.Shape)
	if len(dy) != 2 || dy[1] != o.tokens*o.n || len(w) != 2 || w[0] != o.n || w[1] != o.k {
		return nil, fmt.Errorf("%v: dy %v, w %v", o, dy, w)
	}
	return tensor.Shape{dy[0], o.tokens * o.k}, nil
}

func (o linearGradInput) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{in[0].Shape()[0], o.tokens * o.k}, in)
}

func (o linearGradInput) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.LinearGradInput(out, in[0], in[1], rows*o.tokens, o.n, o.k)
}

// linearGradWeight is dw = dyᵀ x, over all tokens. dy (B,T*N), x (B,T*K), dw (N,K).
type linearGradWeight struct {
	attributes
	n, k, tokens int
}

func (o linearGradWeight) Arity() int    { return 2 }
func (o linearGradWeight) Type() hm.Type { return signature(matrixType, matrixType, matrixType) }
func (o linearGradWeight) String() string {
	return fmt.Sprintf("LinearGradWeight{%d,%d,%d}", o.n, o.k, o.tokens)
}
func (o linearGradWeight) WriteHash(h hash.Hash)  { writeHash(h, o) }
func (o linearGradWeight) Hashcode() uint32       { return hashcode(o) }
func (o linearGradWeight) Batched(in []bool) bool { return false }

func (o linearGradWeight) Flops(rows int) float64 {
	return 2 * float64(rows) * float64(o.tokens) * float64(o.n) * float64(o.k)
}

func (o linearGradWeight) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	dy, x := in[0].(tensor.Shape), in[1].(tensor.Shape)
	if len(dy) != 2 || len(x) != 2 || dy[0] != x[0] || dy[1] != o.tokens*o.n || x[1] != o.tokens*o.k {
		return nil, fmt.Errorf("%v: dy %v, x %v", o, dy, x)
	}
	return tensor.Shape{o.n, o.k}, nil
}

func (o linearGradWeight) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{o.n, o.k}, in)
}

func (o linearGradWeight) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.LinearGradWeight(out, in[0], in[1], rows*o.tokens, o.n, o.k)
}

// sumRows is the column sums of its input, the gradient of a bias. x (B,T*N), y (N).
type sumRows struct {
	attributes
	n, tokens int
}

func (o sumRows) Arity() int             { return 1 }
func (o sumRows) Type() hm.Type          { return signature(matrixType, vectorType) }
func (o sumRows) String() string         { return fmt.Sprintf("SumRows{%d,%d}", o.n, o.tokens) }
func (o sumRows) WriteHash(h hash.Hash)  { writeHash(h, o) }
func (o sumRows) Hashcode() uint32       { return hashcode(o) }
func (o sumRows) Batched(in []bool) bool { return false }

func (o sumRows) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	if x := in[0].(tensor.Shape); len(x) != 2 || x[1] != o.tokens*o.n {
		return nil, fmt.Errorf("%v: x %v", o, x)
	}
	return tensor.Shape{o.n}, nil
}

func (o sumRows) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{o.n}, in)
}

func (o sumRows) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.SumRows(out, in[0], rows*o.tokens, o.n)
}

// reluGrad is dx = dy where y > 0, else 0. dy, y and dx (B,N).
type reluGrad struct {
	attributes
	n int
}

func (o reluGrad) Arity() int            { return 2 }
func (o reluGrad) Type() hm.Type         { return signature(matrixType, matrixType, matrixType) }
func (o reluGrad) String() string        { return fmt.Sprintf("ReLUGrad{%d}", o.n) }
func (o reluGrad) WriteHash(h hash.Hash) { writeHash(h, o) }
func (o reluGrad) Hashcode() uint32      { return hashcode(o) }
func (o reluGrad) InPlace() int          { return 0 }

func (o reluGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	dy, y := in[0].(tensor.Shape), in[1].(tensor.Shape)
	if len(dy) != 2 || dy[1] != o.n || !dy.Eq(y) {
		return nil, fmt.Errorf("%v: dy %v, y %v", o, dy, y)
	}
	return dy.Clone(), nil
}

func (o reluGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, in[0].Shape().Clone(), in)
}

func (o reluGrad) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.ReLUGrad(out, in[0], in[1], rows*o.n)
}
