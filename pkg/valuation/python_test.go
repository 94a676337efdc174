package valuation

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"testing"

	"mmtools/internal/fixture"
	"mmtools/pkg/device"
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
)

// python is what scripts/reference/valuation.py wrote.
type python struct {
	Fusion             string
	Modalities         []fixture.Modality
	Classes            int
	Parameters         map[string]fixture.Tensor
	Samples, Reference struct {
		X           map[string]fixture.Tensor
		Keep, Label fixture.Tensor
	}
	Logits fixture.Tensor // (rows,C): of all modalities that a sample has
	Cases  []struct {
		Absence, Value, Label string
		Phi                   fixture.Tensor // (rows,n)
	}
}

func loadPython(t *testing.T, fusion string) *python {
	t.Helper()
	f, err := os.Open("testdata/valuation-" + fusion + ".json.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	unzipped, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var p python
	if err := json.NewDecoder(unzipped).Decode(&p); err != nil {
		t.Fatal(err)
	}
	return &p
}

func (p *python) spec() network.Spec {
	s := network.Spec{Fusion: p.Fusion}
	for _, m := range p.Modalities {
		s.Modalities = append(s.Modalities, network.Channel{
			Modality: modality.Modality{Name: m.Name, Kind: modality.Embedding, Shape: []int{m.Size}}, Backbone: m.Backbone,
		})
	}
	for c := range p.Classes {
		s.Classes = append(s.Classes, fmt.Sprint("class", c))
	}
	return s
}

// rows makes a samples stream of the fixture's, labelled or not.
func (p *python) rows(x map[string]fixture.Tensor, keep, label fixture.Tensor, labelled bool) samples {
	spec := p.spec()
	s := samples{Samples: schema.Samples{
		Header: schema.Header{Kind: schema.KindSamples, Tool: "test", Modalities: spec.Channels(), Classes: spec.Classes},
		DTypes: make([]schema.DType, len(p.Modalities)),
	}}
	for row, l := range label.Int32 {
		sample := schema.Sample{ID: fmt.Sprint("s", row), Label: -1}
		if labelled {
			sample.Label = l
		}
		for i, m := range p.Modalities {
			if keep.Int32[row*len(p.Modalities)+i] == 0 {
				sample.Tensors = append(sample.Tensors, nil)
				continue
			}
			sample.Tensors = append(sample.Tensors, x[m.Name].Float32[row*m.Size:][:m.Size])
		}
		s.rows = append(s.rows, sample)
	}
	return s
}

// TestPythonAgrees holds contributions through a network, its evaluator and the streams to an independent implementation:
// every fusion, value, absence and label. Logits are float32 here and float64 there.
func TestPythonAgrees(t *testing.T) {
	for _, fusion := range []string{"concat", "film", "gated", "attention"} {
		t.Run(fusion, func(t *testing.T) { pythonAgrees(t, loadPython(t, fusion)) })
	}
}

func pythonAgrees(t *testing.T, p *python) {
	raw, err := json.Marshal(p.spec())
	if err != nil {
		t.Fatal(err)
	}
	m := schema.Model{Header: schema.Header{Tool: "test", Modalities: p.spec().Channels(), Classes: p.spec().Classes}, Spec: raw}
	for name, x := range p.Parameters {
		m.Tensors = append(m.Tensors, schema.Tensor{Name: name, Role: schema.RoleParameter, Shape: x.Shape, Data: x.Float32})
	}
	d, err := device.Open(device.Options{Name: "cpu", Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	model, err := network.Load(m, d, 5, schema.RoleParameter)
	if err != nil {
		t.Fatal(err)
	}
	reference := p.rows(p.Reference.X, p.Reference.Keep, p.Reference.Label, false)
	n := len(p.Modalities)
	for _, c := range p.Cases {
		what := c.Absence + " " + c.Value + " " + c.Label
		repl, err := NewReplacement(context.Background(), Absence(c.Absence), model, reference.reader(t), 1000, 0, Options{})
		if err != nil {
			t.Fatal(err)
		}
		s := p.rows(p.Samples.X, p.Samples.Keep, p.Samples.Label, c.Label == "given")
		o := Options{Value: Value(c.Value), Predicted: c.Label == "predicted", Replacement: repl, Threads: 2}
		got, _ := collect(t, s.reader(t), model, o)
		tolerance := 2e-6
		if o.Value.Whole() {
			tolerance = 1e-12
		}
		if len(got.Phi) != len(c.Phi.Float64) || len(got.Phi) == 0 {
			t.Fatalf("%s: %d contributions, want %d", what, len(got.Phi), len(c.Phi.Float64))
		}
		for k, want := range c.Phi.Float64 {
			if x := got.Phi[k]; math.IsNaN(x) != math.IsNaN(want) || math.Abs(x-want) > tolerance*max(1, math.Abs(want)) {
				t.Errorf("%s: sample %d, modality %d: got %v, want %v", what, k/n, k%n, x, want)
			}
		}
	}
	if len(p.Cases) != 2*len(Values)*len(Absences) {
		t.Errorf("%d cases, want every value, absence and label", len(p.Cases))
	}
}
