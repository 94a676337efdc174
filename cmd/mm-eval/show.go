package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"mmtools/pkg/cli"
	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

type showCommand struct {
	Stream string `arg:"" optional:"" placeholder:"FILE" help:"Stream to describe (default: standard input)."`
	Get    string `placeholder:"KEY" help:"Print one value alone: rows, a metadata key such as mm.digest, or, of a model, a key of its state such as epoch."`

	cli.Output
}

// Run describes the stream. It reads it to the end: a stream that is cut off is an error, not a description.
func (c *showCommand) Run(ctx *cli.Context) error {
	in, err := ctx.OpenStream(c.Stream)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := ctx.CreateText(c.Output.Output)
	if err != nil {
		return err
	}
	defer out.Abort()
	header, err := schema.ParseHeader(in.Schema())
	if err != nil {
		return fmt.Errorf("%s: %w", in.Name(), err)
	}
	found := &contents{in: in, header: header}
	if header.Kind == schema.KindModel {
		err = found.readModel()
	} else {
		err = found.count(ctx)
	}
	if err != nil {
		return err
	}
	if c.Get != "" {
		err = c.get(out, found)
	} else {
		err = found.describe(out)
	}
	if err != nil {
		return err
	}
	return out.Commit()
}

// contents is what a stream holds.
type contents struct {
	in      *stream.Reader
	header  schema.Header
	rows    int64
	batches int           // not known of a model
	model   *schema.Model // nil of any other stream
}

// readModel reads a model, which also checks it against its digest.
func (c *contents) readModel() error {
	m, err := schema.ReadModel(c.in)
	c.model, c.rows = &m, int64(len(m.Tensors))
	return err
}

// count reads the stream to its end.
func (c *contents) count(ctx *cli.Context) error {
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		record, err := c.in.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		c.rows += record.NumRows()
		c.batches++
	}
}

func (c *showCommand) get(w io.Writer, found *contents) error {
	meta := found.in.Schema().Metadata()
	value, ok := meta.GetValue(c.Get)
	keys := append([]string{"rows"}, meta.Keys()...)
	if c.Get == "rows" {
		value, ok = strconv.FormatInt(found.rows, 10), true
	}
	if found.model != nil && len(found.model.State) > 0 {
		var state ordered[json.RawMessage]
		if err := json.Unmarshal(found.model.State, &state); err != nil {
			return stream.Errorf("%s: reading mm.state: %w", found.in.Name(), err)
		}
		for _, e := range state {
			keys = append(keys, e.Key)
			if e.Key == c.Get {
				value, ok = strings.Trim(string(e.Value), `"`), true
			}
		}
	}
	if !ok {
		return cli.Usage("--get %s: %s has no such key; it has %s", c.Get, found.in.Name(), strings.Join(keys, ", "))
	}
	_, err := fmt.Fprintln(w, value)
	return err
}

// apart are the keys that describe tells in words of its own.
var apart = map[string]bool{"mm.stream": true, "mm.version": true, "mm.tool": true, "mm.seed": true, "mm.modalities": true, "mm.classes": true}

func (c *contents) describe(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	h := c.header
	fmt.Fprintf(t, "stream\t%s\nwritten by\t%s\nrows\t%d", h.Kind, h.Tool, c.rows)
	if c.model == nil {
		fmt.Fprintf(t, " in %d batches", c.batches)
	}
	fmt.Fprintln(t)
	if h.Seed != nil {
		fmt.Fprintf(t, "seed\t%d\n", *h.Seed)
	}
	fmt.Fprintf(t, "modalities\t%s\n", strings.Join(modality.Names(h.Modalities), ", "))
	if len(h.Classes) > 0 {
		fmt.Fprintf(t, "classes\t%d: %s\n", len(h.Classes), strings.Join(h.Classes, ", "))
	}
	meta := c.in.Schema().Metadata()
	for i, key := range meta.Keys() {
		if !apart[key] && (c.model == nil || key != "mm.spec" && key != "mm.state") {
			fmt.Fprintf(t, "%s\t%s\n", key, meta.Values()[i])
		}
	}
	if c.model != nil {
		if err := t.Flush(); err != nil {
			return err
		}
		return describeModel(w, *c.model)
	}
	fmt.Fprintf(t, "\ncolumn\ttype\n")
	for _, f := range c.in.Schema().Fields() {
		kind := ""
		if k, ok := f.Metadata.GetValue("mm.modality"); ok {
			kind = ", " + k
		}
		if shape, ok := f.Metadata.GetValue("ARROW:extension:metadata"); ok {
			kind += " " + shape
		} else if shape, ok := f.Metadata.GetValue("mm.shape"); ok {
			kind += " " + shape
		}
		fmt.Fprintf(t, "%s\t%s%s\n", f.Name, f.Type, kind)
	}
	return t.Flush()
}
