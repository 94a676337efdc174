package op

import (
	"fmt"
	"hash"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// softmaxCrossEntropy is the mean over rows of weight times cross-entropy; see kernel.Loss for the formula.
// logits (B,C), label (B), weight (B); a scalar.
type softmaxCrossEntropy struct {
	attributes
	c int
}

// SoftmaxCrossEntropy adds the weighted softmax cross-entropy, a scalar, to the graph. logits (B,C); label (B), class
// indices held as float32; weight (B). It has no gradient to label and weight.
func SoftmaxCrossEntropy(logits, label, weight *gorgonia.Node) (*gorgonia.Node, error) {
	shape := logits.Shape()
	if len(shape) != 2 {
		return nil, fmt.Errorf("softmax cross-entropy: logits of shape %v, want (B,C)", shape)
	}
	return apply(softmaxCrossEntropy{c: shape[1]}, logits, label, weight)
}

func (o softmaxCrossEntropy) Arity() int { return 3 }
func (o softmaxCrossEntropy) Type() hm.Type {
	return signature(matrixType, vectorType, vectorType, scalarType)
}
func (o softmaxCrossEntropy) String() string         { return fmt.Sprintf("SoftmaxCrossEntropy{%d}", o.c) }
func (o softmaxCrossEntropy) WriteHash(h hash.Hash)  { writeHash(h, o) }
func (o softmaxCrossEntropy) Hashcode() uint32       { return hashcode(o) }
func (o softmaxCrossEntropy) Batched(in []bool) bool { return false }

func (o softmaxCrossEntropy) DiffWRT(inputs int) []bool { return []bool{true, false, false} }

func (o softmaxCrossEntropy) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	if err := o.check(in); err != nil {
		return nil, err
	}
	return tensor.ScalarShape(), nil
}

func (o softmaxCrossEntropy) check(in []gorgonia.DimSizer) error {
	logits, label, weight := in[0].(tensor.Shape), in[1].(tensor.Shape), in[2].(tensor.Shape)
	if len(logits) != 2 || logits[1] != o.c || label.TotalSize() != logits[0] || weight.TotalSize() != logits[0] {
		return fmt.Errorf("%v: logits %v, label %v, weight %v", o, logits, label, weight)
	}
	return nil
}

func (o softmaxCrossEntropy) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.ScalarShape(), in)
}

func (o softmaxCrossEntropy) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.SoftmaxCrossEntropy(out, in[0], in[1], in[2], rows, o.c)
}

// SymDiff gives dlogits = upstream * weight / B * (softmax - onehot).
func (o softmaxCrossEntropy) SymDiff(in gorgonia.Nodes, out, grad *gorgonia.Node) (gorgonia.Nodes, error) {
	dlogits, err := apply(softmaxCrossEntropyGrad{c: o.c}, in[0], in[1], in[2], grad)
	if err != nil {
		return nil, err
	}
	return gorgonia.Nodes{dlogits, nil, nil}, nil
}

// softmaxCrossEntropyGrad is the gradient to the logits. logits (B,C), label (B), weight (B), upstream scalar; (B,C).
type softmaxCrossEntropyGrad struct {
	attributes
	c int
}

func (o softmaxCrossEntropyGrad) Arity() int { return 4 }
func (o softmaxCrossEntropyGrad) Type() hm.Type {
	return signature(matrixType, vectorType, vectorType, scalarType, matrixType)
}
func (o softmaxCrossEntropyGrad) String() string {
	return fmt.Sprintf("SoftmaxCrossEntropyGrad{%d}", o.c)
}
func (o softmaxCrossEntropyGrad) WriteHash(h hash.Hash) { writeHash(h, o) }
func (o softmaxCrossEntropyGrad) Hashcode() uint32      { return hashcode(o) }

func (o softmaxCrossEntropyGrad) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	if err := (softmaxCrossEntropy{c: o.c}).check(in[:3]); err != nil {
		return nil, err
	}
	return in[0].(tensor.Shape).Clone(), nil
}

func (o softmaxCrossEntropyGrad) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, in[0].Shape().Clone(), in)
}

func (o softmaxCrossEntropyGrad) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.SoftmaxCrossEntropyGrad(out, in[0], in[1], in[2], in[3], rows, o.c)
}
