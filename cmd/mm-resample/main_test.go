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
	)
}

// writeContributions writes phi, (rows, 2), in batches of 300 rows.
func writeContributions(path string, phi []float64) error { return writeValued(path, "published", phi) }

func writeValued(path, value string, phi []float64) error {
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
		id := func(i int) string { return fmt.Sprint("s", from+i) }
		if err := w.AppendBatch(id, rows, int64(from), make([]int32, rows), make([]int32, rows),
			phi[2*from:][:2*rows], make([]bool, 4*rows)); err != nil {
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
