package main

import (
	"fmt"

	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/valuation"
)

// published describes contributions of the published value function, valued exactly.
func published(ctx *cli.Context, h schema.Header, right bool) schema.Contributions {
	h.Tool = ctx.Tool
	return schema.Contributions{Header: h, Value: "published", Estimator: "exact", Baseline: "zero feature", Right: right}
}

// output is the contributions stream being written.
type output struct {
	product *cli.Product
	w       *schema.ContributionsWriter
	right   bool
}

// create starts the output, which the caller aborts.
func (c *command) create(ctx *cli.Context, about schema.Contributions) (*output, error) {
	if n := len(about.Modalities); about.Right && n > schema.MaxRight {
		return nil, cli.Usage("--right: %d modalities (%v), want at most %d", n, modality.Names(about.Modalities), schema.MaxRight)
	}
	product, err := ctx.Create(c.Output.Output)
	if err != nil {
		return nil, err
	}
	w, err := schema.NewContributionsWriter(product, about, c.Compression.Options()...)
	if err != nil {
		product.Abort()
		return nil, fmt.Errorf("writing contributions: %w", err)
	}
	return &output{product: product, w: w, right: about.Right}, nil
}

// append writes the rows of a result; rows says which samples they are.
func (o *output) append(rows schema.ContributionRows, r *valuation.Result) error {
	rows.Rows, rows.Label, rows.Prediction, rows.Phi = r.Rows, r.Label, r.Prediction, r.Phi
	if o.right {
		rows.Right = r.Right
	}
	if err := o.w.Append(rows); err != nil {
		return fmt.Errorf("writing contributions: %w", err)
	}
	return nil
}

// commit ends the stream and makes it final.
func (o *output) commit() error {
	if err := o.w.Close(); err != nil {
		return fmt.Errorf("writing contributions: %w", err)
	}
	return o.product.Commit()
}
