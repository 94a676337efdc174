package train

import (
	"context"
	"fmt"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/network"
)

// trainer holds a model on a device, ready for steps and for validation: two programs of one graph.
type trainer struct {
	device   kernel.Device
	graph    *network.Graph // of the step
	whole    *network.Graph // of the evaluation
	evaluate map[*gorgonia.Node]kernel.Buffer
	tensors  network.Tensors
	grads    kernel.Buffer
	opt      *optimizer
	step     *machine.Machine
	predict  *machine.Machine
	losses   *losses
	logitOut []float32 // (B,C)
	stepIn   staging
	evalIn   staging
}

// newTrainer puts a model on a device and plans its step for minibatches of up to state.BatchSize rows.
func newTrainer(d kernel.Device, spec network.Spec, state checkpoint.State, params, buffers []float32) (*trainer, error) {
	rows := state.BatchSize
	g, err := network.Build(spec, rows, true)
	if err != nil {
		return nil, err
	}
	grads, err := g.Grads()
	if err != nil {
		return nil, err
	}
	whole, err := network.Build(spec, rows, false)
	if err != nil {
		return nil, err
	}
	t := &trainer{device: d, graph: g, whole: whole, logitOut: make([]float32, rows*len(spec.Classes))}
	if t.tensors, err = network.Upload(d, params, buffers); err != nil {
		return nil, err
	}
	if t.grads, err = d.Alloc(g.Layout.ParamSize); err != nil {
		return nil, err
	}
	if t.opt, err = newOptimizer(d, state.Optimizer, state.Skipped, g.Layout, t.tensors.Params, t.grads); err != nil {
		return nil, err
	}
	if t.evaluate, err = whole.Bind(d, t.tensors); err != nil {
		return nil, err
	}
	bound, err := g.Bind(d, t.tensors)
	if err != nil {
		return nil, err
	}
	g.Fold(d, bound) // what is frozen stays as it is
	for i, slot := range g.Layout.Trained() {
		if _, taken := bound[grads[i]]; taken {
			return nil, fmt.Errorf("planning the step: two parameters share the gradient of %s", slot.Name)
		}
		bound[grads[i]] = t.grads.Slice(slot.Offset, slot.Offset+slot.Size())
	}
	inputs := append([]*gorgonia.Node{g.Keep, g.Label, g.Weight}, g.X...)
	if g.Drop != nil {
		inputs = append(inputs, g.Drop)
	}
	t.step, err = machine.Compile(d, machine.Program{
		Rows: rows, Outputs: append([]*gorgonia.Node{g.Loss}, grads...), Inputs: inputs, Bound: bound})
	if err != nil {
		return nil, err
	}
	// Steps and evaluations never run at once: they share their memory.
	t.predict, err = machine.Compile(d, machine.Program{
		Rows: rows, Outputs: []*gorgonia.Node{whole.Logits}, Inputs: append([]*gorgonia.Node{whole.Keep}, whole.X...), Bound: t.evaluate, Over: t.step})
	if err != nil {
		return nil, err
	}
	if t.losses, err = newLosses(d, t.step.Buffer(g.Loss)); err != nil {
		return nil, err
	}
	if t.stepIn, err = newStaging(t.step, g, spec); err != nil {
		return nil, err
	}
	t.evalIn, err = newStaging(t.predict, whole, spec)
	return t, err
}

// epoch takes a step for every minibatch of the plan, its rows in the given order, and returns the mean loss over the
// rows. draw gives a row's random stream for a purpose. step counts the optimizer's steps; done, where not nil, is
// told of the rows done.
func (t *trainer) epoch(ctx context.Context, s *Samples, p *Plan, order []int32, draw draws, step *int64, lr float64, done func(rows int)) (float64, error) {
	t.losses.begin(*step)
	err := t.stepIn.each(t.device, s, p, order, draw, func(rows []int32) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.step.Run(len(rows))
		if err := t.losses.take(len(rows)); err != nil {
			return err
		}
		*step++
		t.opt.step(t.device, *step, lr)
		if done != nil {
			done(len(rows))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	total, err := t.losses.sum()
	return total / float64(max(1, len(order))), err
}

// accuracy returns the share of samples whose label has the highest logit, the lowest class on ties; unlabelled samples
// do not count.
func (t *trainer) accuracy(ctx context.Context, s *Samples, classes int) (float64, error) {
	right, labelled := 0, 0
	t.whole.Fold(t.device, t.evaluate)
	plan := Whole(s, len(t.evalIn.x))
	order := make([]int32, plan.Rows())
	for i := range order {
		order[i] = int32(i)
	}
	err := t.evalIn.each(t.device, s, plan, order, nil, func(rows []int32) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.predict.Run(len(rows))
		t.device.Download(t.logitOut[:len(rows)*classes], t.predict.Buffer(t.whole.Logits))
		if err := t.device.Err(); err != nil {
			return err
		}
		for k, row := range rows {
			label := s.label(int(row))
			if label < 0 {
				continue
			}
			labelled++
			if argMax(t.logitOut[k*classes:][:classes]) == int(label) {
				right++
			}
		}
		return nil
	})
	return float64(right) / float64(max(1, labelled)), err
}

func argMax(values []float32) int {
	best := 0
	for i, v := range values {
		if v > values[best] {
			best = i
		}
	}
	return best
}

// weights copies the parameters and the buffers, whose running statistics move with every step, to the host.
func (t *trainer) weights() (weights, error) {
	w := weights{params: make([]float32, t.graph.Layout.ParamSize), buffers: make([]float32, t.graph.Layout.BufferSize)}
	t.device.Download(w.params, t.tensors.Params)
	t.device.Download(w.buffers, t.tensors.Buffers)
	return w, t.device.Err()
}

// weights are a model's numbers on the host, laid out as its Layout says.
type weights struct{ params, buffers []float32 }
