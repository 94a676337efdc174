package main

import (
	"fmt"
	"slices"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/memory"

	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/valuation"
)

// output is the contributions stream being written.
type output struct {
	product *cli.Product
	w       *schema.ContributionsWriter
	right   bool
	pass    []int // columns of the samples that are passed through
	own     int   // columns of ours beyond those of every contributions stream
}

// create starts the output, which the caller aborts. columns are those of the samples to pass through; where names clash
// ours win.
func (c *command) create(ctx *cli.Context, about schema.Contributions, columns []arrow.Field) (*output, error) {
	if n := len(about.Modalities); about.Right && n > schema.MaxRight {
		return nil, cli.Usage("--right: %d modalities (%v), want at most %d", n, modality.Names(about.Modalities), schema.MaxRight)
	}
	out := &output{right: about.Right}
	about.Columns = c.columns(names(about))
	out.own = len(about.Columns)
	for i, f := range columns {
		if !slices.ContainsFunc(about.Columns[:out.own], func(own arrow.Field) bool { return own.Name == f.Name }) {
			out.pass, about.Columns = append(out.pass, i), append(about.Columns, f)
		}
	}
	var err error
	if out.product, err = ctx.Create(c.Output.Output); err != nil {
		return nil, err
	}
	if out.w, err = schema.NewContributionsWriter(out.product, about, c.Compression.Options()...); err != nil {
		out.product.Abort()
		return nil, fmt.Errorf("writing contributions: %w", err)
	}
	return out, nil
}

// columns returns those that are asked for beyond what every contributions stream has.
func (c *command) columns(names []string) (fields []arrow.Field) {
	double := func(name string) {
		fields = append(fields, arrow.Field{Name: name, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
	}
	if c.Cooperation {
		double("cooperation")
	}
	if c.Interactions {
		for q := range names {
			for _, p := range names[:q] {
				double("interaction_" + p + "_" + names[q])
			}
		}
	}
	return fields
}

// append writes the rows of a result; columns are those of its batch.
func (o *output) append(id func(i int) string, columns []arrow.Array, r *valuation.Result) error {
	rows := schema.ContributionRows{
		Rows: r.Rows, At: r.At, ID: id, Label: r.Label, Prediction: r.Prediction, Phi: r.Phi, StdErr: r.StdErr,
	}
	if o.right {
		rows.Right = r.Right
	}
	if r.Cooperation != nil {
		rows.Columns = append(rows.Columns, doubles(r.Cooperation, 1, 0))
	}
	if r.Interactions != nil {
		pairs := len(r.Interactions) / r.Rows
		for k := range pairs {
			rows.Columns = append(rows.Columns, doubles(r.Interactions, pairs, k))
		}
	}
	for _, i := range o.pass {
		rows.Columns = append(rows.Columns, array.NewSlice(columns[i], int64(r.First), int64(r.First+r.Rows)))
	}
	defer func() {
		for _, column := range rows.Columns {
			column.Release()
		}
	}()
	if err := o.w.Append(rows); err != nil {
		return fmt.Errorf("writing contributions: %w", err)
	}
	return nil
}

// doubles returns column k of x, (rows, width); NaN is null.
func doubles(x []float64, width, k int) arrow.Array {
	b := array.NewFloat64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(len(x) / width)
	for i := k; i < len(x); i += width {
		if x[i] != x[i] {
			b.UnsafeAppendBoolToBitmap(false)
		} else {
			b.UnsafeAppend(x[i])
		}
	}
	return b.NewArray()
}

// commit ends the stream and makes it final.
func (o *output) commit() error {
	if err := o.w.Close(); err != nil {
		return fmt.Errorf("writing contributions: %w", err)
	}
	return o.product.Commit()
}
