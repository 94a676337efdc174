package main

import (
	"fmt"
	"strings"

	"mmtools/pkg/metric"
	"mmtools/pkg/report"
)

// mostMatrices is how many confusion matrices a page shows.
const mostMatrices = 6

// accuracyFigure draws the accuracy of all modalities together and of each alone, by method.
func (c *comparison) accuracyFigure(title string) (*report.Figure, error) {
	var methods []report.Method
	for _, m := range c.methods {
		values := [][]float64{m.values(accuracy)}
		for p := range c.modalities {
			values = append(values, m.values(alone(p)))
		}
		methods = append(methods, report.Method{Name: m.name, Values: values})
	}
	return report.Accuracy(title, append([]string{"all"}, c.modalities...), methods, 1/float64(len(c.classes)))
}

// page returns the page about the comparison, with the distributions of some runs' contributions where there are any.
func (c *comparison) page(title string, runs []*run, tool string) (*report.Page, error) {
	bars, err := c.accuracyFigure("Accuracy with all modalities, and with each alone")
	if err != nil {
		return nil, err
	}
	p := &report.Page{Title: title, Lead: c.lead(), Foot: "Written by " + tool + " from " + c.sources() + "."}
	p.Sections = append(p.Sections, report.Section{Heading: "Accuracy", Tables: []*report.Table{c.accuracyTable()}, Figures: []*report.Figure{bars}})
	if len(c.coalitions) > len(c.modalities)+1 {
		p.Sections = append(p.Sections, report.Section{Heading: "Coalitions",
			Text: "Accuracy with some of the modalities, the others masked.", Tables: []*report.Table{c.coalitionTable()}})
	}
	contributions := report.Section{Heading: "Contributions",
		Text:   "A modality's contribution to a sample is its Shapley value; 1 is its fair share, and below 1 the others carry the sample.",
		Tables: []*report.Table{c.contributionTable()}}
	if len(runs) > 0 {
		f, err := drawRuns("Distribution of the contributions", runs)
		if err != nil {
			return nil, err
		}
		contributions.Tables = append(contributions.Tables, contributionsTable(runs))
		contributions.Figures = append(contributions.Figures, f)
	}
	p.Sections = append(p.Sections, contributions)
	matrices := report.Section{Heading: "Confusion", Text: "Which class was taken for which, all seeds of a method together."}
	for _, m := range c.methods[:min(len(c.methods), mostMatrices)] {
		f, err := report.Confusion(m.name, m.confusion(), c.classes)
		if err != nil {
			return nil, err
		}
		matrices.Figures = append(matrices.Figures, f)
	}
	p.Sections = append(p.Sections, matrices)
	return p, nil
}

// confusion adds up the confusion matrices of all seeds.
func (m *method) confusion() *metric.Confusion {
	sum := metric.NewConfusion(len(m.results[0].PerClass))
	for _, r := range m.results {
		for label, row := range r.Confusion {
			for prediction, n := range row {
				sum.Row(label)[prediction] += n
			}
		}
	}
	return sum
}

func (c *comparison) coalitionTable() *report.Table {
	t := &report.Table{Caption: "Accuracy, in percent.", Head: []string{"coalition"}}
	for _, m := range c.methods {
		t.Head = append(t.Head, m.name)
	}
	for k, name := range c.coalitions {
		row := []string{name}
		for _, m := range c.methods {
			row = append(row, m.cell(coalition(k), 100, 2))
		}
		t.Add(row...)
	}
	return t
}

func (c *comparison) lead() string {
	samples := c.methods[0].results[0].Samples
	text := fmt.Sprintf("%d modalities (%s), %d classes", len(c.modalities), strings.Join(c.modalities, ", "), len(c.classes))
	seeds := 0
	for _, m := range c.methods {
		for _, r := range m.results {
			if r.Samples != samples {
				samples = -1
			}
		}
		seeds = max(seeds, len(m.results))
	}
	if samples >= 0 {
		text += fmt.Sprintf(", %d samples", samples)
	}
	if seeds > 1 {
		text += "; mean ± standard deviation over seeds"
	}
	return text + "."
}

func (c *comparison) sources() string {
	var files []string
	for _, m := range c.methods {
		files = append(files, m.files...)
	}
	return strings.Join(files, ", ")
}
