package network

import (
	"maps"
	"slices"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/modality"
)

// jointEvaluator evaluates a model whose logits are no sum of parts. The graph is cut where the mask enters it: what no mask
// reaches, which is every backbone and the first layers of some fusions, runs once a minibatch, and the rest of the fusion
// and the head once a coalition. Where others than masked features stand in for absent ones (Replace), all that follows the features
// runs once a coalition.
type jointEvaluator struct {
	evaluation
	graph  *Graph
	bound  map[*gorgonia.Node]kernel.Buffer // of the parameters and buffers
	masked *machine.Machine
	mask   kernel.Buffer // (rows,n)
	host   []float32     // the same
	logits kernel.Buffer // (rows,C)

	whole     *whole     // nil where minibatches are better loaded
	replacing *replacing // made where it is first asked for
	fresh     bool       // the loaded minibatch's features are not in it yet
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
	e := &jointEvaluator{graph: g, host: make([]float32, rows*len(s.Modalities))}
	outputs := slices.Clone(cut)
	for _, z := range g.Features {
		if !slices.Contains(outputs, z) {
			outputs = append(outputs, z)
		}
	}
	if e.evaluation, err = newEvaluation(s, g, d, rows, outputs, bound); err != nil {
		return nil, err
	}
	e.bound = maps.Clone(bound)
	for _, n := range cut { // the second machine reads them where the first leaves them
		bound[n] = e.machine.Buffer(n)
	}
	e.masked, err = machine.Compile(d, machine.Program{
		Rows: rows, Outputs: []*gorgonia.Node{g.Logits}, Inputs: append([]*gorgonia.Node{g.Keep}, cut...), Bound: bound})
	if err != nil {
		return nil, err
	}
	e.mask, e.logits = e.masked.Buffer(g.Keep), e.masked.Buffer(g.Logits)
	e.whole, err = newWhole(e, rows)
	return e, err
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

// Load runs every backbone on a minibatch, once, and what else no mask reaches.
func (e *jointEvaluator) Load(b *Minibatch) error {
	e.fresh = true
	return e.evaluation.Load(b)
}

// kept returns the mask of coalition c, (rows,n), less the modalities that a row lacks.
func (e *jointEvaluator) kept(c modality.Coalition) []float32 {
	return e.keptIn(e.host[:e.rows*len(e.spec.Modalities)], c)
}

// keptIn is kept, in mask.
func (e *jointEvaluator) keptIn(mask []float32, c modality.Coalition) []float32 {
	n := len(e.spec.Modalities)
	clear(mask)
	for r := range e.rows {
		for p := range (c & e.keep[r]).Members() {
			mask[r*n+p] = 1
		}
	}
	return mask
}

// Logits runs the masked part of the graph under coalition c, or the graph from its features on.
func (e *jointEvaluator) Logits(c modality.Coalition, dst []float32) error {
	if e.replacing != nil && e.replacing.stand != nil {
		return e.replaced(c, dst)
	}
	e.device.Upload(e.mask, e.kept(c))
	e.masked.Run(e.rows)
	e.device.Download(dst[:e.rows*len(e.spec.Classes)], e.logits)
	return e.device.Err()
}
