package main

import (
	"path/filepath"

	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
)

type mediaCommand struct {
	Manifest string `required:"" placeholder:"FILE.csv" help:"List the samples in FILE, comma-separated (.tsv: by tabs), with a first line that names the columns; or in a table of JSON lines (.jsonl), Parquet or Arrow."`
	Root     string `placeholder:"DIR" help:"Take the list's paths from DIR, which they must not leave (default: the list's own folder)."`
	ID       string `name:"id" required:"" placeholder:"COL" help:"Take the ids, each once, from column COL."`
	Label    string `placeholder:"COL" help:"Take the class names from column COL; an empty field leaves the sample unlabelled (default: no sample has a label)."`

	selection
	channelFlags
	product
}

// Help implements kong's HelpProvider.
func (c *mediaCommand) Help() string { return channelHelp() }

// Run encodes the media of the list.
func (c *mediaCommand) Run(ctx *cli.Context) error {
	if c.OnlyClasses && (c.Classes == "" || c.Label == "") {
		return cli.Usage("--only-classes needs --classes and --label")
	}
	o := encode.MediaOptions{Root: c.Root, ID: c.ID, Label: c.Label}
	var err error
	if o.Channels, err = c.specs(); err != nil {
		return err
	}
	if err := c.choose(&o); err != nil {
		return err
	}
	if err := keep(ctx, o.Channels, c.Manifest, c.Classes); err != nil {
		return err
	}
	if o.List, err = encode.ReadList(c.Manifest); err != nil {
		return err
	}
	if o.Root == "" {
		o.Root = filepath.Dir(c.Manifest)
	}
	return c.encode(ctx, o)
}
