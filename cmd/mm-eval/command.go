package main

import "mmtools/pkg/cli"

type command struct {
	Evaluate      evaluateCommand      `cmd:"" default:"withargs" help:"Measure a model on labelled samples; this is what mm-eval does without a command name."`
	Contributions contributionsCommand `cmd:"" help:"Summarise, draw and check the contributions of one run or several."`
	Compare       compareCommand       `cmd:"" help:"Compare the results of several methods, in a table, a figure and a page."`
	Show          showCommand          `cmd:"" help:"Describe a stream: its kind, header, columns and rows; of a model, its parts and state."`

	cli.Logging
}
