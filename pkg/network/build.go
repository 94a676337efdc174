package network

import (
	"fmt"

	"gorgonia.org/gorgonia"
	"gorgonia.org/tensor"

	"mmtools/pkg/op"
)

// Graph is a model as an expression graph for minibatches of a fixed number of rows.
type Graph struct {
	X        []*gorgonia.Node // (B,size) a modality
	Keep     *gorgonia.Node   // (B,n), 1 where a modality is present
	Label    *gorgonia.Node   // (B)
	Weight   *gorgonia.Node   // (B)
	Drop     *gorgonia.Node   // (B,D) in training with dropout, else nil: 0 or 1/(1-p) a feature, which the caller draws
	Features []*gorgonia.Node // (B,D_p) a modality, not masked
	Logits   *gorgonia.Node   // (B,C)
	Loss     *gorgonia.Node   // scalar

	Layout    Layout
	params    map[string]*gorgonia.Node
	scratches []*gorgonia.Node
	folds     []fold // in an evaluation, and of frozen backbones
	training  bool
	frozen    bool // while a frozen backbone is built
	graph     *gorgonia.ExprGraph
}

// Build makes the graph of a model for minibatches of up to rows rows: for training, or for evaluation, where batch
// normalisations use their running statistics.
func Build(s Spec, rows int, training bool) (*Graph, error) {
	g, err := newGraph(s, rows, training)
	if err != nil {
		return nil, err
	}
	g.Keep = gorgonia.NewMatrix(g.graph, tensor.Float32, gorgonia.WithShape(rows, len(s.Modalities)), gorgonia.WithName("keep"))
	g.Label = gorgonia.NewVector(g.graph, tensor.Float32, gorgonia.WithShape(rows), gorgonia.WithName("label"))
	g.Weight = gorgonia.NewVector(g.graph, tensor.Float32, gorgonia.WithShape(rows), gorgonia.WithName("weight"))
	_, f, err := s.parts()
	if err != nil {
		return nil, err
	}
	z, err := f.build(g)
	if err != nil {
		return nil, fmt.Errorf("building the fusion %s: %w", s.Fusion, err)
	}
	if training && s.Dropout > 0 {
		g.Drop = gorgonia.NewMatrix(g.graph, tensor.Float32, gorgonia.WithShape(z.Shape().Clone()...), gorgonia.WithName("drop"))
		if z, err = op.Mul(z, g.Drop); err != nil {
			return nil, fmt.Errorf("building the dropout: %w", err)
		}
	}
	if g.Logits, err = op.Linear(z, g.Param("head.weight"), g.Param("head.bias"), false); err != nil {
		return nil, fmt.Errorf("building the head: %w", err)
	}
	if g.Loss, err = op.SoftmaxCrossEntropy(g.Logits, g.Label, g.Weight); err != nil {
		return nil, fmt.Errorf("building the loss: %w", err)
	}
	return g, nil
}

// newGraph makes the inputs, the parameters and the backbones.
func newGraph(s Spec, rows int, training bool) (*Graph, error) {
	layout, err := s.Layout()
	if err != nil {
		return nil, err
	}
	g := &Graph{Layout: layout, training: training, params: map[string]*gorgonia.Node{}, graph: gorgonia.NewGraph(gorgonia.WithGraphName("mmtools"))}
	for _, slots := range [][]Slot{layout.Params, layout.Buffers} {
		for _, slot := range slots {
			g.params[slot.Name] = g.tensor(slot.Name, slot.Shape)
		}
	}
	for p, c := range s.Modalities {
		seen, err := c.Seen()
		if err != nil {
			return nil, err
		}
		x := gorgonia.NewMatrix(g.graph, tensor.Float32, gorgonia.WithShape(rows, seen.Size()), gorgonia.WithName("x."+c.Name))
		g.X = append(g.X, x)
		b, err := c.backbone()
		if err != nil {
			return nil, err
		}
		if c.Standardize {
			if x, err = g.standardize(c, b, x); err != nil {
				return nil, err
			}
		}
		g.frozen = c.Frozen
		z, err := b.build(g, backboneName(c.Name), x)
		g.frozen = false
		if err != nil {
			return nil, err
		}
		if z.Shape()[1] != layout.features[p] {
			return nil, fmt.Errorf("building backbone %q: feature of width %d, declared %d", c.Name, z.Shape()[1], layout.features[p])
		}
		g.Features = append(g.Features, z)
	}
	return g, nil
}

func (g *Graph) tensor(name string, shape []int) *gorgonia.Node {
	return gorgonia.NewTensor(g.graph, tensor.Float32, len(shape), gorgonia.WithShape(shape...), gorgonia.WithName(name))
}

// Param returns the node of a parameter or buffer of the layout.
func (g *Graph) Param(name string) *gorgonia.Node {
	n, ok := g.params[name]
	if !ok {
		panic("network: no parameter " + name)
	}
	return n
}

// Grads derives the backward graph: the loss's gradient to every parameter of Layout.Trained, in that order.
func (g *Graph) Grads() (gorgonia.Nodes, error) {
	trained := g.Layout.Trained()
	wrt := make([]*gorgonia.Node, len(trained))
	for i, s := range trained {
		wrt[i] = g.Param(s.Name)
	}
	grads, err := gorgonia.Grad(g.Loss, wrt...)
	if err != nil {
		return nil, fmt.Errorf("deriving the gradients: %w", err)
	}
	return grads, nil
}
