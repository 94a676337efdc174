package main

import (
	"path/filepath"

	"mmtools/pkg/cli"
	"mmtools/pkg/encode"
)

type mediaCommand struct {
	Manifest    string       `required:"" placeholder:"FILE.csv" help:"List the samples in FILE, comma-separated (.tsv: by tabs), with a first line that names the columns."`
	Root        string       `placeholder:"DIR" help:"Take the list's paths from DIR, which they must not leave (default: the list's own folder)."`
	ID          string       `name:"id" required:"" placeholder:"COL" help:"Take the ids, each once, from column COL."`
	Label       string       `placeholder:"COL" help:"Take the class names from column COL; an empty field leaves the sample unlabelled (default: no sample has a label)."`
	Classes     string       `placeholder:"FILE|NAME,NAME,..." help:"Name the classes in label order, in a list with commas or in a FILE with a name a line (default: the values of the label column in the whole list, sorted, by number where all are numbers)."`
	Where       []string     `sep:"none" placeholder:"COL=VALUE" help:"Keep the samples whose column COL is VALUE. Repeat it for another column, where both must hold, or for the same one, where any value does."`
	Split       string       `placeholder:"NAME" help:"Keep the samples whose column split is NAME: as --where split=NAME."`
	OnlyClasses bool         `help:"Leave out the samples whose label is none of --classes, where it would be an error."`
	OnMissing   string       `default:"fail" enum:"fail,skip,null" placeholder:"POLICY" help:"Where a file that the list names is not there, end with an error (fail), leave the sample out (skip), or keep it without that modality (null) (default: ${default})."`
	Channels    channelFlags `embed:""`
	product
}

// Help implements kong's HelpProvider.
func (c *mediaCommand) Help() string { return channelHelp() }

// Run encodes the media of the list.
func (c *mediaCommand) Run(ctx *cli.Context) error {
	o := encode.MediaOptions{Root: c.Root, ID: c.ID, Label: c.Label, OnlyClasses: c.OnlyClasses, Missing: encode.Policy(c.OnMissing), Errors: encode.Policy(c.OnError)}
	var err error
	if o.Channels, err = c.Channels.specs(); err != nil {
		return err
	}
	if o.Classes, err = parseClasses(c.Classes); err != nil {
		return err
	}
	if c.OnlyClasses && (c.Classes == "" || c.Label == "") {
		return cli.Usage("--only-classes needs --classes and --label")
	}
	if c.Split != "" {
		o.Where = append(o.Where, encode.Condition{Column: "split", Values: []string{c.Split}})
	}
	for _, text := range c.Where {
		if o.Where, err = addCondition(o.Where, text); err != nil {
			return err
		}
	}
	if o.List, err = encode.ReadManifest(c.Manifest); err != nil {
		return err
	}
	if o.Root == "" {
		o.Root = filepath.Dir(c.Manifest)
	}
	src, err := encode.OpenMedia(o)
	if err != nil {
		return err
	}
	defer src.Close()
	return c.write(ctx, src)
}
