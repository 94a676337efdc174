package main

import (
	"fmt"
	"math"
	"slices"

	"mmtools/pkg/cli"
	"mmtools/pkg/metric"
	"mmtools/pkg/report"
)

// checkAgainst refuses methods to compare with that are none, or that cannot be paired with the others.
func (c *comparison) checkAgainst(names []string) error {
	for _, name := range names {
		i := slices.IndexFunc(c.methods, func(m *method) bool { return m.name == name })
		if i < 0 {
			return cli.Usage("--against %s: none of the results has that name", name)
		}
		for _, m := range c.methods {
			if got, want := len(m.results), len(c.methods[i].results); got != want {
				return cli.Usage("--against %s: %d results of it and %d of %s, which are to be pairs, a seed each in the same order", name, want, got, m.name)
			}
		}
	}
	return nil
}

func (c *comparison) method(name string) *method {
	return c.methods[slices.IndexFunc(c.methods, func(m *method) bool { return m.name == name })]
}

// oneModality is the mean accuracy of a single modality.
func oneModality(r *result) number {
	sum := 0.0
	for _, m := range r.Modalities {
		sum += float64(m.Value.Accuracy)
	}
	return number(sum / float64(len(r.Modalities)))
}

// figures of the differences, in the order of the table.
func (c *comparison) figures() (names []string, picks []figure) {
	names, picks = []string{"accuracy", "one modality"}, []figure{accuracy, oneModality}
	for p, name := range c.modalities {
		names, picks = append(names, name+" alone"), append(picks, alone(p))
	}
	return names, picks
}

// difference returns by how much m is above base, seed by seed, and half the width of its 95% interval; NaN where a figure is not known of
// every seed.
func difference(m, base *method, pick figure) (mean, half float64) {
	a, b := m.values(pick), base.values(pick)
	if len(a) != len(m.results) || len(b) != len(base.results) {
		return math.NaN(), math.NaN()
	}
	return metric.PairedInterval(a, b)
}

func (c *comparison) differenceTable(against string) *report.Table {
	t := &report.Table{Caption: fmt.Sprintf("Above %s, seed by seed: mean difference in points, ± half its 95%% interval; * where 0 is outside.", against),
		Head: []string{"method"}}
	names, picks := c.figures()
	t.Head = append(t.Head, names...)
	base := c.method(against)
	for _, m := range c.methods {
		if m == base {
			continue
		}
		row := []string{m.name}
		for _, pick := range picks {
			mean, half := difference(m, base, pick)
			cell := fmt.Sprintf("%+.2f", 100*mean)
			if math.IsNaN(mean) {
				cell = number(mean).decimals(2)
			} else if !math.IsNaN(half) {
				cell += " ± " + number(100*half).decimals(2)
				if math.Abs(mean) > half {
					cell += " *"
				}
			}
			row = append(row, cell)
		}
		t.Add(row...)
	}
	return t
}

// differenceJSON is a figure above that of another method.
type differenceJSON struct {
	Mean number `json:"mean"`
	Low  number `json:"low"`
	High number `json:"high"`
}

func (c *comparison) differences(m *method, against []string) ordered[ordered[differenceJSON]] {
	var all ordered[ordered[differenceJSON]]
	names, picks := c.figures()
	for _, name := range against {
		base := c.method(name)
		if base == m {
			continue
		}
		var one ordered[differenceJSON]
		for k, pick := range picks {
			mean, half := difference(m, base, pick)
			one = append(one, entry[differenceJSON]{names[k], differenceJSON{number(mean), number(mean - half), number(mean + half)}})
		}
		all = append(all, entry[ordered[differenceJSON]]{name, one})
	}
	return all
}
