package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// Norm is the leaves of a batch normalisation of C channels. Gamma and Beta, (C), are trained. Running, (2,C), holds the
// running mean and variance, and is moved by every run. Batch, (2,C), is scratch for the minibatch's mean and inverse
// deviation; Grad, (2,C), for the gradients of gamma and beta. What is scratch must be bound to memory of its own.
type Norm struct{ Gamma, Beta, RunningMean, RunningVar, Batch, Grad *gorgonia.Node }

// batchNorm is torch.nn.functional.batch_norm in training, then the residual added where there is one, then ReLU where relu
// is set. x (B,T*C*H*W), gamma, beta, running mean and variance (C), batch (2,C), grad (2,C), residual as x; y as x.
type batchNorm struct {
	attributes
	image          kernel.Image
	frames         int
	step           kernel.NormStep
	residual, relu bool
}

// BatchNorm adds a batch normalisation in training, plus residual, which may be nil, followed by ReLU where relu is set.
func BatchNorm(x Maps, p Norm, step kernel.NormStep, residual *Maps, relu bool) (Maps, error) {
	o := batchNorm{image: x.Image, frames: x.Frames, step: step, residual: residual != nil, relu: relu}
	in := []*gorgonia.Node{x.Node, p.Gamma, p.Beta, p.RunningMean, p.RunningVar, p.Batch, p.Grad}
	if residual != nil {
		in = append(in, residual.Node)
	}
	n, err := apply(o, in...)
	return x.like(n, x.Image), err
}

func (o batchNorm) Arity() int {
	if o.residual {
		return 8
	}
	return 7
}

func (o batchNorm) Type() hm.Type {
	if o.residual {
		return signature(matrixType, vectorType, vectorType, vectorType, vectorType, matrixType, matrixType, matrixType, matrixType)
	}
	return signature(matrixType, vectorType, vectorType, vectorType, vectorType, matrixType, matrixType, matrixType)
}

// InPlace lets y take the residual's memory: x is needed for the gradient.
func (o batchNorm) InPlace() int {
	if o.residual {
		return 7
	}
	return -1
}

func (o batchNorm) String() string {
	return fmt.Sprintf("BatchNorm{%+v,%d,%v,%t,%t}", o.image, o.frames, o.step, o.residual, o.relu)
}
func (o batchNorm) WriteHash(h hash.Hash) { writeHash(h, o) }
func (o batchNorm) Hashcode() uint32      { return hashcode(o) }
func (o batchNorm) Mutates() []int        { return []int{3, 4, 5} }
func (o batchNorm) size() int             { return o.frames * o.image.Size() }

func (o batchNorm) DiffWRT(inputs int) []bool {
	return []bool{true, true, true, false, false, false, false, true}[:inputs]
}

func (o batchNorm) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	for i, what := range []string{"gamma", "beta", "running mean", "running variance"} {
		if err := sized(o, in[1+i], what, o.image.C); err != nil {
			return nil, err
		}
	}
	if o.residual {
		if _, err := batched(o, in[7], o.size(), 0); err != nil {
			return nil, err
		}
	}
	for i, what := range []string{"batch", "grad"} {
		if err := sized(o, in[5+i], what, 2*o.image.C); err != nil {
			return nil, err
		}
	}
	return batched(o, in[0], o.size(), o.size())
}

func (o batchNorm) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, in[0].Shape().Clone(), in)
}

func (o batchNorm) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	o.Bind(in).Run(d, rows, out, in)
}

// Bind is Binder's.
func (o batchNorm) Bind(in []kernel.Buffer) Op {
	p := kernel.Norm{Gamma: in[1], Beta: in[2], RunningMean: in[3], RunningVar: in[4]}
	p.Mean, p.InvStd = halves(in[5], o.image.C)
	return boundNorm{o, p}
}

// halves returns the rows of a (2,c) matrix.
func halves(b kernel.Buffer, c int) (first, second kernel.Buffer) {
	return b.Slice(0, c), b.Slice(c, 2*c)
}

// boundNorm is batchNorm on its buffers.
type boundNorm struct {
	batchNorm
	norm kernel.Norm
}

func (o boundNorm) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	var residual kernel.Buffer
	if o.residual {
		residual = in[7]
	}
	d.BatchNorm(out, in[0], residual, o.norm, rows*o.frames, o.image, o.step, o.relu)
}

// SymDiff gives the gradients of x, gamma and beta. One kernel computes all three: it writes the latter two to the scratch
// grad, from which they are copied after it. The residual's is dy where the activation let it through, and x's follows from that.
func (o batchNorm) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	backward := o
	if o.residual && o.relu {
		var err error
		if dy, err = apply(reluGrad{n: o.size()}, dy, out); err != nil {
			return nil, err
		}
		backward.relu = false
	}
	backward.residual = false
	dx, err := apply(batchNormGrad{backward}, dy, in[0], out, in[1], in[2], in[5], in[6])
	if err != nil {
		return nil, err
	}
	grads := gorgonia.Nodes{dx, nil, nil, nil, nil, nil, nil}
	for i := range 2 {
		if grads[1+i], err = apply(afterRow{row: i, n: o.image.C}, dx, in[6]); err != nil {
			return nil, err
		}
	}
	if o.residual {
		grads = append(grads, dy)
	}
	return grads, nil
}

// batchNormGrad is the gradient of a batch normalisation's input; it writes those of gamma and beta to grad.
// dy, x, y (B,T*C*H*W; for the order only), gamma, beta (C), batch (2,C), grad (2,C); dx as x.
type batchNormGrad struct{ batchNorm }

func (o batchNormGrad) Arity() int { return 7 }
func (o batchNormGrad) Type() hm.Type {
	return signature(matrixType, matrixType, matrixType, vectorType, vectorType, matrixType, matrixType, matrixType)
}
func (o batchNormGrad) String() string        { return "Grad" + o.batchNorm.String() }
func (o batchNormGrad) WriteHash(h hash.Hash) { writeHash(h, o) }
func (o batchNormGrad) Hashcode() uint32      { return hashcode(o) }
func (o batchNormGrad) Mutates() []int        { return []int{6} }
func (o batchNormGrad) OrderOnly() []int      { return []int{2} }
func (o batchNormGrad) InPlace() int          { return 0 }

func (o batchNormGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	return batched(o, in[0], o.size(), o.size())
}

func (o batchNormGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, in[0].Shape().Clone(), in)
}

func (o batchNormGrad) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	o.Bind(in).Run(d, rows, out, in)
}

// Bind is Binder's.
func (o batchNormGrad) Bind(in []kernel.Buffer) Op {
	b := boundNormGrad{batchNormGrad: o, norm: kernel.Norm{Gamma: in[3], Beta: in[4]}}
	b.norm.Mean, b.norm.InvStd = halves(in[5], o.image.C)
	b.dgamma, b.dbeta = halves(in[6], o.image.C)
	return b
}

// boundNormGrad is batchNormGrad on its buffers.
type boundNormGrad struct {
	batchNormGrad
	norm          kernel.Norm
	dgamma, dbeta kernel.Buffer
}

func (o boundNormGrad) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.BatchNormGrad(out, nil, o.dgamma, o.dbeta, in[0], in[1], in[2], o.norm, rows*o.frames, o.image, o.relu)
}

// afterRow is a row of a scratch matrix, once what writes it has run. after is what writes it, scratch (R,n); y (n).
type afterRow struct {
	attributes
	row, n int
}

func (o afterRow) Arity() int             { return 2 }
func (o afterRow) Type() hm.Type          { return signature(matrixType, matrixType, vectorType) }
func (o afterRow) String() string         { return fmt.Sprintf("AfterRow{%d,%d}", o.row, o.n) }
func (o afterRow) WriteHash(h hash.Hash)  { writeHash(h, o) }
func (o afterRow) Hashcode() uint32       { return hashcode(o) }
func (o afterRow) Batched(in []bool) bool { return false }

func (o afterRow) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	if s := in[1].(tensor.Shape); len(s) != 2 || s[1] != o.n || s[0] <= o.row {
		return nil, fmt.Errorf("%v: scratch of shape %v", o, s)
	}
	return tensor.Shape{o.n}, nil
}

func (o afterRow) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{o.n}, in)
}

func (o afterRow) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	o.Bind(in).Run(d, rows, out, in)
}

// Bind is Binder's.
func (o afterRow) Bind(in []kernel.Buffer) Op {
	return boundRow{o, in[1].Slice(o.row*o.n, (o.row+1)*o.n)}
}

// boundRow is afterRow on its buffers.
type boundRow struct {
	afterRow
	from kernel.Buffer
}

func (o boundRow) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.Copy(out, o.from, o.n)
}
