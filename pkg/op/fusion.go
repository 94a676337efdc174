package op

import (
	"fmt"
	"hash"
	"slices"

	"github.com/chewxy/hm"
	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
)

// fusionOp joins the features of n modalities under a mask: concatenated, or summed. The first input is keep (B,n), then
// one x_p (B,widths[p]) a modality; y (B, sum of widths) or, summed, (B,widths[0]). A width of 0 leaves a modality out,
// whatever the width of x_p.
type fusionOp struct {
	attributes
	widths []int
	sum    bool
}

// MaskedConcat adds y = [keep_0 x_0, keep_1 x_1, ...] to the graph. keep (B,n), x_p (B,D_p); y (B, sum D_p).
func MaskedConcat(keep *gorgonia.Node, x ...*gorgonia.Node) (*gorgonia.Node, error) {
	return applyFusion(false, nil, keep, x)
}

// MaskedConcatOf adds the concatenation of some modalities, in bit order, to the graph: MaskedConcat without the others.
func MaskedConcatOf(some []int, keep *gorgonia.Node, x ...*gorgonia.Node) (*gorgonia.Node, error) {
	return applyFusion(false, some, keep, x)
}

// MaskedSum adds y = sum over p of keep_p x_p to the graph. keep (B,n), every x_p and y (B,D).
func MaskedSum(keep *gorgonia.Node, x ...*gorgonia.Node) (*gorgonia.Node, error) {
	return applyFusion(true, nil, keep, x)
}

func applyFusion(sum bool, some []int, keep *gorgonia.Node, x []*gorgonia.Node) (*gorgonia.Node, error) {
	o := fusionOp{sum: sum}
	for p, f := range x {
		width, err := columns("fusion", f)
		if err != nil {
			return nil, err
		}
		if some != nil && !slices.Contains(some, p) {
			width = 0
		}
		o.widths = append(o.widths, width)
	}
	return apply(o, append([]*gorgonia.Node{keep}, x...)...)
}

func (o fusionOp) Arity() int            { return 1 + len(o.widths) }
func (o fusionOp) String() string        { return fmt.Sprintf("Fusion{%v,sum=%t}", o.widths, o.sum) }
func (o fusionOp) WriteHash(h hash.Hash) { writeHash(h, o) }
func (o fusionOp) Hashcode() uint32      { return hashcode(o) }

func (o fusionOp) Type() hm.Type {
	types := []hm.Type{matrixType, matrixType}
	for range o.widths {
		types = append(types, matrixType)
	}
	return signature(types...)
}

// width returns the number of columns of the result.
func (o fusionOp) width() int {
	if o.sum {
		return o.widths[0]
	}
	total := 0
	for _, w := range o.widths {
		total += w
	}
	return total
}

func (o fusionOp) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	keep := in[0].(tensor.Shape)
	if len(keep) != 2 || keep[1] != len(o.widths) {
		return nil, fmt.Errorf("%v: keep %v", o, keep)
	}
	for p, width := range o.widths {
		x := in[1+p].(tensor.Shape)
		if len(x) != 2 || x[0] != keep[0] || width > 0 && x[1] != width || o.sum && width != o.widths[0] {
			return nil, fmt.Errorf("%v: keep %v, x_%d %v", o, keep, p, x)
		}
	}
	return tensor.Shape{keep[0], o.width()}, nil
}

func (o fusionOp) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{in[0].Shape()[0], o.width()}, in)
}

func (o fusionOp) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	if o.sum {
		d.MaskedSum(out, in[1:], in[0], rows, o.widths[0])
		return
	}
	d.MaskedConcat(out, in[1:], o.widths, in[0], rows)
}

func (o fusionOp) DiffWRT(inputs int) []bool {
	wrt := make([]bool, inputs)
	for p, width := range o.widths {
		wrt[1+p] = width > 0
	}
	return wrt
}

// SymDiff gives dx_p = keep_p times p's columns of dy; the mask has no gradient.
func (o fusionOp) SymDiff(in gorgonia.Nodes, out, dy *gorgonia.Node) (gorgonia.Nodes, error) {
	grads := make(gorgonia.Nodes, len(in))
	from := 0
	for p, width := range o.widths {
		if width == 0 {
			continue
		}
		slice := maskedSlice{total: o.width(), from: from, width: width, player: p, players: len(o.widths)}
		dx, err := apply(slice, dy, in[0])
		if err != nil {
			return nil, err
		}
		grads[1+p] = dx
		if !o.sum {
			from += width
		}
	}
	return grads, nil
}

// maskedSlice is dx = keep_player dy[:, from:from+width]. dy (B,total), keep (B,players), dx (B,width).
type maskedSlice struct {
	attributes
	total, from, width, player, players int
}

func (o maskedSlice) Arity() int            { return 2 }
func (o maskedSlice) Type() hm.Type         { return signature(matrixType, matrixType, matrixType) }
func (o maskedSlice) WriteHash(h hash.Hash) { writeHash(h, o) }
func (o maskedSlice) Hashcode() uint32      { return hashcode(o) }

func (o maskedSlice) String() string {
	return fmt.Sprintf("MaskedSlice{%d,%d,%d,%d,%d}", o.total, o.from, o.width, o.player, o.players)
}

func (o maskedSlice) InferShape(in ...gorgonia.DimSizer) (tensor.Shape, error) {
	dy, keep := in[0].(tensor.Shape), in[1].(tensor.Shape)
	if len(dy) != 2 || dy[1] != o.total || len(keep) != 2 || keep[0] != dy[0] || keep[1] != o.players {
		return nil, fmt.Errorf("%v: dy %v, keep %v", o, dy, keep)
	}
	return tensor.Shape{dy[0], o.width}, nil
}

func (o maskedSlice) Do(in ...gorgonia.Value) (gorgonia.Value, error) {
	return do(o, tensor.Shape{in[0].Shape()[0], o.width}, in)
}

func (o maskedSlice) Run(d kernel.Device, rows int, out kernel.Buffer, in []kernel.Buffer) {
	d.MaskedSlice(out, in[0], in[1], nil, rows, o.total, o.from, o.width, o.player, o.players)
}
