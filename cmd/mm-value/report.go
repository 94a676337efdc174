package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"

	"golang.org/x/term"

	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/valuation"
)

// found is what a valuation found, to be read.
type found struct {
	about   schema.Contributions
	names   []string
	classes []string
	summary valuation.Summary
	reading *valuation.Reading // nil where nobody reads
	text    *cli.Product       // nil unless --summary
}

// find prepares what is read besides the contributions.
func (c *command) find(ctx *cli.Context, about schema.Contributions) (*found, error) {
	f := &found{about: about, names: names(about), classes: about.Classes}
	if c.Summary != "" {
		var err error
		if f.text, err = ctx.CreateText(c.Summary); err != nil {
			return nil, err
		}
	}
	if c.Summary != "" || !c.Quiet && isTerminal(ctx.Stderr) {
		f.reading = valuation.NewReading(len(f.names), len(f.classes))
	}
	return f, nil
}

func isTerminal(f *os.File) bool { return term.IsTerminal(int(f.Fd())) }

func (f *found) add(r *valuation.Result, id func(i int) string) {
	if f.reading != nil {
		f.reading.Add(r, id)
	}
}

// report writes the summary, and a table to a terminal.
func (f *found) report(ctx *cli.Context, quiet bool) error {
	if f.reading == nil {
		return nil
	}
	r := f.read()
	if f.text != nil {
		raw, err := json.MarshalIndent(r, "", "  ")
		if err != nil {
			return fmt.Errorf("writing the summary: %w", err)
		}
		if _, err := f.text.Write(append(raw, '\n')); err != nil {
			return fmt.Errorf("writing the summary: %w", err)
		}
		if err := f.text.Commit(); err != nil {
			return err
		}
	}
	if !quiet && isTerminal(ctx.Stderr) {
		var table bytes.Buffer
		r.table(&table)
		_, _ = ctx.Stderr.Write(table.Bytes()) // what is on the terminal is a courtesy
	}
	return nil
}

// number is a figure that may have nothing to rest on: NaN, null in JSON.
type number float64

// MarshalJSON writes null for NaN, which JSON cannot say.
func (n number) MarshalJSON() ([]byte, error) {
	if math.IsNaN(float64(n)) {
		return []byte("null"), nil
	}
	return json.Marshal(float64(n))
}

func numbers(x []float64) []number {
	out := []number{}
	for _, v := range x {
		out = append(out, number(v))
	}
	return out
}

// quantiles are those that a summary gives.
var quantiles = []float64{0, 0.05, 0.25, 0.5, 0.75, 0.95, 1}

// reading is the JSON of --summary.
type reading struct {
	Value         string           `json:"value"`
	Estimator     string           `json:"estimator"`
	Absence       string           `json:"absence,omitempty"`
	Samples       int64            `json:"samples"`
	Accuracy      number           `json:"accuracy"`
	Probabilities []float64        `json:"quantile_probabilities"`
	Modalities    []modalityRead   `json:"modalities"`
	Coalitions    []coalitionRead  `json:"coalitions,omitempty"`
	Classes       []classRead      `json:"classes"`
	Agreement     []agreementRead  `json:"agreement"`
	Discrepancies []discrepantRead `json:"largest_discrepancies"`
}

type modalityRead struct {
	Name          string   `json:"name"`
	Samples       int64    `json:"samples"`
	Mean          number   `json:"mean_contribution"`
	ShareBelowOne number   `json:"share_below_one"` // below the fair share, of other values than the published
	Quantiles     []number `json:"quantiles"`
}

type coalitionRead struct {
	Coalition string `json:"coalition"`
	Accuracy  number `json:"accuracy"`
}

type classRead struct {
	Name     string   `json:"name"`
	Samples  int64    `json:"samples"`
	Accuracy number   `json:"accuracy"`
	Means    []number `json:"mean_contributions"` // in the order of modalities
}

type agreementRead struct {
	Modalities  [2]string `json:"modalities"`
	Alike       number    `json:"alone_right_or_wrong_alike"`
	Correlation number    `json:"correlation_of_contributions"`
}

type discrepantRead struct {
	ID            string   `json:"id"`
	Row           int64    `json:"row"`
	Label         *int32   `json:"label"`
	Prediction    int32    `json:"prediction"`
	Contributions []number `json:"contributions"`
	Apart         float64  `json:"apart"`
}

// mostCoalitions bounds how many coalitions' accuracies a summary lists.
const mostCoalitions = 64

func (f *found) read() reading {
	s, n := &f.summary, len(f.names)
	r := reading{
		Value: f.about.Value, Estimator: f.about.Estimator, Absence: f.about.Baseline, Samples: s.Samples,
		Accuracy: number(s.Accuracy(modality.All(n))), Probabilities: quantiles,
		Classes: []classRead{}, Agreement: []agreementRead{}, Discrepancies: []discrepantRead{},
	}
	for p, name := range f.names {
		r.Modalities = append(r.Modalities, modalityRead{
			name, s.Have[p], number(s.Mean(p)), number(s.ShareBelowOne(p)), numbers(f.reading.Quantiles(p, quantiles...)),
		})
		for q := range p {
			alike, correlation := f.reading.Agreement(q, p)
			r.Agreement = append(r.Agreement, agreementRead{[2]string{f.names[q], name}, number(alike), number(correlation)})
		}
	}
	if s.Right != nil && len(s.Right) <= mostCoalitions {
		for c := range s.Right {
			r.Coalitions = append(r.Coalitions, coalitionRead{modality.Coalition(c).Label(f.names), number(s.Accuracy(modality.Coalition(c)))})
		}
	}
	for label, name := range f.classes {
		samples, accuracy, means := f.reading.Class(label)
		r.Classes = append(r.Classes, classRead{name, samples, number(accuracy), numbers(means)})
	}
	for _, d := range f.reading.Discrepancies() {
		read := discrepantRead{ID: d.ID, Row: d.Row, Prediction: d.Prediction, Contributions: numbers(d.Phi), Apart: d.Apart}
		if d.Label >= 0 {
			read.Label = &d.Label
		}
		r.Discrepancies = append(r.Discrepancies, read)
	}
	return r
}
