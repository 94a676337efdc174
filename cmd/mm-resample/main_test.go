package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mmtools/internal/exits"
	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"mm-resample": main, "show": show})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, Setup: fixtures,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits.Command}})
}

// fixtures lays contributions into a script's folder: the table of docs/design.md, a thousand samples whose modality v
// always contributes less, and a runaway value.
func fixtures(env *testscript.Env) error {
	table := []float64{1, 1, 1.5, 0.5, 1, 1, 0, 0, 0.5, -0.5, 0, 0, 1, math.NaN()}
	var many []float64
	for range 1000 {
		many = append(many, 1.25, 0.5)
	}
	return errors.Join(
		writeContributions(filepath.Join(env.WorkDir, "table.arrows"), table),
		writeContributions(filepath.Join(env.WorkDir, "many.arrows"), many),
		writeContributions(filepath.Join(env.WorkDir, "runaway.arrows"), []float64{1, 1, 1, -1e9}),
		writeContributions(filepath.Join(env.WorkDir, "empty.arrows"), nil),
		writeContributions(filepath.Join(env.WorkDir, "older.arrows"), make([]float64, len(table))),
		writeContributions(filepath.Join(env.WorkDir, "shorter.arrows"), table[:8]),
		writeValued(filepath.Join(env.WorkDir, "probability.arrows"), "probability", []float64{0.5, 0.5, 0.25, 0.75, math.NaN(), 0.5}),
		writeValued(filepath.Join(env.WorkDir, "margin.arrows"), "margin", []float64{3, 1.5}),
		writeRows(filepath.Join(env.WorkDir, "now.arrows"), "log-probability", []int{0, 1, 2, 3}, []float64{-1, 0, -2, -3, 0, 0, -1, math.NaN()}),
		writeRows(filepath.Join(env.WorkDir, "fold1.arrows"), "log-probability", []int{0, 3}, []float64{0, 0, -2, math.NaN()}),
		writeRows(filepath.Join(env.WorkDir, "fold2.arrows"), "log-probability", []int{1, 2}, []float64{-2, -2, -4, 1}),
		writeRows(filepath.Join(env.WorkDir, "swapped.arrows"), "log-probability", []int{2, 1}, make([]float64, 4)),
		writeRows(filepath.Join(env.WorkDir, "whole.arrows"), "log-probability", []int{0, 1, 2, 3}, []float64{0, 0, -2, -2, -4, 1, -2, 0}),
		writeRows(filepath.Join(env.WorkDir, "longer.arrows"), "log-probability", []int{1, 2, 4}, make([]float64, 6)),
	)
}

// writeContributions writes phi, (rows, 2), in batches of 300 rows.
func writeContributions(path string, phi []float64) error { return writeValued(path, "published", phi) }

func writeValued(path, value string, phi []float64) error {
	at := make([]int, len(phi)/2)
	for i := range at {
		at[i] = i
	}
	return writeRows(path, value, at, phi)
}

// writeRows writes contributions to the samples at some positions.
func writeRows(path, value string, at []int, phi []float64) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	w, err := schema.NewContributionsWriter(file, schema.Contributions{
		Header: schema.Header{
			Tool: "test", Modalities: []modality.Modality{{Name: "a"}, {Name: "v"}}, Classes: []string{"x", "y"},
			Digest: schema.Digest{Samples: "sha256:5a", Model: "sha256:30"},
		},
		Value: value, Estimator: "exact", Baseline: "zero-feature", Epoch: 5, Right: true,
	})
	if err != nil {
		return err
	}
	const size = 300
	for from := 0; from < len(phi)/2; from += size {
		rows := min(size, len(phi)/2-from)
		id := func(i int) string { return fmt.Sprint("s", at[from+i]) }
		positions := make([]int64, rows)
		for i := range positions {
			positions[i] = int64(at[from+i])
		}
		batch := schema.ContributionRows{
			Rows: rows, At: positions, ID: id, Label: make([]int32, rows), Prediction: make([]int32, rows),
			Phi: phi[2*from:][:2*rows], Right: make([]bool, 4*rows),
		}
		if err := w.Append(batch); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), file.Close())
}

// show prints the plan stream on standard input.
func show() {
	if err := printPlan(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "show:", err)
		os.Exit(1)
	}
}

func printPlan(in io.Reader, out io.Writer) error {
	r, err := stream.NewReader(in)
	if err != nil {
		return err
	}
	defer r.Close()
	p, err := schema.NewPlanReader(r)
	if err != nil {
		return err
	}
	plan := p.Plan()
	names := modality.Names(plan.Modalities)
	fmt.Fprintln(out, plan.Method, "strength", plan.Strength, "epoch", plan.Epoch, "seed", *plan.Seed, "shuffle", plan.Shuffle,
		plan.Extra, names, plan.Classes, plan.Digest)
	for {
		b, err := p.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range b.Rows() {
			row := b.At(i)
			fmt.Fprintln(out, row.Row, row.ID, row.Keep.Label(names), row.Weight)
		}
	}
}
