package main

import (
	"encoding/json"
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
	"mmtools/pkg/checkpoint"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
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

var classes = []string{"x", "y", "z"}

func modalities(names ...string) []modality.Modality {
	var ms []modality.Modality
	for _, name := range names {
		ms = append(ms, modality.Modality{Name: name, Kind: modality.Embedding, Shape: []int{3}})
	}
	return ms
}

// fixtures lays a model whose modalities a and v are logits, samples for it, and contributions into a script's folder.
func fixtures(env *testscript.Env) error {
	at := func(name string) string { return filepath.Join(env.WorkDir, name) }
	none := []float32{0, 0, 0}
	rows := []schema.Sample{ // the table of docs/design.md, row by row (class x), and a sample that every coalition gets right
		{ID: "111", Tensors: []any{[]float32{0, -4, 0}, []float32{0, -4, 0}}},
		{ID: "110", Tensors: []any{[]float32{0, -4, 0}, none}},
		{ID: "100", Tensors: []any{[]float32{0, -2, 0}, []float32{0, -2, 0}}},
		{ID: "011", Tensors: []any{[]float32{0, -4, 2}, []float32{0, -4, 2}}},
		{ID: "010", Tensors: []any{[]float32{0, -4, 0}, []float32{0, 4, 0}}},
		{ID: "000", Tensors: []any{none, none}},
		{ID: "y", Label: 1, Tensors: []any{none, none}},
	}
	nan := []schema.Sample{rows[0], {ID: "broken", Tensors: []any{none, []float32{0, float32(math.NaN()), 0}}}}
	return errors.Join(
		writeSamples(at("samples.arrows"), modalities("a", "v"), rows),
		writeSamples(at("nan.arrows"), modalities("a", "v"), nan),
		writeSamples(at("empty.arrows"), modalities("a", "v"), nil),
		writeSamples(at("other.arrows"), modalities("a", "video"), rows[:1]),
		writeModel(at("model.arrow"), false), writeModel(at("best.arrow"), true),
		writeContributions(at("before.arrows"), modalities("a", "v"), [][2]float64{{0.5, 1.5}, {0.5, 1.5}, {1.5, 0.5}, {1.5, 0.5}, {1, 1}, {-0.5, 0.5}, {1, math.NaN()}}),
		writeContributions(at("after.arrows"), modalities("a", "v"), [][2]float64{{0.5, 1.5}, {1, 1}}),
		writeContributions(at("elsewhere.arrows"), modalities("a", "video"), [][2]float64{{0.5, 1.5}}),
	)
}

func write(path string, f func(io.Writer) error) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(f(file), file.Close())
}

func writeSamples(path string, ms []modality.Modality, rows []schema.Sample) error {
	return write(path, func(out io.Writer) error {
		header := schema.Header{Tool: "test", Modalities: ms, Classes: classes, Digest: schema.Digest{Samples: "sha256:5a"}}
		w, err := schema.NewSamplesWriter(out, schema.Samples{Header: header, DTypes: make([]schema.DType, len(ms))})
		if err != nil {
			return err
		}
		for _, row := range rows {
			if err := w.Append(row); err != nil {
				return err
			}
		}
		return w.Close()
	})
}

// writeModel writes a head that adds the modalities' logits and a bias; the weights of its best epoch, where it has some,
// answer x to everything.
func writeModel(path string, best bool) error {
	ms := modalities("a", "v")
	spec := network.Spec{Fusion: "concat", Classes: classes}
	for _, m := range ms {
		spec.Modalities = append(spec.Modalities, network.Channel{Modality: m, Backbone: "identity"})
	}
	raw, err := json.Marshal(spec)
	if err != nil {
		return err
	}
	head := schema.Tensor{Name: "head.weight", Role: schema.RoleParameter, Shape: []int{3, 6}, Data: []float32{
		1, 0, 0, 1, 0, 0,
		0, 1, 0, 0, 1, 0,
		0, 0, 1, 0, 0, 1,
	}}
	bias := schema.Tensor{Name: "head.bias", Role: schema.RoleParameter, Shape: []int{3}, Data: []float32{0, 3, -3}}
	c := checkpoint.Checkpoint{Header: schema.Header{Tool: "test", Modalities: ms, Classes: classes}, Spec: raw,
		State: checkpoint.State{Epoch: 5}, Tensors: []schema.Tensor{head, bias}}
	if best {
		head.Role, bias.Role, bias.Data = schema.RoleBest, schema.RoleBest, []float32{100, 0, 0}
		c.State.Best = &checkpoint.Best{Epoch: 3, Accuracy: 0.9}
		c.Tensors = append(c.Tensors, head, bias)
	}
	return write(path, c.Write)
}

// writeContributions writes rows of two modalities; their ids are s0, s1, ...
func writeContributions(path string, ms []modality.Modality, phi [][2]float64) error {
	return write(path, func(out io.Writer) error {
		w, err := schema.NewContributionsWriter(out, schema.Contributions{Header: schema.Header{Tool: "test", Modalities: ms, Classes: classes}, Value: "test", Estimator: "exact", Epoch: 5})
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
