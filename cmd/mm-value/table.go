package main

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"text/tabwriter"
)

// What a table on a terminal has room for; the rest is in the JSON.
const (
	mostPairs   = 15 // of six modalities
	mostClasses = 20
	mostColumns = 8 // of modalities, where each is one
)

// table writes the reading for people: the modalities, how they agree, the classes, and the samples furthest apart.
func (r reading) table(out io.Writer) {
	section(out, "modality\tsamples\tmean phi\tbelow share\t5%\t25%\tmedian\t75%\t95%", len(r.Modalities), len(r.Modalities), func(i int) []string {
		m := r.Modalities[i]
		return append([]string{m.Name, fmt.Sprint(m.Samples), m.Mean.cell(), m.ShareBelowOne.percent()}, cells(m.Quantiles[1:6])...)
	})
	section(out, "modalities\talone right or wrong alike\tcorrelation of phi", len(r.Agreement), mostPairs, func(i int) []string {
		a := r.Agreement[i]
		return []string{a.Modalities[0] + ", " + a.Modalities[1], a.Alike.percent(), a.Correlation.cell()}
	})
	names, columns := "", len(r.Modalities) <= mostColumns
	for _, m := range r.Modalities {
		if columns {
			names += "\tphi of " + m.Name
		}
	}
	phi := func(x []number) []string {
		if columns {
			return cells(x)
		}
		return nil
	}
	section(out, "class\tsamples\taccuracy"+names, len(r.Classes), mostClasses, func(i int) []string {
		c := r.Classes[i]
		return append([]string{readable(c.Name), fmt.Sprint(c.Samples), c.Accuracy.percent()}, phi(c.Means)...)
	})
	section(out, "furthest apart\trow\tlabel\tprediction\tby"+names, len(r.Discrepancies), len(r.Discrepancies), func(i int) []string {
		d := r.Discrepancies[i]
		label := "-"
		if d.Label != nil {
			label = r.class(*d.Label)
		}
		return append([]string{readable(d.ID), fmt.Sprint(d.Row), label, r.class(d.Prediction), number(d.Apart).cell()}, phi(d.Contributions)...)
	})
}

// class returns a class's name.
func (r reading) class(label int32) string {
	if int(label) < len(r.Classes) {
		return readable(r.Classes[label].Name)
	}
	return fmt.Sprint(label)
}

// section writes a heading and one row for each of rows, most at most; nothing where there is none.
func section(out io.Writer, heading string, rows, most int, row func(i int) []string) {
	if rows == 0 {
		return
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, heading+"\t")
	for i := range min(rows, most) {
		fmt.Fprintln(w, strings.Join(row(i), "\t")+"\t")
	}
	_ = w.Flush() // into memory
	if rows > most {
		fmt.Fprintf(out, "  and %d more: --summary FILE\n", rows-most)
	}
}

// readable returns a text of the stream's as a terminal may have it: quoted where it holds more than letters to be seen.
func readable(s string) string {
	if q := strconv.QuoteToGraphic(s); q != `"`+s+`"` {
		return q
	}
	return s
}

func cells(x []number) (out []string) {
	for _, n := range x {
		out = append(out, n.cell())
	}
	return out
}

func (n number) cell() string {
	if math.IsNaN(float64(n)) {
		return "-"
	}
	return fmt.Sprintf("%.3f", float64(n))
}

func (n number) percent() string {
	if math.IsNaN(float64(n)) {
		return "-"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n))
}
