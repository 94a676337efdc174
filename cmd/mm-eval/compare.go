package main

import "mmtools/pkg/cli"

type compareCommand struct {
	Results       []string `arg:"" name:"results" placeholder:"[NAME=]FILE.json" help:"Results of mm-eval --format json. Several files under one NAME are one method with several seeds (default name: the file's)."`
	Format        string   `default:"table" enum:"table,json" placeholder:"FORMAT" help:"Print a table or json (default: ${default})."`
	Figure        string   `placeholder:"FILE" help:"Draw the accuracies into FILE, .svg or .png."`
	HTML          string   `name:"html" placeholder:"FILE" help:"Write a page of tables and figures, which needs no other file, to FILE."`
	Contributions []string `sep:"none" placeholder:"[NAME=]FILE" help:"Contributions stream whose distribution the page shows; repeat it to lay one over another."`
	Title         string   `default:"Comparison of methods" placeholder:"TEXT" help:"Title of the figure and of the page (default: ${default})."`

	cli.Output
}

// Run compares the results.
func (c *compareCommand) Run(*cli.Context) error { return nil }
