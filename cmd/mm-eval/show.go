package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
	rows, batches := int64(0), 0
	for {
		record, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		rows += record.NumRows()
		batches++
	}
	if c.Get != "" {
		err = c.get(out, in, rows)
	} else {
		err = describe(out, in, header, rows, batches)
	}
	if err != nil {
		return err
	}
	return out.Commit()
}

func (c *showCommand) get(w io.Writer, in *stream.Reader, rows int64) error {
	if c.Get == "rows" {
		_, err := fmt.Fprintln(w, rows)
		return err
	}
	meta := in.Schema().Metadata()
	if value, ok := meta.GetValue(c.Get); ok {
		_, err := fmt.Fprintln(w, value)
		return err
	}
	var state map[string]json.RawMessage
	if raw, ok := meta.GetValue("mm.state"); ok {
		if err := json.Unmarshal([]byte(raw), &state); err != nil {
			return stream.Errorf("%s: reading mm.state: %w", in.Name(), err)
		}
	}
	value, ok := state[c.Get]
	if !ok {
		return cli.Usage("--get %s: %s has no such key; it has %s", c.Get, in.Name(), strings.Join(meta.Keys(), ", "))
	}
	_, err := fmt.Fprintln(w, strings.Trim(string(value), `"`))
	return err
}

func describe(w io.Writer, in *stream.Reader, h schema.Header, rows int64, batches int) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "stream\t%s\nwritten by\t%s\nrows\t%d in %d batches\n", h.Kind, h.Tool, rows, batches)
	if h.Seed != nil {
		fmt.Fprintf(t, "seed\t%d\n", *h.Seed)
	}
	fmt.Fprintf(t, "modalities\t%s\n", strings.Join(modality.Names(h.Modalities), ", "))
	if len(h.Classes) > 0 {
		fmt.Fprintf(t, "classes\t%d: %s\n", len(h.Classes), strings.Join(h.Classes, ", "))
	}
	meta := in.Schema().Metadata()
	shown := map[string]bool{"mm.stream": true, "mm.version": true, "mm.tool": true, "mm.seed": true, "mm.modalities": true, "mm.classes": true}
	for i, key := range meta.Keys() {
		if !shown[key] {
			fmt.Fprintf(t, "%s\t%s\n", key, meta.Values()[i])
		}
	}
	fmt.Fprintf(t, "\ncolumn\ttype\n")
	for _, f := range in.Schema().Fields() {
		kind := ""
		if k, ok := f.Metadata.GetValue("mm.modality"); ok {
			kind = ", " + k
		}
		if shape, ok := f.Metadata.GetValue("ARROW:extension:metadata"); ok {
			kind += " " + shape
		}
		fmt.Fprintf(t, "%s\t%s%s\n", f.Name, f.Type, kind)
	}
	return t.Flush()
}
