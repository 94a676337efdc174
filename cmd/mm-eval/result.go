package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strconv"
	"text/tabwriter"
	"unicode/utf8"

	"mmtools/pkg/metric"
	"mmtools/pkg/report"
)

// result is what a model achieved on samples; it is the JSON that mm-eval writes and mm-eval compare reads.
type result struct {
	Samples              int64                   `json:"samples"`
	Accuracy             number                  `json:"accuracy"`
	MacroF1              number                  `json:"macro_f1"`
	MeanAveragePrecision number                  `json:"mean_average_precision"`
	PerClass             ordered[number]         `json:"per_class"`  // accuracy, by class
	Confusion            [][]int64               `json:"confusion"`  // [label][prediction], in label order
	Coalitions           ordered[number]         `json:"coalitions"` // accuracy, by "audio+image"
	Modalities           ordered[modalityResult] `json:"modalities"`

	classes, names []string
	contributions  *report.Histogram
	matrix         *metric.Confusion
}

// modalityResult is what a modality achieves alone, and what it contributes.
type modalityResult struct {
	Accuracy         number `json:"accuracy"`
	MeanContribution number `json:"mean_contribution"`
	ShareBelowOne    number `json:"share_below_one"`
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

// UnmarshalJSON reads null as NaN.
func (n *number) UnmarshalJSON(raw []byte) error {
	if string(raw) == "null" {
		*n = number(math.NaN())
		return nil
	}
	return json.Unmarshal(raw, (*float64)(n))
}

// percent writes a share for people.
func (n number) percent() string {
	if math.IsNaN(float64(n)) {
		return "-"
	}
	return fmt.Sprintf("%.2f %%", 100*float64(n))
}

// decimals writes a figure for people.
func (n number) decimals(k int) string {
	if math.IsNaN(float64(n)) {
		return "-"
	}
	return strconv.FormatFloat(float64(n), 'f', k, 64)
}

type entry[T any] struct {
	Key   string
	Value T
}

// ordered is a JSON object that keeps the order of its keys: that of classes and modalities means something.
type ordered[T any] []entry[T]

// MarshalJSON writes the object in order.
func (o ordered[T]) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range o {
		key, err := json.Marshal(e.Key)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(e.Value)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// UnmarshalJSON reads the object in order.
func (o *ordered[T]) UnmarshalJSON(raw []byte) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	if start, err := d.Token(); err != nil || start != json.Delim('{') {
		return fmt.Errorf("got %.20s, want an object", raw)
	}
	*o = nil
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return err
		}
		e := entry[T]{Key: key.(string)}
		if err := d.Decode(&e.Value); err != nil {
			return err
		}
		*o = append(*o, e)
	}
	return nil
}

func (r *result) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

func (r *result) writeTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "samples\t%d\n", r.Samples)
	fmt.Fprintf(t, "accuracy\t%s\n", r.Accuracy.percent())
	fmt.Fprintf(t, "macro F1\t%s\n", r.MacroF1.percent())
	fmt.Fprintf(t, "mean average precision\t%s\n", r.MeanAveragePrecision.percent())
	fmt.Fprintf(t, "\nmodality\taccuracy alone\tmean contribution\tshare below 1\n")
	for _, m := range r.Modalities {
		fmt.Fprintf(t, "%s\t%s\t%.3f\t%s\n", m.Key, m.Value.Accuracy.percent(), m.Value.MeanContribution, m.Value.ShareBelowOne.percent())
	}
	fmt.Fprintf(t, "\ncoalition\taccuracy\n")
	for _, c := range r.Coalitions {
		fmt.Fprintf(t, "%s\t%s\n", c.Key, c.Value.percent())
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return r.writeClasses(w)
}

// mostMatrix is how many characters the columns of a confusion matrix may take together.
const mostMatrix = 100

// writeClasses writes the classes and the confusion matrix; where that is too wide to be read, which class each was mistaken for most often.
func (r *result) writeClasses(w io.Writer) error {
	// A table of its own: a matrix of many classes would widen every column of the others.
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	width := 0
	for _, class := range r.classes {
		width += utf8.RuneCountInString(class) + 2
	}
	if width > mostMatrix {
		fmt.Fprintf(t, "\nclass\tsamples\taccuracy\tmost often mistaken for\n")
		for c, class := range r.PerClass {
			var samples int64
			other := -1
			for k, n := range r.Confusion[c] {
				if samples += n; n > 0 && k != c && (other < 0 || n > r.Confusion[c][other]) {
					other = k
				}
			}
			mistaken := "-"
			if other >= 0 {
				mistaken = fmt.Sprintf("%s (%d)", r.classes[other], r.Confusion[c][other])
			}
			fmt.Fprintf(t, "%s\t%d\t%s\t%s\n", class.Key, samples, class.Value.percent(), mistaken)
		}
		fmt.Fprintln(t, "The whole matrix: --format json, or --figures DIR.")
		return t.Flush()
	}
	fmt.Fprintf(t, "\nclass\taccuracy\tpredicted as")
	for _, class := range r.classes {
		fmt.Fprintf(t, "\t%s", class)
	}
	fmt.Fprintln(t)
	for c, class := range r.PerClass {
		fmt.Fprintf(t, "%s\t%s\t", class.Key, class.Value.percent())
		for _, n := range r.Confusion[c] {
			fmt.Fprintf(t, "\t%d", n)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}
