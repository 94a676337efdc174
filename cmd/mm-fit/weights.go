package main

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"mmtools/pkg/checkpoint"
	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
)

// weightFlags exchange weights with PyTorch.
type weightFlags struct {
	Weights     []string `sep:"none" placeholder:"[NAME=]FILE" help:"Start the backbone of modality NAME from a safetensors file with PyTorch's names, such as torchvision's ResNet-18 trained on ImageNet (its fc is ignored), or, without NAME, the whole model from one with the model's own. A tensor that is missing, of another shape or unknown is an error that counts them and names the first. Repeat it for several backbones."`
	WeightsStem string   `default:"exact" enum:"exact,sum,drawn" placeholder:"HOW" help:"First convolution of --weights NAME=FILE that was trained on another number of channels: refuse it with exact; sum spreads the sum over its channels evenly on the model's; drawn leaves the model's as it was drawn (default: ${default})."`
	Export      []string `sep:"none" placeholder:"[NAME=]FILE" help:"Write the backbone of modality NAME, or the whole model, to a safetensors file too, with the names of --weights: the best epoch's weights where the model keeps them. With --init MODEL --epochs 0 and neither SAMPLES nor -o, that is all that is done, and no samples are read."`
}

// namedFile splits [NAME=]FILE; a path with = in it is no name before it where it could not be a modality's.
func namedFile(s string) (name, path string) {
	name, path, found := strings.Cut(s, "=")
	if found && modality.CheckName(name) == nil {
		return name, path
	}
	return "", s
}

// refuse returns an error where weights would replace those of --init, with which its training would not go on.
func (w weightFlags) refuse() error {
	if len(w.Weights) > 0 {
		return cli.Usage("--weights: the model of --init has its weights")
	}
	return nil
}

// check refuses flags that name a modality that the model has not.
func (w weightFlags) check(spec network.Spec) error {
	if err := checkFiles("--weights", spec, w.Weights); err != nil {
		return err
	}
	return checkFiles("--export", spec, w.Export)
}

func checkFiles(flag string, spec network.Spec, values []string) error {
	for _, v := range values {
		name, path := namedFile(v)
		if path == "" {
			return cli.Usage("%s %s: no file", flag, v)
		}
		if name == "" {
			continue
		}
		if err := checkNames(flag, spec, name); err != nil {
			return err
		}
	}
	return nil
}

// load takes the weights of the files into a new model.
func (w weightFlags) load(ctx *cli.Context, model *checkpoint.Checkpoint, spec network.Spec) error {
	layout, err := spec.Layout()
	if err != nil {
		return err
	}
	for _, v := range w.Weights {
		name, path := namedFile(v)
		if err := ctx.Keep(path); err != nil {
			return err
		}
		if err := loadFile(model, layout, name, path, w.WeightsStem); err != nil {
			return err
		}
	}
	return nil
}

func loadFile(model *checkpoint.Checkpoint, layout network.Layout, name, path, stem string) error {
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("reading weights: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("reading weights: %w", err)
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("reading weights from %s: want a file: tensors are read in the model's order", path)
	}
	file, err := checkpoint.OpenSafetensors(f, info.Size(), path)
	if err != nil {
		return err
	}
	if err = layout.TakeWeights(model.Tensors, file, name, stem); err == nil {
		return nil
	}
	if misfit := (*network.Misfit)(nil); errors.As(err, &misfit) {
		err = fmt.Errorf("%s: %w", path, err)
		if misfit.Stem {
			return cli.Hint(err, "--weights-stem says what becomes of a first convolution that was trained on other channels")
		}
	}
	return err
}

// exports are safetensors files under way.
type exports []export

type export struct {
	*cli.Product
	name string // of a modality, or "" for the whole model
}

// create starts the files, so that one that cannot be written is found before the training. init is the model of --init, or "".
func (w weightFlags) create(ctx *cli.Context, init string) (exports, error) {
	var all exports
	for _, v := range w.Export {
		name, path := namedFile(v)
		p, err := ctx.Create(path)
		if err == nil && init != "" && p.Replaces(init) {
			p.Abort()
			err = cli.Usage("--export %s: that is the model of --init, which would be lost", v)
		}
		if err != nil {
			all.abort()
			return nil, err
		}
		all = append(all, export{p, name})
	}
	return all, nil
}

func (e exports) abort() {
	for _, x := range e {
		x.Abort()
	}
}

// write writes the files, and then puts them in place.
func (e exports) write(model *checkpoint.Checkpoint, spec network.Spec) error {
	layout, err := spec.Layout()
	if err != nil {
		return err
	}
	for _, x := range e {
		tensors, err := layout.GiveWeights(model, x.name)
		if err != nil {
			return err
		}
		if err := checkpoint.WriteSafetensors(x, tensors); err != nil {
			return err
		}
	}
	for _, x := range e {
		if err := x.Commit(); err != nil {
			return err
		}
	}
	return nil
}
