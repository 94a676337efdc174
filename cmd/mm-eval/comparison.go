package main

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
	"strings"

	"mmtools/pkg/cli"
	"mmtools/pkg/metric"
	"mmtools/pkg/report"
	"mmtools/pkg/stream"
)

// comparison is the results of some methods on the same modalities and classes.
type comparison struct {
	methods                         []*method
	modalities, coalitions, classes []string
}

// method is the results of a method, one a seed.
type method struct {
	name    string
	files   []string
	results []*result
}

// figure is one of the numbers of a result.
type figure func(*result) number

func accuracy(r *result) number             { return r.Accuracy }
func macroF1(r *result) number              { return r.MacroF1 }
func meanAveragePrecision(r *result) number { return r.MeanAveragePrecision }
func coalition(k int) figure                { return func(r *result) number { return r.Coalitions[k].Value } }
func alone(p int) figure {
	return func(r *result) number { return r.Modalities[p].Value.Accuracy }
}
func meanContribution(p int) figure {
	return func(r *result) number { return r.Modalities[p].Value.MeanContribution }
}
func shareBelowOne(p int) figure {
	return func(r *result) number { return r.Modalities[p].Value.ShareBelowOne }
}

// values returns the figure of every seed that has it.
func (m *method) values(pick figure) []float64 {
	var values []float64
	for _, r := range m.results {
		if v := float64(pick(r)); !math.IsNaN(v) {
			values = append(values, v)
		}
	}
	return values
}

func (m *method) spread(pick figure) (mean, deviation float64) {
	return metric.MeanDeviation(m.values(pick))
}

// cell writes a figure, times scale, for people: the mean, and the deviation where there are several seeds.
func (m *method) cell(pick figure, scale float64, decimals int) string {
	mean, deviation := m.spread(pick)
	if len(m.results) == 1 || math.IsNaN(mean) {
		return number(scale * mean).decimals(decimals)
	}
	return number(scale*mean).decimals(decimals) + " ± " + number(scale*deviation).decimals(decimals)
}

// readComparison reads the results; those of one name are of one method.
func readComparison(ctx *cli.Context, files []named) (*comparison, error) {
	c := &comparison{}
	for _, f := range files {
		r, err := readResult(ctx, f.path)
		if err != nil {
			return nil, err
		}
		modalities, coalitions, classes := keys(r.Modalities), keys(r.Coalitions), keys(r.PerClass)
		if c.methods == nil {
			c.modalities, c.coalitions, c.classes = modalities, coalitions, classes
		}
		first := files[0].path
		switch {
		case !slices.Equal(modalities, c.modalities):
			return nil, stream.Errorf("%s: modalities %s, but %s has %s", f.path, strings.Join(modalities, ", "), first, strings.Join(c.modalities, ", "))
		case !slices.Equal(coalitions, c.coalitions):
			return nil, stream.Errorf("%s: other coalitions than %s", f.path, first)
		case !slices.Equal(classes, c.classes):
			return nil, stream.Errorf("%s: other classes than %s", f.path, first)
		}
		i := slices.IndexFunc(c.methods, func(m *method) bool { return m.name == f.name })
		if i < 0 {
			i = len(c.methods)
			c.methods = append(c.methods, &method{name: f.name})
		}
		c.methods[i].results = append(c.methods[i].results, r)
		c.methods[i].files = append(c.methods[i].files, f.path)
	}
	return c, nil
}

// readResult reads what mm-eval --format json wrote.
func readResult(ctx *cli.Context, path string) (*result, error) {
	raw, name, err := ctx.ReadText(path)
	if err != nil {
		return nil, err
	}
	return parseResult(raw, name)
}

// parseResult reads a result; path is what errors call it.
func parseResult(raw []byte, path string) (*result, error) {
	r := &result{}
	if err := json.Unmarshal(raw, r); err != nil {
		return nil, stream.Errorf("%s: reading a result of mm-eval --format json: %w", path, err)
	}
	if len(r.Modalities) == 0 || len(r.Coalitions) == 0 || len(r.Confusion) != len(r.PerClass) || len(r.PerClass) == 0 {
		return nil, stream.Errorf("%s: no result of mm-eval --format json", path)
	}
	for label, row := range r.Confusion {
		if len(row) != len(r.PerClass) {
			return nil, stream.Errorf("%s: confusion: %d numbers in row %d, want %d", path, len(row), label, len(r.PerClass))
		}
		for _, n := range row {
			if n < 0 {
				return nil, stream.Errorf("%s: confusion: %d samples in row %d", path, n, label)
			}
		}
	}
	return r, nil
}

func keys[T any](o ordered[T]) []string {
	var names []string
	for _, e := range o {
		names = append(names, e.Key)
	}
	return names
}

func (c *comparison) accuracyTable() *report.Table {
	t := &report.Table{Caption: "Accuracy, macro F1 and mean average precision, and the mean accuracy of a single modality, in percent.",
		Head: []string{"method", "seeds", "accuracy", "macro F1", "mean AP", "one modality"}}
	for _, name := range c.modalities {
		t.Head = append(t.Head, name+" alone")
	}
	for _, m := range c.methods {
		row := []string{m.name, strconv.Itoa(len(m.results)), m.cell(accuracy, 100, 2), m.cell(macroF1, 100, 2), m.cell(meanAveragePrecision, 100, 2), m.cell(oneModality, 100, 2)}
		for p := range c.modalities {
			row = append(row, m.cell(alone(p), 100, 2))
		}
		t.Add(row...)
	}
	return t
}

func (c *comparison) contributionTable() *report.Table {
	t := &report.Table{Caption: "Mean contribution, and the share of samples with a contribution below 1, in percent.", Head: []string{"method"}}
	for _, name := range c.modalities {
		t.Head = append(t.Head, name, name+" below 1")
	}
	for _, m := range c.methods {
		row := []string{m.name}
		for p := range c.modalities {
			row = append(row, m.cell(meanContribution(p), 1, 3), m.cell(shareBelowOne(p), 100, 2))
		}
		t.Add(row...)
	}
	return t
}
