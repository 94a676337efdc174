// Mm-fit trains a multimodal classifier: samples, and optionally a model to go on from and a plan, to a model.
package main

import (
	"os"

	"mmtools/pkg/cli"
)

const description = `Trains a multimodal classifier on a samples stream and writes a model stream.

A model has one backbone a modality, a fusion of their features, and one linear head. Without --init it is new, with PyTorch's default initialisation; with --init MODEL training goes on exactly where that model stopped, with its settings unless a flag changes them: ten runs of one epoch give the same bytes as one run of ten. Without --plan every epoch holds every sample once, whole; with it, the rows of the plan, each with its kept modalities and weight.

Weights are exchanged with PyTorch as safetensors files: --weights starts a backbone, or the whole model, from one, --export writes them. A backbone can be frozen, or learn at a rate of its own; the model keeps both.

The samples come from a file, which is mapped, or through a pipe, which is copied to a temporary file (in TMPDIR) first: neither has to fit in memory.

Examples:
  mm-fit --epochs 5 --seed 7 -o model.arrow train.arrows
  mm-value --model model.arrow train.arrows | mm-resample | mm-fit --init model.arrow --plan - -o model.arrow train.arrows
  mm-fit --backbone audio=mlp:256,128 --backbone image=linear:128 --fusion sum -o model.arrow train.arrows
  mm-fit --backbone resnet18 --weights visual=resnet18.safetensors --lr-factor visual=0.1 -o model.arrow train.arrows
  mm-fit --init model.arrow --epochs 0 --export visual=visual.safetensors`

func main() { os.Exit(cli.Main("mm-fit", description, &command{})) }
