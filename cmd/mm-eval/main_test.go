package main

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/rogpeppe/go-internal/testscript"

	"mmtools/internal/exits"
	"mmtools/pkg/modality"
	"mmtools/pkg/network/networktest"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"mm-eval":     main,
		"metrics":     func() { reading(printMetrics) },
		"predictions": func() { reading(printPredictions) },
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata", RequireExplicitExec: true, Setup: fixtures,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits.Command}})
}

var classes, modalities = networktest.Classes, networktest.Modalities

// fixtures lays a model whose modalities a and v are logits, samples for it, and contributions into a script's folder.
func fixtures(env *testscript.Env) error {
	at := func(name string) string { return filepath.Join(env.WorkDir, name) }
	none := []float32{0, 0, 0}
	rows := append(networktest.Table(), schema.Sample{ID: "y", Label: 1, Tensors: []any{none, none}}) // which every coalition gets right
	nan := []schema.Sample{rows[0], {ID: "broken", Tensors: []any{none, []float32{0, float32(math.NaN()), 0}}}}
	return errors.Join(
		networktest.WriteSamples(at("samples.arrows"), modalities("a", "v"), classes, rows),
		networktest.WriteSamples(at("nan.arrows"), modalities("a", "v"), classes, nan),
		networktest.WriteSamples(at("empty.arrows"), modalities("a", "v"), classes, nil),
		networktest.WriteSamples(at("other.arrows"), modalities("a", "video"), classes, rows[:1]),
		networktest.WriteModel(at("model.arrow"), false), networktest.WriteModel(at("best.arrow"), true),
		writeContributions(at("before.arrows"), modalities("a", "v"), [][2]float64{{0.5, 1.5}, {0.5, 1.5}, {1.5, 0.5}, {1.5, 0.5}, {1, 1}, {-0.5, 0.5}, {1, math.NaN()}}),
		writeContributions(at("after.arrows"), modalities("a", "v"), [][2]float64{{0.5, 1.5}, {1, 1}}),
		writeContributions(at("elsewhere.arrows"), modalities("a", "video"), [][2]float64{{0.5, 1.5}}),
	)
}

// writeContributions writes rows of two modalities; their ids are s0, s1, ...
func writeContributions(path string, ms []modality.Modality, phi [][2]float64) error {
	return networktest.Write(path, func(out io.Writer) error {
		w, err := schema.NewContributionsWriter(out, schema.Contributions{Header: schema.Header{Tool: "test", Modalities: ms, Classes: classes}, Value: "published", Estimator: "exact", Epoch: 5})
		if err != nil {
			return err
		}
		var flat []float64
		for _, row := range phi {
			flat = append(flat, row[:]...)
		}
		none := make([]int32, len(phi))
		if err := w.AppendBatch(func(i int) string { return fmt.Sprint("s", i) }, len(phi), 0, none, none, flat, nil); err != nil {
			return err
		}
		return w.Close()
	})
}

// reading runs a command that prints the stream on standard input.
func reading(print func(*stream.Reader) error) {
	r, err := stream.NewReader(os.Stdin)
	if err == nil {
		err = print(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func printMetrics(r *stream.Reader) error {
	kind, _ := r.Schema().Metadata().GetValue("mm.stream")
	names, _ := r.Schema().Metadata().GetValue("mm.modalities")
	fmt.Println(kind, names)
	record, err := r.Next()
	if err != nil {
		return err
	}
	for i := range int(record.NumRows()) {
		of, value := record.Column(1), record.Column(2).(*array.Float64)
		fmt.Printf("%s %s %s\n", record.Column(0).ValueStr(i), of.ValueStr(i), value.ValueStr(i))
	}
	_, err = r.Next()
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func printPredictions(r *stream.Reader) error {
	p, err := schema.NewPredictionsReader(r)
	if err != nil {
		return err
	}
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
			fmt.Println(row.ID, row.Label, int(row.Coalition), row.Prediction, row.Logits)
		}
	}
}
