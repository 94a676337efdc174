package train

import (
	"fmt"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/network"
)

// graphs is a model's programs, which all devices run: the step's and the evaluation's.
type graphs struct {
	spec      network.Spec
	graph     *network.Graph   // of the step
	gradients []*gorgonia.Node // of what is trained
	whole     *network.Graph   // of the evaluation
}

func newGraphs(spec network.Spec, rows int) (graphs, error) {
	g := graphs{spec: spec}
	var err error
	if g.graph, err = network.Build(spec, rows, true); err != nil {
		return g, err
	}
	if g.gradients, err = g.graph.Grads(); err != nil {
		return g, err
	}
	g.whole, err = network.Build(spec, rows, false)
	return g, err
}

// replica holds a model on one device, ready for steps and for validation: two programs of one graph.
type replica struct {
	device   kernel.Device
	evaluate map[*gorgonia.Node]kernel.Buffer
	tensors  network.Tensors
	grads    kernel.Buffer
	room     kernel.Buffer // for means over the devices; nil where there is one
	opt      *optimizer
	step     *machine.Machine
	predict  *machine.Machine
	stepPack *pack
	evalPack *pack
	losses   *losses
}

// newReplica puts a model on one of so many devices, and plans its step for up to rows rows.
func newReplica(d kernel.Device, devices, rows int, g graphs, state checkpoint.State, params, buffers []float32) (*replica, error) {
	r, layout := &replica{device: d}, g.graph.Layout
	var err error
	if r.tensors, err = network.Upload(d, params, buffers); err != nil {
		return nil, err
	}
	if r.grads, err = d.Alloc(layout.ParamSize); err != nil {
		return nil, err
	}
	if devices > 1 {
		if r.room, err = d.Alloc(kernel.MeanRoom(max(layout.ParamSize, layout.BufferSize), devices)); err != nil {
			return nil, err
		}
	}
	if r.opt, err = newOptimizer(d, state.Optimizer, state.Skipped, layout, r.tensors.Params, r.grads); err != nil {
		return nil, err
	}
	if r.stepPack, err = newPack(d, g.graph, len(r.opt.spans), rows); err != nil {
		return nil, err
	}
	r.opt.bind(r.stepPack.buffer(r.stepPack.rates))
	if r.evalPack, err = newPack(d, g.whole, 0, rows); err != nil {
		return nil, err
	}
	if r.evaluate, err = g.whole.Bind(d, r.tensors); err != nil {
		return nil, err
	}
	r.evalPack.bind(g.whole, r.evaluate)
	bound, err := g.graph.Bind(d, r.tensors)
	if err != nil {
		return nil, err
	}
	r.stepPack.bind(g.graph, bound)
	g.graph.Fold(d, bound) // what is frozen stays as it is
	for i, slot := range layout.Trained() {
		if _, taken := bound[g.gradients[i]]; taken {
			return nil, fmt.Errorf("planning the step: two parameters share the gradient of %s", slot.Name)
		}
		bound[g.gradients[i]] = r.grads.Slice(slot.Offset, slot.Offset+slot.Size())
	}
	inputs := append([]*gorgonia.Node{g.graph.Keep, g.graph.Label, g.graph.Weight}, g.graph.X...)
	if g.graph.Drop != nil {
		inputs = append(inputs, g.graph.Drop)
	}
	r.step, err = machine.Compile(d, machine.Program{
		Rows: rows, Outputs: append([]*gorgonia.Node{g.graph.Loss}, g.gradients...), Inputs: inputs, Bound: bound})
	if err != nil {
		return nil, err
	}
	// Steps and evaluations never run at once: they share their memory.
	r.predict, err = machine.Compile(d, machine.Program{
		Rows: rows, Outputs: []*gorgonia.Node{g.whole.Logits}, Inputs: append([]*gorgonia.Node{g.whole.Keep}, g.whole.X...), Bound: r.evaluate, Over: r.step})
	if err != nil {
		return nil, err
	}
	r.losses, err = newLosses(d, r.step.Buffer(g.graph.Loss))
	return r, err
}
