package main

import "mmtools/pkg/cli"

type contributionsCommand struct {
	Streams     []string `arg:"" optional:"" name:"contributions" placeholder:"[NAME=]FILE" help:"Contributions streams, each under a name of its own (default: the file's name; without any, standard input)."`
	Format      string   `default:"table" enum:"table,json" placeholder:"FORMAT" help:"Print a table or json (default: ${default})."`
	Figure      string   `placeholder:"FILE" help:"Draw the distributions into FILE, .svg or .png."`
	Title       string   `default:"Contributions" placeholder:"TEXT" help:"Title of the figure (default: ${default})."`
	Truth       string   `placeholder:"FILE.csv" help:"Compare the modality that contributes least with the one that FILE.csv says is noisy, sample by sample."`
	TruthID     string   `name:"truth-id" default:"id" placeholder:"COL" help:"Take the ids of --truth from column COL (default: ${default})."`
	TruthColumn string   `default:"noisy" placeholder:"COL" help:"Take the noisy modality's name from column COL of --truth; samples with another value there are left out (default: ${default})."`

	cli.Output
}

// Run summarizes the streams.
func (c *contributionsCommand) Run(*cli.Context) error { return nil }
