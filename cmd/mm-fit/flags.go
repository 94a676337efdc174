package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
	"mmtools/pkg/train"
)

// modelFlags describe a new model; with --init the model says itself what it is, but for what is frozen and dropped out.
type modelFlags struct {
	Backbone    []string `sep:"none" placeholder:"[NAME=]SPEC" help:"Backbone of modality NAME, or of all: identity; linear:H; mlp:H1,H2,... with a ReLU after each layer; and for images and spectrograms cnn:C1,C2,...; temporal:C1,C2,... over time; resnet18; resnet34 (default: mlp:512). Repeat it for several modalities."`
	Input       []string `sep:"none" placeholder:"NAME=SPEC" help:"Prepare the frames of modality NAME, of shape (C,H,W) or (T,C,H,W), in a list of frames:N (one of each of N segments), size:HxW (resize), crop (in training: a random part) and flip (in training: mirror half of the samples); as published: frames:3,size:224,crop,flip. Repeat it for several modalities."`
	Fusion      *string  `placeholder:"SPEC" help:"Join the features by concat or sum; by film[:NAME], modality NAME (the last where none is named) modulated by the others; by gated[:WIDTH] units; or by attention[:HEADS:WIDTH] among the modalities. Widths are 512 and heads 8 where not given (default: concat)."`
	Freeze      []string `placeholder:"NAME" help:"Do not train the backbone of modality NAME: its weights stay, and its batch normalisations use and keep their running statistics. The model keeps it frozen when training goes on. Repeat it for several modalities."`
	Unfreeze    []string `placeholder:"NAME" help:"Train the backbone of modality NAME again that the model of --init has frozen."`
	Dropout     *float64 `placeholder:"P" help:"In training, set each feature that the head sees to 0 with probability P, and scale the others up by 1/(1-P) (default: 0, or that of --init)."`
	Standardize *bool    `negatable:"" help:"Give every element of every modality mean 0 and deviation 1 over the training samples; the model keeps the numbers (default: true)."`
}

// refuse returns an error where a flag would change the model of --init.
func (m modelFlags) refuse() error {
	for _, f := range []struct {
		name  string
		given bool
	}{{"backbone", len(m.Backbone) > 0}, {"input", len(m.Input) > 0}, {"fusion", m.Fusion != nil}, {"standardize", m.Standardize != nil}} {
		if f.given {
			return cli.Usage("--%s: the model of --init already is what it is", f.name)
		}
	}
	return nil
}

// spec returns the model that the flags and the samples describe.
func (m modelFlags) spec(h schema.Header) (network.Spec, error) {
	spec := network.Spec{Fusion: "concat", Classes: h.Classes}
	if m.Fusion != nil {
		spec.Fusion = *m.Fusion
	}
	for _, mod := range h.Modalities {
		spec.Modalities = append(spec.Modalities,
			network.Channel{Modality: mod, Backbone: "mlp:512", Standardize: m.Standardize == nil || *m.Standardize})
	}
	for _, b := range m.Backbone {
		name, description, named := strings.Cut(b, "=")
		if !named {
			description = b
		}
		found := false
		for i := range spec.Modalities {
			if !named || spec.Modalities[i].Name == name {
				spec.Modalities[i].Backbone, found = description, true
			}
		}
		if !found {
			return spec, cli.Usage("--backbone %s: no modality %q; the samples have %v", b, name, modality.Names(h.Modalities))
		}
	}
	for _, in := range m.Input {
		name, description, _ := strings.Cut(in, "=")
		at := slices.IndexFunc(spec.Modalities, func(c network.Channel) bool { return c.Name == name })
		if at < 0 {
			return spec, cli.Usage("--input %s: no modality %q; the samples have %v", in, name, modality.Names(h.Modalities))
		}
		spec.Modalities[at].Input = description
	}
	set(&spec.Dropout, m.Dropout)
	if len(h.Classes) < 2 {
		return spec, stream.Errorf("the samples have the classes %q: a classifier tells two at least apart", h.Classes)
	}
	if err := spec.Check(); err != nil {
		return spec, cli.Usage("the model cannot be built: %w", err)
	}
	return m.freeze(spec)
}

// freeze sets which backbones are trained.
func (m modelFlags) freeze(spec network.Spec) (network.Spec, error) {
	if err := checkNames("--freeze", spec, m.Freeze...); err != nil {
		return spec, err
	}
	if err := checkNames("--unfreeze", spec, m.Unfreeze...); err != nil {
		return spec, err
	}
	spec.Modalities = slices.Clone(spec.Modalities)
	for i := range spec.Modalities {
		c := &spec.Modalities[i]
		frozen, thawed := slices.Contains(m.Freeze, c.Name), slices.Contains(m.Unfreeze, c.Name)
		if frozen && thawed {
			return spec, cli.Usage("--freeze %s and --unfreeze %s: which of the two?", c.Name, c.Name)
		}
		c.Frozen = (c.Frozen || frozen) && !thawed
	}
	return spec, nil
}

// change sets what the flags change in a model of --init.
func (m modelFlags) change(model *checkpoint.Checkpoint) error {
	if len(m.Freeze)+len(m.Unfreeze) == 0 && m.Dropout == nil {
		return nil
	}
	spec, err := specOf(model)
	if err != nil {
		return err
	}
	if spec, err = m.freeze(spec); err != nil {
		return err
	}
	set(&spec.Dropout, m.Dropout)
	if err := spec.Check(); err != nil {
		return cli.Usage("--dropout: %w", err)
	}
	if model.Spec, err = json.Marshal(spec); err != nil {
		return fmt.Errorf("writing mm.spec: %w", err)
	}
	return nil
}

// checkNames refuses a name that no modality of the model has.
func checkNames(flag string, spec network.Spec, names ...string) error {
	for _, name := range names {
		if have := modality.Names(spec.Channels()); !slices.Contains(have, name) {
			return cli.Usage("%s %s: no modality %q; the model has %v", flag, name, name, have)
		}
	}
	return nil
}

func specOf(model *checkpoint.Checkpoint) (network.Spec, error) { return network.ParseSpec(model.Spec) }

// trainingFlags change the settings of the training, which a model carries from run to run.
type trainingFlags struct {
	BatchSize   *int     `placeholder:"N" env:"MM_BATCH_SIZE" help:"Take N rows a step (default: 64, or that of --init)."`
	Optimizer   *string  `placeholder:"NAME" help:"Optimize with adam, adamw or sgd, as PyTorch defines them (default: adam, or that of --init)."`
	LR          *float64 `name:"lr" placeholder:"RATE" help:"Base learning rate (default: 0.001, or that of --init)."`
	LRSchedule  *string  `name:"lr-schedule" placeholder:"SPEC" help:"Learning rate over epochs: constant, step:EVERY:FACTOR or cosine:EPOCHS[:LAST], epochs counted from the model's first (default: constant, or that of --init)."`
	WeightDecay *float64 `placeholder:"W" help:"Weight decay: added to the gradient by adam and sgd, taken off the weights by adamw (default: 0.0001, or that of --init)."`
	Momentum    *float64 `placeholder:"M" help:"Momentum of sgd (default: 0.9, or that of --init)."`
	ClipNorm    *float64 `placeholder:"MAX" help:"Scale the gradient of all parameters down to norm MAX where it is larger; 0 never does (default: 0, or that of --init)."`
	LRFactor    []string `name:"lr-factor" sep:"none" placeholder:"NAME=F" help:"Multiply the learning rate of modality NAME's backbone by F (default: 1, or that of --init). Repeat it for several modalities."`
	Seed        *uint64  `placeholder:"N" env:"MM_SEED" help:"Seed of every random choice; the same seed gives the same bytes (default: 0, or that of --init)."`
}

// state returns the settings in force: those of from, a model's, or the defaults where it is new, with the flags on top.
func (t trainingFlags) state(from checkpoint.State) checkpoint.State {
	s := from
	if s.Optimizer.Name == "" {
		s.BatchSize, s.Schedule = 64, "constant"
		s.Optimizer = checkpoint.Optimizer{Name: "adam", LR: 1e-3, WeightDecay: 1e-4}
	}
	set(&s.BatchSize, t.BatchSize)
	set(&s.Optimizer.Name, t.Optimizer)
	set(&s.Optimizer.LR, t.LR)
	set(&s.Schedule, t.LRSchedule)
	set(&s.Optimizer.WeightDecay, t.WeightDecay)
	set(&s.Optimizer.ClipNorm, t.ClipNorm)
	set(&s.Seed, t.Seed)
	if s.Optimizer.Name == "sgd" {
		if from.Optimizer.Name != "sgd" {
			s.Optimizer.Momentum = 0.9 // the published choice
		}
		set(&s.Optimizer.Momentum, t.Momentum)
		s.Optimizer.Beta1, s.Optimizer.Beta2, s.Optimizer.Epsilon = 0, 0, 0
	} else {
		s.Optimizer.Beta1, s.Optimizer.Beta2, s.Optimizer.Epsilon = 0.9, 0.999, 1e-8
		s.Optimizer.Momentum = 0
	}
	return s
}

// factors sets the factors of the learning rate that the flags give, those of from otherwise. A factor of 1 is none.
func (t trainingFlags) factors(s *checkpoint.State, spec network.Spec) error {
	if len(t.LRFactor) == 0 {
		return nil
	}
	all := map[string]float64{}
	maps.Copy(all, s.Optimizer.Factors)
	for _, v := range t.LRFactor {
		name, text, _ := strings.Cut(v, "=")
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || !(f >= 0) || math.IsInf(f, 0) {
			return cli.Usage("--lr-factor: got %q, want NAME=F, F a finite number, 0 or more", v)
		}
		if err := checkNames("--lr-factor", spec, name); err != nil {
			return err
		}
		all[name] = f
	}
	maps.DeleteFunc(all, func(_ string, f float64) bool { return f == 1 })
	s.Optimizer.Factors = all
	return nil
}

func set[T any](to *T, from *T) {
	if from != nil {
		*to = *from
	}
}

// check refuses settings out of range.
func (t trainingFlags) check() error {
	if t.BatchSize != nil && *t.BatchSize < 1 {
		return cli.Usage("--batch-size: got %d, want 1 or more", *t.BatchSize)
	}
	if t.Optimizer != nil && !slices.Contains(train.Optimizers, *t.Optimizer) {
		return cli.Usage("--optimizer: got %q, want one of %v", *t.Optimizer, train.Optimizers)
	}
	if t.LRSchedule != nil {
		if _, err := train.ParseSchedule(*t.LRSchedule); err != nil {
			return cli.Usage("--lr-schedule: %w", err)
		}
	}
	return nil
}

// checkOptimizer refuses settings that the optimizer cannot have.
func (t trainingFlags) checkOptimizer(o checkpoint.Optimizer) error {
	if t.Momentum != nil && o.Name != "sgd" {
		return cli.Usage("--momentum is of --optimizer sgd: this one is %s", o.Name)
	}
	if err := train.CheckOptimizer(o); err != nil {
		return cli.Usage("%w", err)
	}
	return nil
}
