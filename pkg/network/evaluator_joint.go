package network

import (
	"slices"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/modality"
)

// jointEvaluator evaluates a model whose logits are no sum of parts. The graph is cut where the mask enters it: what no mask
// reaches, which is every backbone and the first layers of some fusions, runs once a minibatch, and the rest of the fusion
// and the head once a coalition.
type jointEvaluator struct {
	evaluation
	masked *machine.Machine
	mask   kernel.Buffer // (rows,n)
	host   []float32     // the same
	logits kernel.Buffer // (rows,C)
}

func newJointEvaluator(s Spec, d kernel.Device, rows int, tensors Tensors) (*jointEvaluator, error) {
	g, err := Build(s, rows, false)
	if err != nil {
		return nil, err
	}
	bound, err := g.Bind(d, tensors)
	if err != nil {
		return nil, err
	}
	cut := g.unmasked(bound)
	e := &jointEvaluator{host: make([]float32, rows*len(s.Modalities))}
	if e.evaluation, err = newEvaluation(s, g, d, rows, cut, bound); err != nil {
		return nil, err
	}
	for _, n := range cut { // the second machine reads them where the first leaves them
		bound[n] = e.machine.Buffer(n)
	}
	e.masked, err = machine.Compile(d, machine.Program{
		Rows: rows, Outputs: []*gorgonia.Node{g.Logits}, Inputs: append([]*gorgonia.Node{g.Keep}, cut...), Bound: bound})
	if err != nil {
		return nil, err
	}
	e.mask, e.logits = e.masked.Buffer(g.Keep), e.masked.Buffer(g.Logits)
	return e, nil
}

// unmasked returns the nodes of the logits' graph that do not depend on the mask and that others which do take as inputs,
// without those that are bound.
func (g *Graph) unmasked(bound map[*gorgonia.Node]kernel.Buffer) []*gorgonia.Node {
	reached := map[*gorgonia.Node]bool{}
	var cut []*gorgonia.Node
	var visit func(n *gorgonia.Node) bool
	visit = func(n *gorgonia.Node) bool {
		if known, ok := reached[n]; ok {
			return known
		}
		reached[n] = n == g.Keep
		var others []*gorgonia.Node
		for children := g.graph.From(n.ID()); children.Next(); {
			child := children.Node().(*gorgonia.Node)
			if visit(child) {
				reached[n] = true
			} else {
				others = append(others, child)
			}
		}
		for _, child := range others {
			_, isBound := bound[child]
			if reached[n] && !isBound && !slices.Contains(cut, child) {
				cut = append(cut, child)
			}
		}
		return reached[n]
	}
	visit(g.Logits)
	return cut
}

// Logits runs the masked part of the graph under coalition c.
func (e *jointEvaluator) Logits(c modality.Coalition, dst []float32) error {
	n := len(e.spec.Modalities)
	clear(e.host[:e.rows*n])
	for r := range e.rows {
		for p := range (c & e.keep[r]).Members() {
			e.host[r*n+p] = 1
		}
	}
	e.device.Upload(e.mask, e.host[:e.rows*n])
	e.masked.Run(e.rows)
	e.device.Download(dst[:e.rows*len(e.spec.Classes)], e.logits)
	return e.device.Err()
}
