package main

import (
	"encoding/json"
	"io"

	"mmtools/pkg/cli"
	"mmtools/pkg/report"
)

type compareCommand struct {
	Results       []string `arg:"" name:"results" placeholder:"[NAME=]FILE.json" help:"Results of mm-eval --format json, each a FILE or NAME=FILE; - is standard input. Several files under one NAME are one method with several seeds (default name: the file's)."`
	Against       []string `sep:"none" placeholder:"NAME" help:"Say too by how much every method is above method NAME, seed by seed, with a 95% interval; the results of all methods are pairs in the order in which they are given. Repeat it for several."`
	Format        string   `default:"table" enum:"table,json" placeholder:"FORMAT" help:"Print a table or json (default: ${default})."`
	Figure        string   `placeholder:"FILE" help:"Draw the accuracies into FILE, .svg or .png."`
	HTML          string   `name:"html" placeholder:"FILE" help:"Write a page of tables and figures, which needs no other file, to FILE."`
	Contributions []string `sep:"none" placeholder:"[NAME=]FILE" help:"Contributions stream whose distribution the page shows; repeat it to lay one over another."`
	Title         string   `default:"Comparison of methods" placeholder:"TEXT" help:"Title of the figure and of the page (default: ${default})."`

	cli.Output
}

// Run compares the results.
func (c *compareCommand) Run(ctx *cli.Context) error {
	if c.Figure != "" {
		if _, err := report.FormatOf(c.Figure); err != nil {
			return cli.Usage("--figure: %w", err)
		}
	}
	if len(c.Contributions) > 0 && c.HTML == "" {
		return cli.Usage("--contributions: they are shown on the page of --html, which is not asked for")
	}
	results, err := parseNamed(c.Results)
	if err != nil {
		return err
	}
	streams, err := parseNamed(c.Contributions)
	if err != nil {
		return err
	}
	out, err := ctx.CreateText(c.Output.Output)
	if err != nil {
		return err
	}
	defer out.Abort()
	all, err := readComparison(ctx, results)
	if err != nil {
		return err
	}
	if err := all.checkAgainst(c.Against); err != nil {
		return err
	}
	side := &files{ctx: ctx}
	defer side.abort()
	if c.Figure != "" {
		f, err := all.accuracyFigure(c.Title)
		if err != nil {
			return err
		}
		if err := side.figure(c.Figure, f); err != nil {
			return err
		}
	}
	if c.HTML != "" {
		if err := c.writePage(ctx, side, all, streams); err != nil {
			return err
		}
	}
	if c.Format == "json" {
		err = all.writeJSON(out, c.Against)
	} else {
		tables := []*report.Table{all.accuracyTable(), all.contributionTable()}
		for _, name := range c.Against {
			tables = append(tables, all.differenceTable(name))
		}
		err = writeTables(out, tables)
	}
	if err != nil {
		return err
	}
	if err := side.commit(); err != nil {
		return err
	}
	return out.Commit()
}

// writePage writes the page of --html.
func (c *compareCommand) writePage(ctx *cli.Context, side *files, all *comparison, streams []named) error {
	runs, err := readRuns(ctx, streams, nil)
	if err != nil {
		return err
	}
	page, err := all.page(c.Title, runs, ctx.Tool)
	if err != nil {
		return err
	}
	return side.page(c.HTML, page)
}

// spreadJSON is a figure over the seeds of a method.
type spreadJSON struct {
	Mean      number `json:"mean"`
	Deviation number `json:"deviation"`
}

type methodJSON struct {
	Seeds                int                         `json:"seeds"`
	Accuracy             spreadJSON                  `json:"accuracy"`
	MacroF1              spreadJSON                  `json:"macro_f1"`
	MeanAveragePrecision spreadJSON                  `json:"mean_average_precision"`
	Coalitions           ordered[spreadJSON]         `json:"coalitions"`
	OneModality          spreadJSON                  `json:"one_modality"`
	Modalities           ordered[modalitySpreadJSON] `json:"modalities"`
	// Differences are by which it is above other methods, with the limits of 95% intervals.
	Differences ordered[ordered[differenceJSON]] `json:"above,omitempty"`
}

type modalitySpreadJSON struct {
	Accuracy         spreadJSON `json:"accuracy"`
	MeanContribution spreadJSON `json:"mean_contribution"`
	ShareBelowOne    spreadJSON `json:"share_below_one"`
}

func (c *comparison) writeJSON(w io.Writer, against []string) error {
	var all ordered[methodJSON]
	for _, m := range c.methods {
		spread := func(pick figure) spreadJSON {
			mean, deviation := m.spread(pick)
			return spreadJSON{number(mean), number(deviation)}
		}
		j := methodJSON{Seeds: len(m.results), Accuracy: spread(accuracy), MacroF1: spread(macroF1), MeanAveragePrecision: spread(meanAveragePrecision), OneModality: spread(oneModality)}
		for k, name := range c.coalitions {
			j.Coalitions = append(j.Coalitions, entry[spreadJSON]{name, spread(coalition(k))})
		}
		for p, name := range c.modalities {
			j.Modalities = append(j.Modalities, entry[modalitySpreadJSON]{name, modalitySpreadJSON{
				spread(alone(p)), spread(meanContribution(p)), spread(shareBelowOne(p))}})
		}
		if len(against) > 0 {
			j.Differences = c.differences(m, against)
		}
		all = append(all, entry[methodJSON]{m.name, j})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(all)
}
