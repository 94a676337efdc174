package main

import (
	"encoding/json"
	"io"

	"mmtools/pkg/cli"
	"mmtools/pkg/report"
)

type contributionsCommand struct {
	Streams     []string `arg:"" optional:"" name:"contributions" placeholder:"[NAME=]FILE" help:"Contributions streams, each a FILE or NAME=FILE, under a name of its own (default: the file's name; without any, standard input)."`
	Format      string   `default:"table" enum:"table,json" placeholder:"FORMAT" help:"Print a table or json (default: ${default})."`
	Figure      string   `placeholder:"FILE" help:"Draw the distributions into FILE, .svg or .png."`
	Title       string   `default:"Contributions" placeholder:"TEXT" help:"Title of the figure (default: ${default})."`
	Truth       string   `placeholder:"FILE.csv" help:"Compare the modality that contributes least with the one that FILE.csv says is noisy, sample by sample."`
	TruthID     string   `name:"truth-id" default:"id" placeholder:"COL" help:"Take the ids of --truth from column COL (default: ${default})."`
	TruthColumn string   `default:"noisy" placeholder:"COL" help:"Take the noisy modality's name from column COL of --truth; samples with another value there are left out (default: ${default})."`

	cli.Output
}

// Run summarizes the streams.
func (c *contributionsCommand) Run(ctx *cli.Context) error {
	streams, err := c.parse()
	if err != nil {
		return err
	}
	out, err := ctx.CreateText(c.Output.Output)
	if err != nil {
		return err
	}
	defer out.Abort()
	var t *truth
	if c.Truth != "" {
		if t, err = readTruth(c.Truth, c.TruthID, c.TruthColumn); err != nil {
			return err
		}
	}
	runs, err := readRuns(ctx, streams, t)
	if err != nil {
		return err
	}
	side := &files{ctx: ctx}
	defer side.abort()
	if c.Figure != "" {
		f, err := drawRuns(c.Title, runs)
		if err != nil {
			return err
		}
		if err := side.figure(c.Figure, f); err != nil {
			return err
		}
	}
	if c.Format == "json" {
		err = writeRunsJSON(out, runs)
	} else {
		err = writeRunsTable(out, runs)
	}
	if err != nil {
		return err
	}
	if err := side.commit(); err != nil {
		return err
	}
	return out.Commit()
}

func (c *contributionsCommand) parse() ([]named, error) {
	if c.Figure != "" {
		if _, err := report.FormatOf(c.Figure); err != nil {
			return nil, cli.Usage("--figure: %w", err)
		}
	}
	if len(c.Streams) == 0 {
		return []named{{"stdin", "-"}}, nil
	}
	files, err := parseNamed(c.Streams)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range files {
		if seen[f.name] {
			return nil, cli.Usage("two streams are called %q: name them NAME=FILE", f.name)
		}
		seen[f.name] = true
	}
	return files, nil
}

func drawRuns(title string, runs []*run) (*report.Figure, error) {
	f, err := report.Contributions(title, histograms(runs))
	if err != nil {
		return nil, cli.Usage("%w", err) // streams that cannot be laid over one another
	}
	return f, nil
}

// runJSON is what is told of a run, and modalityJSON of its modalities.
type runJSON struct {
	Value      string                `json:"value"`
	Samples    int64                 `json:"samples"`
	Modalities ordered[modalityJSON] `json:"modalities"`
	Truth      *truthJSON            `json:"truth,omitempty"`
}

type modalityJSON struct {
	Samples          int64           `json:"samples"` // that have the modality
	MeanContribution number          `json:"mean_contribution"`
	ShareBelowOne    number          `json:"share_below_one"`
	Quantiles        ordered[number] `json:"quantiles"` // by probability
}

type truthJSON struct {
	Samples      int             `json:"samples"` // whose noisy modality is known: found + ties + wrong
	Found        int             `json:"found"`
	Ties         int             `json:"ties"`
	Wrong        int             `json:"wrong"`
	ShareOfFound number          `json:"share_of_found"`
	ShareOfTies  number          `json:"share_of_ties"`
	ShareOfWrong number          `json:"share_of_wrong"`
	Agreement    number          `json:"agreement"` // found, of those without a tie
	Chance       number          `json:"chance"`
	AUC          number          `json:"auc"` // the mean of those by modality
	AUCs         ordered[number] `json:"auc_by_modality"`
}

func writeRunsJSON(w io.Writer, runs []*run) error {
	var all ordered[runJSON]
	for _, r := range runs {
		all = append(all, entry[runJSON]{r.name, r.json()})
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

func writeRunsTable(w io.Writer, runs []*run) error {
	tables := []*report.Table{contributionsTable(runs)}
	if runs[0].agreement != nil {
		tables = append(tables, agreementTable(runs))
	}
	return writeTables(w, tables)
}

// writeTables writes the tables with an empty line between them.
func writeTables(w io.Writer, tables []*report.Table) error {
	for i, t := range tables {
		if i > 0 {
			if _, err := io.WriteString(w, "\n"); err != nil {
				return err
			}
		}
		if err := t.WriteText(w); err != nil {
			return err
		}
	}
	return nil
}
