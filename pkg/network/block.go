package network

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/kernel"
	"mmtools/pkg/op"
)

// normStep holds PyTorch's defaults of a batch normalisation.
var normStep = kernel.NormStep{Momentum: 0.1, Epsilon: 1e-5}

// unit is a convolution without bias and the batch normalisation after it, by the names of their tensors.
type unit struct {
	conv, norm string
	k          int
	window     kernel.Window
}

// declare adds the unit's tensors for an input of c channels.
func (u unit) declare(l *Layout, c int) {
	l.conv(u.conv, u.k, c, u.window.KH, u.window.KW)
	l.norm(u.norm, u.k)
}

// build adds y = norm(conv(x)) + residual, and max(0, y) where relu is set. residual may be nil. In an evaluation,
// and in a frozen backbone, the normalisation is folded into the convolution, and all is one operation.
func (u unit) build(g *Graph, x op.Maps, residual *op.Maps, relu bool) (op.Maps, error) {
	y, err := u.add(g, x, residual, relu)
	if err != nil {
		return op.Maps{}, fmt.Errorf("building %s: %w", u.conv, err)
	}
	return y, nil
}

func (u unit) add(g *Graph, x op.Maps, residual *op.Maps, relu bool) (op.Maps, error) {
	w := g.Param(u.conv + ".weight")
	norm := op.Norm{
		Gamma: g.Param(u.norm + ".weight"), Beta: g.Param(u.norm + ".bias"),
		RunningMean: g.Param(u.norm + ".running_mean"), RunningVar: g.Param(u.norm + ".running_var"),
	}
	if !g.training || g.frozen {
		scale, shift := g.scratch(u.norm+".scale", u.k), g.scratch(u.norm+".shift", u.k)
		g.folds = append(g.folds, fold{norm: norm, scale: scale, shift: shift, c: u.k})
		return op.ConvAffine(x, w, scale, shift, residual, u.k, u.window, relu)
	}
	y, err := op.Conv(x, w, u.k, u.window)
	if err != nil {
		return op.Maps{}, err
	}
	norm.Batch, norm.Grad = g.scratch(u.norm+".batch", 2, u.k), g.scratch(u.norm+".grad", 2, u.k)
	return op.BatchNorm(y, norm, normStep, residual, relu)
}

// fold is a batch normalisation that an evaluation has folded to a scale and a shift, (C) each.
type fold struct {
	norm         op.Norm
	scale, shift *gorgonia.Node
	c            int
}

// Fold computes the folded batch normalisations, those of an evaluation graph and of frozen backbones, from the parameters
// and running statistics in force. It has to run before the graph whenever those have changed.
func (g *Graph) Fold(d kernel.Device, bound map[*gorgonia.Node]kernel.Buffer) {
	for _, f := range g.folds {
		d.FoldNorm(bound[f.scale], bound[f.shift], kernel.Norm{Gamma: bound[f.norm.Gamma], Beta: bound[f.norm.Beta],
			RunningMean: bound[f.norm.RunningMean], RunningVar: bound[f.norm.RunningVar]}, f.c, normStep)
	}
}

// scratch adds a leaf that operations write to; Bind gives it memory of its own.
func (g *Graph) scratch(name string, shape ...int) *gorgonia.Node {
	n := gorgonia.NewTensor(g.graph, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName("scratch."+name))
	g.scratches = append(g.scratches, n)
	return n
}
