package train

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"time"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/network"
	"mmtools/pkg/rng"
	"mmtools/pkg/schema"
)

// Options say how to train on from a checkpoint.
type Options struct {
	Device   kernel.Device
	Epochs   int      // to add; 0 writes the model as it is
	Samples  *Samples // to train on
	Plan     *Plan    // of every one of these epochs; nil: every sample once, whole
	Validate *Samples // optional
	KeepBest bool     // keep the tensors of the epoch that validates best
	// OnRows is told of the rows done within an epoch, OnEpoch of every epoch done. Both may be nil.
	OnRows  func(rows int)
	OnEpoch func(Epoch)
}

// Epoch is what an epoch came to.
type Epoch struct {
	Epoch    int // 1 is the first
	Step     int64
	Rows     int
	LR       float64
	Loss     float64 // mean over the rows
	Accuracy float64 // on the validation samples; meaningless without them
	Best     bool    // the best so far
	Elapsed  time.Duration
}

// New makes the checkpoint of an untrained model: its parameters drawn, its standardization learned from the samples.
func New(spec network.Spec, state checkpoint.State, s *Samples) (*checkpoint.Checkpoint, error) {
	layout, err := spec.Layout()
	if err != nil {
		return nil, err
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		return nil, fmt.Errorf("writing mm.spec: %w", err)
	}
	c := &checkpoint.Checkpoint{Spec: raw, State: state}
	c.Tensors = network.Export(layout.Params, layout.Initialize(state.Seed), schema.RoleParameter, "")
	buffers := layout.InitializeBuffers()
	if err := standardization(spec, layout, s, buffers); err != nil {
		return nil, err
	}
	c.Tensors = append(c.Tensors, network.Export(layout.Buffers, buffers, schema.RoleBuffer, "")...)
	return c, nil
}

// Run trains a checkpoint for o.Epochs more epochs and leaves the result in it. On an error the checkpoint is unchanged.
func Run(ctx context.Context, c *checkpoint.Checkpoint, o Options) error {
	r, err := newRun(c, o)
	if err != nil {
		return err
	}
	for range o.Epochs {
		if err := r.epoch(ctx); err != nil {
			return fmt.Errorf("epoch %d: %w", r.state.Epoch+1, err)
		}
	}
	return r.finish(c)
}

// run is a training run in progress.
type run struct {
	o        Options
	spec     network.Spec
	layout   network.Layout
	state    checkpoint.State
	schedule Schedule
	trainer  *trainer
	best     *weights // of the best validated epoch, or nil
}

func newRun(c *checkpoint.Checkpoint, o Options) (*run, error) {
	spec, err := network.ParseSpec(c.Spec)
	if err != nil {
		return nil, err
	}
	r := &run{o: o, spec: spec, state: c.State}
	if r.layout, err = spec.Layout(); err != nil {
		return nil, err
	}
	if r.schedule, err = ParseSchedule(c.State.Schedule); err != nil {
		return nil, err
	}
	if c.State.BatchSize < 1 {
		return nil, fmt.Errorf("batch size %d, want at least 1", c.State.BatchSize)
	}
	if o.Plan == nil {
		r.o.Plan = Whole(o.Samples, len(spec.Modalities))
	}
	last, err := importWeights(r.layout, c.Tensors, schema.RoleParameter, schema.RoleBuffer)
	if err != nil {
		return nil, err
	}
	if c.HasBest() {
		best, err := importWeights(r.layout, c.Tensors, schema.RoleBest, schema.RoleBest)
		if err != nil {
			return nil, err
		}
		r.best = &best
	}
	free := kernel.Free(o.Device)
	if r.trainer, err = newTrainer(o.Device, spec, c.State, last.params, last.buffers); err != nil {
		return nil, kernel.Fits(err, o.Device, free, c.State.BatchSize, func(d kernel.Device, rows int) error {
			devices := len(kernel.Devices(o.Device))
			rows = kernel.Largest(rows, devices)
			g, err := newGraphs(spec, rows)
			if err == nil {
				_, err = newReplica(d, devices, rows, g, c.State, last.params, last.buffers)
			}
			return err
		})
	}
	if c.State.Step > 0 {
		for _, replica := range r.trainer.replicas {
			if err := replica.opt.load(replica.device, r.layout, c.Tensors); err != nil {
				return nil, err
			}
		}
	}
	return r, nil
}

// epoch trains one epoch. Its order is that of the stream (seed, "shuffle", epoch), or the plan's own.
func (r *run) epoch(ctx context.Context) error {
	start := time.Now()
	plan := r.o.Plan
	order := make([]int32, plan.Rows())
	for i := range order {
		order[i] = int32(i)
	}
	if plan.Shuffle {
		rng.Stream(r.state.Seed, "shuffle", r.state.Epoch).Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
	}
	lr := r.schedule.LR(r.state.Optimizer.LR, r.state.Epoch)
	seed, epoch := r.state.Seed, r.state.Epoch
	draw := func(purpose string, planRow int32) *rand.Rand { return rng.Stream(seed, purpose, epoch, planRow) }
	loss, err := r.trainer.epoch(ctx, r.o.Samples, plan, order, draw, &r.state.Step, lr, r.o.OnRows)
	if err != nil {
		return err
	}
	r.state.Epoch++
	e := Epoch{Epoch: r.state.Epoch, Step: r.state.Step, Rows: plan.Rows(), LR: lr, Loss: loss, Elapsed: time.Since(start)}
	if r.o.Validate != nil {
		if e.Accuracy, err = r.trainer.accuracy(ctx, r.o.Validate, len(r.spec.Classes)); err != nil {
			return err
		}
		if r.o.KeepBest && (r.state.Best == nil || e.Accuracy > r.state.Best.Accuracy) {
			e.Best = true
			r.state.Best = &checkpoint.Best{Epoch: e.Epoch, Accuracy: e.Accuracy}
			best, err := r.trainer.weights()
			if err != nil {
				return err
			}
			r.best = &best
		}
	}
	if r.o.OnEpoch != nil {
		r.o.OnEpoch(e)
	}
	return nil
}

// finish writes the result to the checkpoint.
func (r *run) finish(c *checkpoint.Checkpoint) error {
	last, err := r.trainer.weights()
	if err != nil {
		return err
	}
	tensors := last.export(r.layout, schema.RoleParameter, schema.RoleBuffer)
	if r.state.Step > 0 {
		tensors = append(tensors, r.trainer.opt.export(r.trainer.device, r.layout)...)
	}
	if r.best != nil {
		tensors = append(tensors, r.best.export(r.layout, schema.RoleBest, schema.RoleBest)...)
	}
	if err := r.o.Device.Err(); err != nil {
		return err
	}
	r.state.Skipped = skipped(r.spec, c.State, r.state.Step)
	c.State, c.Tensors = r.state, tensors
	return nil
}

// skipped returns the steps that each backbone has not taken when training stands at step: those from before, and, of frozen
// backbones, those taken since.
func skipped(spec network.Spec, before checkpoint.State, step int64) map[string]int64 {
	all := maps.Clone(before.Skipped)
	for _, c := range spec.Modalities {
		if !c.Frozen || step == before.Step {
			continue
		}
		if all == nil {
			all = map[string]int64{}
		}
		all[c.Name] += step - before.Step
	}
	return all
}

// importWeights takes a model's numbers from its tensors of the given roles.
func importWeights(l network.Layout, tensors []schema.Tensor, params, buffers string) (weights, error) {
	w := weights{params: make([]float32, l.ParamSize), buffers: make([]float32, l.BufferSize)}
	if err := network.Import(l.Params, w.params, tensors, params, ""); err != nil {
		return weights{}, err
	}
	return w, network.Import(l.Buffers, w.buffers, tensors, buffers, "")
}

func (w weights) export(l network.Layout, params, buffers string) []schema.Tensor {
	return append(network.Export(l.Params, w.params, params, ""), network.Export(l.Buffers, w.buffers, buffers, "")...)
}
