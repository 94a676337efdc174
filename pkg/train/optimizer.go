package train

import (
	"fmt"
	"math"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/kernel"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
)

// Optimizers lists the optimizers by name.
var Optimizers = []string{"adam", "adamw", "sgd"}

// optimizer keeps the moments of all parameters on the device, in two runs laid out as the parameters are. Those of frozen
// backbones rest.
type optimizer struct {
	settings checkpoint.Optimizer
	adam     kernel.Adam // one of both steps
	sgd      kernel.SGD
	rule     rule // the one that does
	moments  []moment
	grads    kernel.Buffer // of all parameters; 0 where frozen
	size     int           // of all parameters
	scale    kernel.Buffer // of the gradient, where it is clipped
	spans    []span
}

// span is a run of parameters that step alike.
type span struct {
	params, grads kernel.Buffer
	moments       [2]kernel.Buffer // as many as the optimizer has
	rates         kernel.Buffer
	n             int
	factor        float64 // of the learning rate
	skipped       int64   // steps that the run did not take: the optimizer's t starts with a parameter's first gradient
}

type moment struct {
	name   string // prefix of the tensors' names in the model stream
	buffer kernel.Buffer
}

// CheckOptimizer returns an error for settings that torch.optim would refuse too.
func CheckOptimizer(o checkpoint.Optimizer) error {
	if o.Name != "adam" && o.Name != "adamw" && o.Name != "sgd" {
		return fmt.Errorf("optimizer %q: want one of %v", o.Name, Optimizers)
	}
	for _, f := range []struct {
		name  string
		value float64
	}{{"learning rate", o.LR}, {"weight decay", o.WeightDecay}, {"momentum", o.Momentum}, {"epsilon", o.Epsilon}, {"largest norm", o.ClipNorm}} {
		if !(f.value >= 0) || math.IsInf(f.value, 0) {
			return fmt.Errorf("optimizer %s: %s %v, want a finite number, 0 or more", o.Name, f.name, f.value)
		}
	}
	if o.Name != "sgd" && !(o.Beta1 >= 0 && o.Beta1 < 1 && o.Beta2 >= 0 && o.Beta2 < 1) {
		return fmt.Errorf("optimizer %s: betas %v and %v, want both in [0, 1)", o.Name, o.Beta1, o.Beta2)
	}
	for modality, f := range o.Factors {
		if !(f >= 0) || math.IsInf(f, 0) {
			return fmt.Errorf("optimizer %s: learning rate of %q times %v, want a finite number, 0 or more", o.Name, modality, f)
		}
	}
	return nil
}

// newOptimizer makes the moments, zero, for parameters and gradients that lie as l says. skipped is the steps that each
// backbone has not taken so far.
func newOptimizer(d kernel.Device, settings checkpoint.Optimizer, skipped map[string]int64, l network.Layout, params, grads kernel.Buffer) (*optimizer, error) {
	if err := CheckOptimizer(settings); err != nil {
		return nil, err
	}
	o := &optimizer{settings: settings, grads: grads, size: l.ParamSize}
	o.adam = kernel.Adam{Beta1: settings.Beta1, Beta2: settings.Beta2, Epsilon: settings.Epsilon, WeightDecay: settings.WeightDecay,
		Decoupled: settings.Name == "adamw"}
	o.sgd = kernel.SGD{Momentum: settings.Momentum, WeightDecay: settings.WeightDecay}
	o.rule = o.adam
	names := []string{"exp_avg.", "exp_avg_sq."}
	if settings.Name == "sgd" {
		names, o.rule = nil, o.sgd
		if settings.Momentum > 0 {
			names = []string{"momentum_buffer."}
		}
	}
	for _, name := range names {
		b, err := d.Alloc(o.size)
		if err != nil {
			return nil, err
		}
		o.moments = append(o.moments, moment{name: name, buffer: b})
	}
	if settings.ClipNorm > 0 {
		b, err := d.Alloc(1)
		if err != nil {
			return nil, err
		}
		o.scale = b
	}
	o.addSpans(l, params, skipped)
	return o, nil
}

// addSpans divides the parameters into runs, as few as there can be: one, unless a backbone is frozen or has a learning rate
// or a number of steps of its own.
func (o *optimizer) addSpans(l network.Layout, params kernel.Buffer, skipped map[string]int64) {
	var from int
	for i, s := range l.Spans() {
		next := span{factor: 1, skipped: skipped[s.Backbone]}
		if f, ok := o.settings.Factors[s.Backbone]; ok {
			next.factor = f
		}
		if k := len(o.spans) - 1; i > 0 && from+o.spans[k].n == s.From && o.spans[k].factor == next.factor && o.spans[k].skipped == next.skipped {
			o.spans = o.spans[:k]
		} else {
			from = s.From
		}
		next.n = s.To - from
		next.params, next.grads = params.Slice(from, s.To), o.grads.Slice(from, s.To)
		for i, m := range o.moments {
			next.moments[i] = m.buffer.Slice(from, s.To)
		}
		o.spans = append(o.spans, next)
	}
}

// rule is what one of torch.optim's optimizers does.
type rule interface {
	// Rates returns what changes from step to step.
	Rates(t int64, lr float64) [kernel.RateCount]float32
}

// bind says where the device finds what set writes.
func (o *optimizer) bind(rates kernel.Buffer) {
	for i := range o.spans {
		o.spans[i].rates = rates.Slice(i*kernel.RateCount, (i+1)*kernel.RateCount)
	}
}

// set writes to rates what the step numbered t, 1 for the first, takes with learning rate lr.
func (o *optimizer) set(rates []float32, t int64, lr float64) {
	for i := range o.spans {
		s := &o.spans[i]
		of := o.rule.Rates(t-s.skipped, lr*s.factor)
		copy(rates[i*kernel.RateCount:], of[:])
	}
}

// step takes the step that has been set. The gradient's norm is that of all parameters.
func (o *optimizer) step(d kernel.Device) {
	if o.scale != nil {
		d.ClipScale(o.scale, o.grads, o.size, float32(o.settings.ClipNorm))
	}
	for i := range o.spans {
		s := &o.spans[i]
		if o.settings.Name == "sgd" {
			d.SGD(s.params, s.grads, s.moments[0], o.scale, s.rates, s.n, o.sgd)
		} else {
			d.Adam(s.params, s.grads, s.moments[0], s.moments[1], o.scale, s.rates, s.n, o.adam)
		}
	}
}

// load takes the moments from a model's tensors.
func (o *optimizer) load(d kernel.Device, l network.Layout, tensors []schema.Tensor) error {
	run := make([]float32, l.ParamSize)
	for _, m := range o.moments {
		if err := network.Import(l.Params, run, tensors, schema.RoleOptimizer, m.name); err != nil {
			return err
		}
		d.Upload(m.buffer, run)
	}
	return nil
}

// export returns the moments as tensors.
func (o *optimizer) export(d kernel.Device, l network.Layout) []schema.Tensor {
	var tensors []schema.Tensor
	for _, m := range o.moments {
		run := make([]float32, l.ParamSize)
		d.Download(run, m.buffer)
		tensors = append(tensors, network.Export(l.Params, run, schema.RoleOptimizer, m.name)...)
	}
	return tensors
}
