package main

import (
	"path/filepath"
	"slices"
	"strings"

	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
	"mmtools/pkg/modality"
)

type arraysCommand struct {
	Modality []string `required:"" sep:"none" placeholder:"NAME=FILE[:SHAPE]" help:"Take modality NAME from FILE, with a row for each sample (npy), or a table (csv, tsv, jsonl, parquet, arrow, feather), npz or safetensors file, or a folder of npy, npz or safetensors files that are called as their samples; repeat for more modalities, in the order of the stream. SHAPE, such as 16x40, shapes a row; without it a row keeps the file's own shape. In its place may stand settings, KEY=VALUE,..., as described above."`
	Kind     []string `sep:"none" placeholder:"NAME=KIND" help:"Say what modality NAME is: audio, image, video, flow, text or embedding (default: embedding). Repeat for more modalities."`
	Labels   string   `sep:"none" placeholder:"FILE[:KEY=VALUE,...]" help:"Take the labels from FILE: class names, or whole numbers from 0, for each sample (npy, txt) or by id (csv, tsv, jsonl, parquet, arrow, feather, npz, safetensors) (default: no sample has a label)."`
	Classes  string   `placeholder:"FILE|NAME,NAME,..." help:"Name the classes in label order, in a list with commas or in a FILE with a name a line (default: 0 up to the largest label in the whole file, also where --mask leaves it out; where labels are no numbers, their names, sorted)."`
	IDs      string   `name:"ids" placeholder:"FILE" help:"Take the samples' ids from FILE, an id a line (default: those of the first file that names its samples, or the row in the arrays, from 0)."`
	Mask     string   `placeholder:"FILE.npy" help:"Keep the samples for which FILE holds true, or a number other than 0."`
	Invert   bool     `help:"Keep the samples for which --mask holds false."`

	OnMissing string   `default:"fail" enum:"fail,skip,null" placeholder:"POLICY" help:"Where a file has no row of a sample, end with an error (fail), leave the sample out (skip), or keep it without that modality (null) (default: ${default})."`
	Encoder   []string `sep:"none" placeholder:"NAME=FILE.onnx[:KEY=VALUE,...]" help:"Run the ONNX model in FILE over modality NAME, and keep its output, an embedding, in its place, as mm-encode media does. Repeat for more modalities."`

	product
}

const arraysHelp = `Files that name their samples are joined by id: --ids, or else the first of them, or else --labels, says which samples there are and in which
order; what another lacks is as --on-missing says, a sample that --labels lacks is unlabelled, and ids that a file has beyond the samples are reported. Row i of a file without ids,
and of --mask, is sample i.

Numbers that are stored as float16 or uint8 stay so, also in lists of Parquet and Arrow files; all others become float32, rounded to nearest, and so do those that --encoder takes.

`

// Help implements kong's HelpProvider.
func (c *arraysCommand) Help() string {
	return arraysHelp + kindsHelp(encode.FileKind, encode.LabelsKind, encode.EncoderKind)
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
	labels, err := encode.ParseLabels(c.Labels)
	if err != nil {
		return cli.Usage("--labels %s: %w", c.Labels, err)
	}
	var files []encode.FeatureSpec
	plain := len(c.Encoder) == 0 && (c.Labels == "" || isNPY(c.Labels) && !labels.Named())
	for _, text := range c.Modality {
		m, err := parseFile(text)
		if err != nil {
			return err
		}
		files = append(files, m)
		plain = plain && isNPY(m.File) && m.Values == "" && m.IDs == ""
	}
	for _, text := range c.Kind {
		if err := setKind(files, text); err != nil {
			return err
		}
	}
	var specs []encode.Spec
	for _, f := range files {
		specs = append(specs, f)
	}
	if specs, err = encoded(specs, c.Encoder); err != nil {
		return err
	}
	if err := keep(ctx, specs, labels.Path, c.IDs, c.Mask, c.Classes); err != nil {
		return err
	}
	if !plain {
		return c.join(ctx, files, specs, labels, classes)
	}
	o := encode.ArraysOptions{Labels: c.Labels, IDs: c.IDs, Mask: c.Mask, Invert: c.Invert, Classes: classes}
	for _, m := range files {
		o.Modalities = append(o.Modalities, encode.ArrayModality{Name: m.Name, Kind: m.Kind, File: m.File, Shape: m.Shape})
	}
	src, err := encode.OpenArrays(o)
	if err != nil {
		return err
	}
	defer src.Close()
	return c.write(ctx, src)
}

func isNPY(file string) bool { return strings.EqualFold(filepath.Ext(file), ".npy") }

// join encodes files of which some are no npy, or feed a model.
func (c *arraysCommand) join(ctx *cli.Context, files []encode.FeatureSpec, specs []encode.Spec, labels encode.LabelSource, classes []string) error {
	o := encode.JoinedOptions{Modalities: files, Labels: labels, IDs: c.IDs, Mask: c.Mask, Invert: c.Invert, Classes: classes,
		Missing: encode.Policy(c.OnMissing), Errors: encode.Policy(c.OnError)}
	for _, s := range specs {
		if e, ok := s.(encode.EncoderSpec); ok {
			o.Encoders = append(o.Encoders, e.EncoderOptions)
		}
	}
	src, err := encode.OpenJoined(o)
	if err != nil {
		return err
	}
	return c.encodeSource(ctx, src)
}

// setKind applies one --kind NAME=KIND.
func setKind(ms []encode.FeatureSpec, text string) error {
	name, value, ok := cutName(text)
	if !ok {
		return cli.Usage("--kind %s: want NAME=KIND", text)
	}
	kind := modality.Kind(value)
	if !slices.Contains(modality.Kinds, kind) {
		return cli.Usage("--kind %s: kind %q is not one of %v", text, value, modality.Kinds)
	}
	i := slices.IndexFunc(ms, func(m encode.FeatureSpec) bool { return m.Name == name })
	if i < 0 {
		return cli.Usage("--kind %s: no --modality %s", text, name)
	}
	ms[i].Kind = kind
	return nil
}
