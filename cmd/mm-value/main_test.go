package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"mmtools/internal/exits"
	"mmtools/pkg/modality"
	"mmtools/pkg/network/networktest"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

func TestMain(m *testing.M) {
	if os.Getenv("MM_VALUE_MAIN") != "" {
		main()
	}
	testscript.Main(m, map[string]func(){"mm-value": main, "show": show})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, Setup: fixtures,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits.Command}})
}

var classes, modalities = networktest.Classes, networktest.Modalities

// fixtures lays a model whose modalities a and v are logits, and samples for it, into a script's folder.
func fixtures(env *testscript.Env) error {
	at := func(name string) string { return filepath.Join(env.WorkDir, name) }
	none := []float32{0, 0, 0}
	table := tableSamples()
	swapped := make([]schema.Sample, len(table))
	for i, s := range table {
		swapped[i] = schema.Sample{ID: s.ID, Tensors: []any{s.Tensors[1], s.Tensors[0]}}
	}
	good := table[:1]
	nan := []schema.Sample{table[0], {ID: "broken", Tensors: []any{none, []float32{0, float32(nan()), 0}}}}
	unlabelled := []schema.Sample{table[0], {ID: "who", Label: -1, Tensors: []any{none, none}}}
	for _, f := range []struct {
		name       string
		modalities []modality.Modality
		classes    []string
		rows       []schema.Sample
	}{
		{"table.arrows", modalities("a", "v"), classes, table},
		{"swapped.arrows", modalities("v", "a"), classes, swapped},
		{"nan.arrows", modalities("a", "v"), classes, nan},
		{"unlabelled.arrows", modalities("a", "v"), classes, unlabelled},
		{"other.arrows", modalities("a", "video"), classes, good},
		{"classes.arrows", modalities("a", "v"), []string{"x", "y", "w"}, good},
		{"empty.arrows", modalities("a", "v"), classes, nil},
	} {
		if err := networktest.WriteSamples(at(f.name), f.modalities, f.classes, f.rows); err != nil {
			return err
		}
	}
	return errors.Join(networktest.WriteModel(at("model.arrow"), false), writePredictions(at("predictions.arrows"), true), writePredictions(at("partial.arrows"), false),
		writeSingles(at("singles.arrows")))
}

// tableSamples are the table of docs/design.md, and a sample without v.
func tableSamples() []schema.Sample {
	return append(networktest.Table(), schema.Sample{ID: "a only", Tensors: []any{[]float32{0, -4, 0}, nil}})
}

func nan() float64 { zero := 0.0; return zero / zero }

// writePredictions writes what a model of three modalities predicts of two samples: rightly from two modalities on; then
// only with text.
func writePredictions(path string, whole bool) error {
	return networktest.Write(path, func(out io.Writer) error {
		h := schema.Header{Tool: "test", Modalities: modalities("audio", "image", "text"), Classes: classes}
		w, err := schema.NewPredictionsWriter(out, schema.Predictions{Header: h})
		if err != nil {
			return err
		}
		for c := modality.All(3); c > 0; c-- {
			p := schema.Prediction{ID: "majority", Label: 1, Coalition: c}
			if c.Size() >= 2 {
				p.Prediction = 1
			}
			if err := w.Append(p); err != nil {
				return err
			}
		}
		for c := range modality.All(3) + 1 {
			p := schema.Prediction{ID: "dictator", Label: 2, Coalition: c, Prediction: 1}
			if c.Has(2) {
				p.Prediction = 2
			}
			if !whole && c == 0b101 {
				continue
			}
			if err := w.Append(p); err != nil {
				return err
			}
		}
		return w.Close()
	})
}

// writeSingles writes the logits of one sample's two modalities and of its bias; only together they outweigh it.
func writeSingles(path string) error {
	return networktest.Write(path, func(out io.Writer) error {
		w, err := schema.NewPredictionsWriter(out, schema.Predictions{Header: schema.Header{Tool: "test", Modalities: modalities("a", "v"), Classes: classes}})
		if err != nil {
			return err
		}
		for c, logits := range [][]float32{{2, 0, 0}, {2, 1.5, 0}, {2, 1.5, 0}} {
			if err := w.Append(schema.Prediction{ID: "summed", Label: 1, Coalition: modality.Coalition(c), Logits: logits}); err != nil {
				return err
			}
		}
		return w.Close()
	})
}

// show prints the contributions stream on standard input.
func show() {
	if err := printContributions(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "show:", err)
		os.Exit(1)
	}
}

func printContributions(in io.Reader, out io.Writer) error {
	r, err := stream.NewReader(in)
	if err != nil {
		return err
	}
	defer r.Close()
	c, err := schema.NewContributionsReader(r)
	if err != nil {
		return err
	}
	about := c.Contributions()
	fmt.Fprintln(out, modality.Names(about.Modalities), about.Classes, about.Value, about.Estimator, about.Baseline, "epoch", about.Epoch, about.Digest.Samples)
	fmt.Fprintln(os.Stderr, "model", about.Digest.Model)
	seed := "none"
	if about.Seed != nil {
		seed = fmt.Sprint(*about.Seed)
	}
	fmt.Fprintln(os.Stderr, "seed", seed, "permutations", about.Permutations, about.Extra)
	for {
		b, err := c.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		for i := range b.Rows() {
			fmt.Fprint(out, b.Row(i), " ", b.ID(i), " label ", b.Label(i), " prediction ", b.Prediction(i), " phi")
			for p := range about.Modalities {
				fmt.Fprint(out, " ", b.Phi(p)[i])
			}
			if about.StdErr {
				for p := range about.Modalities {
					fmt.Fprint(out, " +-", b.StdErr(p)[i])
				}
			}
			for k, column := range b.Columns() {
				fmt.Fprint(out, " ", about.Columns[k].Name, "=", column.ValueStr(i))
			}
			if right, ok := b.Right(i); ok {
				fmt.Fprintf(out, " right %0*b", 1<<len(about.Modalities), right)
			}
			fmt.Fprintln(out)
		}
	}
}
