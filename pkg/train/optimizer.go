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

// optimizer keeps the moments of all parameters on the device, in two runs laid out as the parameters are.
type optimizer struct {
	settings checkpoint.Optimizer
	moments  []moment
	scale    kernel.Buffer // of the gradient, where it is clipped
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
	return nil
}

// newOptimizer makes the moments, zero, for n parameters.
func newOptimizer(d kernel.Device, settings checkpoint.Optimizer, n int) (*optimizer, error) {
	if err := CheckOptimizer(settings); err != nil {
		return nil, err
	}
	o := &optimizer{settings: settings}
	names := []string{"exp_avg.", "exp_avg_sq."}
	if settings.Name == "sgd" {
		names = nil
		if settings.Momentum > 0 {
			names = []string{"momentum_buffer."}
		}
	}
	for _, name := range names {
		b, err := d.Alloc(n)
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
	return o, nil
}

// step takes the step numbered t, 1 for the first, with learning rate lr. params and grads hold n elements.
func (o *optimizer) step(d kernel.Device, params, grads kernel.Buffer, n int, t int64, lr float64) {
	if o.scale != nil {
		d.ClipScale(o.scale, grads, n, float32(o.settings.ClipNorm))
	}
	s := o.settings
	if s.Name == "sgd" {
		var buffer kernel.Buffer
		if len(o.moments) > 0 {
			buffer = o.moments[0].buffer
		}
		d.SGD(params, grads, buffer, o.scale, n, kernel.SGDStep{LR: lr, Momentum: s.Momentum, WeightDecay: s.WeightDecay, First: t == 1})
		return
	}
	d.Adam(params, grads, o.moments[0].buffer, o.moments[1].buffer, o.scale, n, kernel.AdamStep{
		LR: lr, Beta1: s.Beta1, Beta2: s.Beta2, Epsilon: s.Epsilon, WeightDecay: s.WeightDecay,
		Correction1: 1 - math.Pow(s.Beta1, float64(t)), Correction2: 1 - math.Pow(s.Beta2, float64(t)),
		Decoupled: s.Name == "adamw",
	})
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
