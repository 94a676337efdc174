package main

import (
	"slices"

	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
	"mmtools/pkg/modality"
)

type arraysCommand struct {
	Modality []string `required:"" sep:"none" placeholder:"NAME=FILE.npy[:SHAPE]" help:"Take modality NAME from FILE, a row for each sample; repeat for more modalities, in the order of the stream. SHAPE, such as 16x40, shapes a row; without it a row keeps the array's own shape."`
	Kind     []string `sep:"none" placeholder:"NAME=KIND" help:"Say what modality NAME is: audio, image, video, flow, text or embedding (default: embedding). Repeat for more modalities."`
	Labels   string   `placeholder:"FILE.npy" help:"Take the labels from FILE, a whole number from 0 for each sample (default: no sample has a label)."`
	Classes  string   `placeholder:"FILE|NAME,NAME,..." help:"Name the classes in label order, in a list with commas or in a FILE with a name a line (default: 0 up to the largest label in the whole file, also where --mask leaves it out)."`
	IDs      string   `name:"ids" placeholder:"FILE" help:"Take the samples' ids from FILE, an id a line (default: the row in the arrays, from 0)."`
	Mask     string   `placeholder:"FILE.npy" help:"Keep the samples for which FILE holds true, or a number other than 0."`
	Invert   bool     `help:"Keep the samples for which --mask holds false."`

	product
}

// Run encodes the arrays.
func (c *arraysCommand) Run(ctx *cli.Context) error {
	if c.Invert && c.Mask == "" {
		return cli.Usage("--invert needs --mask FILE.npy")
	}
	classes, err := parseClasses(c.Classes)
	if err != nil {
		return err
	}
	o := encode.ArraysOptions{Labels: c.Labels, IDs: c.IDs, Mask: c.Mask, Invert: c.Invert, Classes: classes}
	for _, text := range c.Modality {
		m, err := parseArray(text)
		if err != nil {
			return err
		}
		o.Modalities = append(o.Modalities, m)
	}
	for _, text := range c.Kind {
		if err := setKind(o.Modalities, text); err != nil {
			return err
		}
	}
	src, err := encode.OpenArrays(o)
	if err != nil {
		return err
	}
	defer src.Close()
	return c.write(ctx, src)
}

// setKind applies one --kind NAME=KIND.
func setKind(ms []encode.ArrayModality, text string) error {
	name, value, ok := cutName(text)
	if !ok {
		return cli.Usage("--kind %s: want NAME=KIND", text)
	}
	kind := modality.Kind(value)
	if !slices.Contains(modality.Kinds, kind) {
		return cli.Usage("--kind %s: kind %q is not one of %v", text, value, modality.Kinds)
	}
	i := slices.IndexFunc(ms, func(m encode.ArrayModality) bool { return m.Name == name })
	if i < 0 {
		return cli.Usage("--kind %s: no --modality %s", text, name)
	}
	ms[i].Kind = kind
	return nil
}
