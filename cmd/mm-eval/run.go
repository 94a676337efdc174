package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"

	"mmtools/pkg/cli"
	"mmtools/pkg/metric"
	"mmtools/pkg/modality"
	"mmtools/pkg/report"
	"mmtools/pkg/schema"
	"mmtools/pkg/valuation"
)

// quantiles are the probabilities at which contributions are told.
var quantiles = []float64{0.05, 0.25, 0.5, 0.75, 0.95}

// run is what was found of one contributions stream. Its memory does not grow with the samples, but for those whose noisy modality is
// known: 8 (n+1) bytes each.
type run struct {
	name       string
	modalities []string
	value      valuation.Value
	samples    int64
	tallies    []metric.Tally    // (n)
	below      []int64           // (n): the samples to which the modality contributes less than its fair share
	phi        []float64         // (n): of one sample
	agreement  *metric.Agreement // nil without a truth
}

// readRuns reads the streams one after the other.
func readRuns(ctx *cli.Context, files []named, t *truth) ([]*run, error) {
	progress := ctx.Progress(0, "samples")
	defer progress.Done()
	var runs []*run
	for _, f := range files {
		r, err := readRun(ctx, f, t, progress)
		if err != nil {
			return nil, err
		}
		runs = append(runs, r)
	}
	progress.Done()
	return runs, nil
}

func readRun(ctx *cli.Context, f named, t *truth, progress *cli.Progress) (*run, error) {
	in, err := ctx.OpenStream(f.path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	c, err := schema.NewContributionsReader(in)
	if err != nil {
		return nil, err
	}
	names := modality.Names(c.Contributions().Modalities)
	r := &run{name: f.name, modalities: names, value: cmp.Or(valuation.Value(c.Contributions().Value), valuation.Published), tallies: make([]metric.Tally, len(names)),
		below: make([]int64, len(names)), phi: make([]float64, len(names))}
	var known *knownRows
	if t != nil {
		if known, err = t.against(names); err != nil {
			return nil, err
		}
	}
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		b, err := c.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		r.add(b)
		if known != nil {
			known.add(b)
		}
		progress.Add(int64(b.Rows()))
	}
	if known != nil {
		r.agreement, err = known.agreement(in.Name())
	}
	return r, err
}

func (r *run) add(b *schema.ContributionsBatch) {
	r.samples += int64(b.Rows())
	for p := range r.modalities {
		for _, phi := range b.Phi(p) {
			r.tallies[p].Add(phi)
		}
	}
	for i := range b.Rows() {
		for p := range r.phi {
			r.phi[p] = b.Phi(p)[i]
		}
		for p := range valuation.BelowShare(r.value, r.phi).Members() {
			r.below[p]++
		}
	}
}

// shareBelow is the share of the samples with modality p to which it contributes less than its fair share, as mm-value counts them.
func (r *run) shareBelow(p int) number {
	return number(float64(r.below[p]) / float64(r.tallies[p].Total()))
}

func (r *run) json() runJSON {
	out := runJSON{Value: string(r.value), Samples: r.samples}
	for p, name := range r.modalities {
		t := &r.tallies[p]
		m := modalityJSON{Samples: t.Total(), MeanContribution: number(t.Mean()), ShareBelowOne: r.shareBelow(p)}
		for i, q := range t.Quantiles(quantiles...) {
			m.Quantiles = append(m.Quantiles, entry[number]{strconv.FormatFloat(quantiles[i], 'g', -1, 64), number(q)})
		}
		out.Modalities = append(out.Modalities, entry[modalityJSON]{name, m})
	}
	if a := r.agreement; a != nil {
		out.Truth = &truthJSON{Samples: a.Samples, Found: a.Found, Ties: a.Tied, Wrong: a.Wrong,
			ShareOfFound: share(a.Found, a.Samples), ShareOfTies: share(a.Tied, a.Samples), ShareOfWrong: share(a.Wrong, a.Samples),
			Agreement: number(a.Accuracy), Chance: number(a.Chance), AUC: number(a.AUC)}
		for p, name := range r.modalities {
			out.Truth.AUCs = append(out.Truth.AUCs, entry[number]{name, number(a.AUCs[p])})
		}
	}
	return out
}

func contributionsTable(runs []*run) *report.Table {
	t := &report.Table{
		Caption: "Contributions: mean, share below the fair share (1 of the published value), and quantiles (q50 is the median).",
		Head:    []string{"run", "modality", "samples", "mean contribution", "below share"},
	}
	published := allPublished(runs)
	if !published {
		t.Caption = "Contributions: mean, share below the fair share (1 of the published value, of others the mean of the sample's contributions), and quantiles (q50 is the median)."
		t.Head = slices.Insert(t.Head, 1, "value")
	}
	for _, q := range quantiles {
		t.Head = append(t.Head, fmt.Sprintf("q%g", math.Round(100*q)))
	}
	for _, r := range runs {
		for p, name := range r.modalities {
			tally := &r.tallies[p]
			row := []string{r.name, name, strconv.FormatInt(tally.Total(), 10), number(tally.Mean()).decimals(3), r.shareBelow(p).percent()}
			if !published {
				row = slices.Insert(row, 1, string(r.value))
			}
			for _, q := range tally.Quantiles(quantiles...) {
				row = append(row, number(q).decimals(2))
			}
			t.Add(row...)
		}
	}
	return t
}

// share is NaN of nothing.
func share(part, of int) number { return number(float64(part) / float64(of)) }

// counted writes a count and its share of the whole.
func counted(part, of int) string { return fmt.Sprintf("%d (%s)", part, share(part, of).percent()) }

func agreementTable(runs []*run) *report.Table {
	t := &report.Table{
		Caption: "Does the lowest contribution name the noisy modality? Agreement (found) and chance are of those without a tie.",
		Head:    []string{"run", "samples", "found", "ties", "wrong", "agreement", "chance", "AUC"},
	}
	for _, r := range runs {
		a := r.agreement
		t.Add(r.name, strconv.Itoa(a.Samples), counted(a.Found, a.Samples), counted(a.Tied, a.Samples), counted(a.Wrong, a.Samples),
			number(a.Accuracy).percent(), number(a.Chance).percent(), number(a.AUC).decimals(3))
	}
	return t
}
