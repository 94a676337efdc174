package train

import (
	"context"
	"fmt"
	"math"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/machine"
	"mmtools/pkg/network"
)

// trainer holds a model on every device of a group, or on one, ready for steps and for validation. A minibatch is divided among the
// devices (kernel.Share), each computes the gradients of its rows, and all take the same optimizer step by the same mean of them, so
// that their parameters stay equal. The embedded replica is the first.
type trainer struct {
	*replica
	graphs
	replicas []*replica
	group    kernel.Group // nil where there is one device
	logitOut []float32    // (B,C)
	stepIn   staging
	evalIn   staging
}

// newTrainer puts a model on a device, or on all of a group, and plans its step for minibatches of up to state.BatchSize rows.
func newTrainer(d kernel.Device, spec network.Spec, state checkpoint.State, params, buffers []float32) (*trainer, error) {
	devices := kernel.Devices(d)
	if len(devices) > state.BatchSize {
		return nil, fmt.Errorf("minibatches of %d rows for %d cards: want a row for each at least", state.BatchSize, len(devices))
	}
	rows := kernel.Largest(state.BatchSize, len(devices))
	t := &trainer{logitOut: make([]float32, state.BatchSize*len(spec.Classes))}
	var err error
	if t.graphs, err = newGraphs(spec, rows); err != nil {
		return nil, err
	}
	var steps, predicts []*machine.Machine
	var stepPacks, evalPacks []*pack
	for _, d := range devices {
		r, err := newReplica(d, len(devices), rows, t.graphs, state, params, buffers)
		if err != nil {
			return nil, err
		}
		t.replicas = append(t.replicas, r)
		steps, predicts = append(steps, r.step), append(predicts, r.predict)
		stepPacks, evalPacks = append(stepPacks, r.stepPack), append(evalPacks, r.evalPack)
	}
	t.replica = t.replicas[0]
	if len(devices) > 1 {
		t.group = d.(kernel.Group)
	}
	if t.stepIn, err = newStaging(devices, steps, stepPacks, t.graph, spec, state.BatchSize); err != nil {
		return nil, err
	}
	if t.evalIn, err = newStaging(devices, predicts, evalPacks, t.whole, spec, state.BatchSize); err != nil {
		return nil, err
	}
	for i, r := range t.replicas {
		slot := r.stepPack.buffer(r.stepPack.slot)
		last := []func(){func() { r.losses.keep(slot) }}
		if t.group == nil { // else the gradients' mean comes first
			last = []func(){func() { r.opt.step(r.device) }, last[0]}
		}
		t.stepIn.shares[i].then = func(rows int) {
			r.step.Queue(rows)
			machine.Beside(r.device, last...)
		}
		t.evalIn.shares[i].then = r.predict.Queue
	}
	return t, nil
}

// epoch takes a step for every minibatch of the plan, its rows in the given order, and returns the mean loss over the
// rows. draw gives a row's random stream for a purpose. step counts the optimizer's steps; done, where not nil, is
// told of the rows done.
func (t *trainer) epoch(ctx context.Context, s *Samples, p *Plan, order []int32, draw draws, step *int64, lr float64, done func(rows int)) (float64, error) {
	for _, r := range t.replicas {
		r.losses.begin(*step)
	}
	err := t.stepIn.each(s, p, order, draw, func(rows []int32) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		*step++
		t.set(*step, lr)
		t.stepIn.put(p, rows)
		if err := t.take(len(rows)); err != nil {
			return err
		}
		if done != nil {
			done(len(rows))
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	total := 0.0
	for _, r := range t.replicas {
		sum, err := r.losses.sum()
		if err != nil {
			return 0, err
		}
		total += sum
	}
	t.average()
	return total / float64(max(1, len(order))), nil
}

// set has every device's next minibatch bring along what the step numbered so takes.
func (t *trainer) set(step int64, lr float64) {
	for _, r := range t.replicas {
		r.opt.set(r.stepPack.at(r.stepPack.rates), step, lr)
		r.losses.next(r.stepPack.at(r.stepPack.slot))
	}
}

// take takes the step that has been set, by the minibatch of so many rows that has been put on the devices.
func (t *trainer) take(rows int) error {
	for i, r := range t.replicas {
		from, to := kernel.Share(rows, len(t.replicas), i)
		if from == to {
			continue
		}
		t.stepIn.shares[i].run(to - from)
		if err := r.losses.take(to - from); err != nil {
			return err
		}
	}
	if t.group == nil {
		return nil
	}
	// A device's loss is the mean over its own rows, and so are its gradients.
	t.mean(t.graph.Layout.ParamSize, rows, func(r *replica) kernel.Buffer { return r.grads })
	for _, r := range t.replicas {
		r.opt.step(r.device)
	}
	return nil
}

// average evens out what training leaves in the buffers: the running statistics, each of a device's own rows.
func (t *trainer) average() {
	t.mean(t.graph.Layout.BufferSize, len(t.replicas), func(r *replica) kernel.Buffer { return r.tensors.Buffers })
}

func (t *trainer) mean(n, rows int, of func(*replica) kernel.Buffer) {
	if t.group == nil || n == 0 {
		return
	}
	var x, room []kernel.Buffer
	for _, r := range t.replicas {
		x, room = append(x, of(r)), append(room, r.room)
	}
	t.group.Mean(x, room, n, rows)
}

// accuracy returns the share of samples whose label has the highest logit, the lowest class on ties; unlabelled samples
// do not count.
func (t *trainer) accuracy(ctx context.Context, s *Samples, classes int) (float64, error) {
	right, labelled := 0, 0
	for _, r := range t.replicas {
		t.whole.Fold(r.device, r.evaluate)
	}
	plan := Whole(s, len(t.evalIn.x))
	order := make([]int32, plan.Rows())
	for i := range order {
		order[i] = int32(i)
	}
	err := t.evalIn.each(s, plan, order, nil, func(rows []int32) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		t.evalIn.put(plan, rows)
		if err := t.logits(len(rows), classes); err != nil {
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

// logits computes those of a minibatch of so many rows: all devices start before one is waited for.
func (t *trainer) logits(rows, classes int) error {
	for i, sh := range t.evalIn.shares {
		if from, to := kernel.Share(rows, len(t.replicas), i); to > from {
			sh.run(to - from)
		}
	}
	for i, r := range t.replicas {
		from, to := kernel.Share(rows, len(t.replicas), i)
		r.device.Download(t.logitOut[from*classes:to*classes], r.predict.Buffer(t.whole.Logits))
		if err := r.device.Err(); err != nil {
			return err
		}
	}
	return nil
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

// weights copies the parameters and the buffers, whose running statistics move with every step, to the host. Devices that have come
// apart are an error: their means were not the same, which only a fault of the machine makes.
func (t *trainer) weights() (weights, error) {
	first, err := t.replica.weights(t.graph.Layout)
	if err != nil {
		return weights{}, err
	}
	for i, r := range t.replicas[1:] {
		w, err := r.weights(t.graph.Layout)
		if err != nil {
			return weights{}, err
		}
		if !same(w.params, first.params) || !same(w.buffers, first.buffers) {
			return weights{}, fmt.Errorf("device %s: the models on its cards 1 and %d, counted from 1, have come apart", t.group.Name(), i+2)
		}
	}
	return first, nil
}

// same compares bits: a NaN is one.
func same(a, b []float32) bool {
	for i := range a {
		if math.Float32bits(a[i]) != math.Float32bits(b[i]) {
			return false
		}
	}
	return true
}

// weights are a model's numbers on the host, laid out as its Layout says.
type weights struct{ params, buffers []float32 }

func (r *replica) weights(l network.Layout) (weights, error) {
	w := weights{params: make([]float32, l.ParamSize), buffers: make([]float32, l.BufferSize)}
	r.device.Download(w.params, r.tensors.Params)
	r.device.Download(w.buffers, r.tensors.Buffers)
	return w, r.device.Err()
}
