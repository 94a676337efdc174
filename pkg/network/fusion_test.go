package network

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gorgonia.org/gorgonia"

	"mmtools/pkg/modality"
)

// evaluated is a model with random weights, its evaluator, and a minibatch of which some rows lack modalities.
type evaluated struct {
	evaluator Evaluator
	bench     bench
	minibatch *Minibatch
}

func newEvaluated(t *testing.T, s Spec, rows int) evaluated {
	t.Helper()
	b := newBench(t, s, rows)
	params, buffers := make([]float32, b.graph.Layout.ParamSize), make([]float32, b.graph.Layout.BufferSize)
	for _, slot := range b.graph.Layout.Params {
		copy(slot.In(params), b.values[b.graph.Param(slot.Name)])
	}
	for _, slot := range b.graph.Layout.Buffers {
		copy(slot.In(buffers), b.values[b.graph.Param(slot.Name)])
	}
	e, err := NewEvaluator(s, open(t, 2), rows, params, buffers)
	if err != nil {
		t.Fatal(err)
	}
	m := &Minibatch{Rows: rows}
	for _, x := range b.graph.X {
		m.X = append(m.X, b.values[x])
	}
	r := rand.New(rand.NewPCG(3, 4))
	for range rows {
		m.Keep = append(m.Keep, modality.Coalition(r.IntN(int(modality.All(len(s.Modalities)))+1)))
	}
	return evaluated{evaluator: e, bench: b, minibatch: m}
}

// trained returns the training graph's logits with the rows' own modalities of coalition c kept.
func (e evaluated) trained(t *testing.T, c modality.Coalition) []float32 {
	t.Helper()
	rows, n := e.minibatch.Rows, len(e.minibatch.X)
	b := e.bench
	for r := range rows {
		for p := range n {
			b.values[b.graph.Keep][r*n+p] = 0
			if (c & e.minibatch.Keep[r]).Has(p) {
				b.values[b.graph.Keep][r*n+p] = 1
			}
		}
	}
	for i := range b.values[b.graph.Drop] {
		b.values[b.graph.Drop][i] = 1 // nothing dropped
	}
	b.grads = gorgonia.Nodes{b.graph.Logits}
	d := open(t, 1)
	m, wanted := b.compiled(t, d, rows)
	m.Run(rows)
	logits := make([]float32, wanted[1].Shape().TotalSize())
	d.Download(logits, m.Buffer(wanted[1]))
	return logits
}

// The evaluator's logits of every coalition are those of the training graph with the same modalities kept: what the head is
// trained on is what is valued. What a row lacks may hold anything.
func TestEvaluatorEqualsTrainingGraph(t *testing.T) {
	for name, spec := range models() {
		if name == "resnet18" || name == "cnn and temporal" || name == "frozen" {
			continue // batch normalisations differ between training and evaluation
		}
		t.Run(name, func(t *testing.T) {
			const rows = 9
			e := newEvaluated(t, spec, rows)
			whole := e.minibatch
			m := *whole
			m.X = slices.Clone(whole.X)
			for p, x := range m.X {
				m.X[p] = slices.Clone(x)
				size := len(x) / rows
				for r, keep := range m.Keep {
					if !keep.Has(p) {
						for i := range size {
							m.X[p][r*size+i] = float32(math.NaN())
						}
					}
				}
			}
			if err := e.evaluator.Load(&m); err != nil {
				t.Fatal(err)
			}
			got := make([]float32, rows*len(spec.Classes))
			for c := range modality.All(len(spec.Modalities)) + 1 {
				if err := e.evaluator.Logits(c, got); err != nil {
					t.Fatal(err)
				}
				if err := near(got, e.trained(t, c), 2e-5); err != nil {
					t.Errorf("coalition %b: %v", c, err)
				}
			}
		})
	}
}

// A minibatch smaller than the one before it is not touched by what that left behind.
func TestEvaluatorFewerRows(t *testing.T) {
	for _, name := range []string{"linear sum", "film", "gated, 3", "attention, 3"} {
		spec := models()[name]
		e := newEvaluated(t, spec, 9)
		classes := len(spec.Classes)
		all, few := make([]float32, 9*classes), make([]float32, 4*classes)
		c := modality.All(len(spec.Modalities)).Without(0)
		for _, step := range []struct {
			rows   int
			logits []float32
		}{{9, all}, {4, few}} {
			m := *e.minibatch
			m.Rows = step.rows
			if err := e.evaluator.Load(&m); err != nil {
				t.Fatal(err)
			}
			if err := e.evaluator.Logits(c, step.logits); err != nil {
				t.Fatal(err)
			}
		}
		if err := near(few, all[:len(few)], 2e-5); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Only a model whose logits are a sum of parts says that they are: the valuation would add parts up.
func TestEvaluatorIsAdditive(t *testing.T) {
	for name, spec := range models() {
		if name == "resnet18" {
			continue // slow to make
		}
		_, additive := newEvaluated(t, spec, 1).evaluator.(interface {
			Parts(parts, bias []float32) error
		})
		if want := spec.Fusion == "concat" || spec.Fusion == "sum"; additive != want {
			t.Errorf("%s: additive %t, want %t", name, additive, want)
		}
	}
}

// Backbones run in Load alone: the machine of a coalition starts from what no mask reaches, which is the features where a
// mask comes first, and beyond them where one does not.
func TestBackbonesRunOnce(t *testing.T) {
	for name, want := range map[string][]string{
		"film":         {"Linear{6,5,1,true,false}", "Linear{4,3,1,true,false}"},
		"gated":        {"Linear{6,5,1,true,false}", "Linear{4,3,1,true,false}", "Elementwise{tanh,1,7,0}", "Elementwise{tanh,1,7,0}"},
		"attention, 3": {"Linear{6,6,1,true,false}", "Linear{6,4,1,true,false}", "Linear{6,4,1,true,false}"},
	} {
		g, err := Build(models()[name], 2, false)
		if err != nil {
			t.Fatal(err)
		}
		d := open(t, 1)
		tensors, err := Upload(d, make([]float32, g.Layout.ParamSize), make([]float32, g.Layout.BufferSize))
		if err != nil {
			t.Fatal(err)
		}
		bound, err := g.Bind(d, tensors)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, n := range g.unmasked(bound) {
			got = append(got, n.Op().String())
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("%s: the cut is %v, want %v", name, got, want)
		}
	}
}

// A model that says so shows every input that is not finite in all logits of its row and of its modality, standardized or not, also where
// an element never varied and its scale is 0; others do not say so.
func TestTransparent(t *testing.T) {
	for name, spec := range models() {
		if name == "resnet18" {
			continue // slow to make
		}
		e := newEvaluated(t, spec, 2)
		says, ok := e.evaluator.(interface{ Transparent() bool })
		want := name == "identity" || name == "linear sum"
		if (ok && says.Transparent()) != want {
			t.Errorf("%s: transparent %t, want %t", name, !want, want)
		}
		if !want {
			continue
		}
		for _, scale := range []float32{1, 0} {
			spec := spec
			layout, err := spec.Layout()
			if err != nil {
				t.Fatal(err)
			}
			buffers := layout.InitializeBuffers()
			for i := range buffers {
				buffers[i] *= scale
			}
			evaluator, err := NewEvaluator(spec, open(t, 2), 2, layout.Initialize(1), buffers)
			if err != nil {
				t.Fatal(err)
			}
			classes := len(spec.Classes)
			for p, x := range e.minibatch.X {
				for k := range len(x) / 2 {
					for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
						m := *e.minibatch
						m.X = slices.Clone(m.X)
						m.X[p] = slices.Clone(x)
						m.X[p][len(x)/2+k] = float32(bad)
						parts, bias := make([]float32, len(m.X)*2*classes), make([]float32, classes)
						if err := errors.Join(evaluator.Load(&m), evaluator.(additiveParts).Parts(parts, bias)); err != nil {
							t.Fatal(err)
						}
						for at, y := range parts {
							hit := at/classes == 2*p+1
							if finite := !math.IsNaN(float64(y)) && !math.IsInf(float64(y), 0); finite == hit {
								t.Fatalf("%s, scale %v: %v at element %d of modality %d makes logit %d %v", name, scale, bad, k, p, at, y)
							}
						}
					}
				}
			}
		}
	}
}

// Under a coalition, features that stand in for those that it lacks give the logits of a sample which has what they were made of, of
// every fusion; a modality that a row lacks stays masked, whatever it holds; and after Replace(nil) absent ones are masked again.
func TestReplacedFeatures(t *testing.T) {
	for _, name := range []string{"film", "gated", "gated, 3", "attention", "attention, 3"} {
		spec := models()[name]
		const rows = 9
		e := newEvaluated(t, spec, rows)
		replaceable := e.evaluator.(replaceable)
		n, classes := len(spec.Modalities), len(spec.Classes)
		logits := func(m *Minibatch, c modality.Coalition, stand [][]float32) []float32 {
			if err := errors.Join(replaceable.Replace(stand), e.evaluator.Load(m)); err != nil {
				t.Fatal(err)
			}
			got := make([]float32, m.Rows*classes)
			if err := e.evaluator.Logits(c, got); err != nil {
				t.Fatal(err)
			}
			return got
		}
		whole := *e.minibatch
		whole.Keep = slices.Repeat([]modality.Coalition{modality.All(n)}, rows)
		if err := e.evaluator.Load(&whole); err != nil {
			t.Fatal(err)
		}
		features, err := replaceable.Features()
		if err != nil {
			t.Fatal(err)
		}
		const from = 4 // the row whose features stand in
		var stand [][]float32
		for _, z := range features {
			width := len(z) / rows
			stand = append(stand, slices.Clone(z[from*width:][:width]))
		}
		for c := range modality.All(n) + 1 {
			other := *e.minibatch // the samples of which c was kept, and the rest taken from that row
			other.X = slices.Clone(other.X)
			for p, x := range other.X {
				if size := len(x) / rows; !c.Has(p) {
					other.X[p] = slices.Repeat(x[from*size:][:size], rows)
				}
			}
			got := logits(e.minibatch, c, stand)
			if err := near(got, logits(&other, modality.All(n), nil), 2e-5); err != nil {
				t.Errorf("%s, coalition %b: %v", name, c, err)
			}
			few := *e.minibatch
			few.Rows = 3
			if err := near(logits(&few, c, stand), got[:3*classes], 2e-5); err != nil {
				t.Errorf("%s, coalition %b, fewer rows: %v", name, c, err)
			}
			if err := near(logits(e.minibatch, c, nil), e.trained(t, c), 2e-5); err != nil {
				t.Errorf("%s, coalition %b, masked again: %v", name, c, err)
			}
		}
	}
}

// The empty coalition leaves the head's bias, plus what film's own bias gives.
func TestEmptyCoalition(t *testing.T) {
	for _, name := range []string{"identity", "linear sum", "gated", "gated, 3", "attention", "attention, 3"} {
		e := newEvaluated(t, models()[name], 3)
		if err := e.evaluator.Load(e.minibatch); err != nil {
			t.Fatal(err)
		}
		bias := e.bench.values[e.bench.graph.Param("head.bias")]
		got := make([]float32, 3*len(bias))
		if err := e.evaluator.Logits(0, got); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(got, slices.Repeat(bias, 3)) {
			t.Errorf("%s: logits of nothing are %v, want the bias %v", name, got, bias)
		}
	}
}

func TestFusionTensors(t *testing.T) {
	for name, want := range map[string]string{
		"film":             "fc.weight[8 6] fc.bias[8]",
		"film, first of 3": "fc.weight[12 8] fc.bias[12]",
		"gated":            "hidden.audio.weight[7 6] hidden.image.weight[7 4] gate.weight[7 10]",
		"gated, 3": "hidden.audio.weight[5 6] hidden.image.weight[5 4] hidden.text.weight[5 4] " +
			"gates.audio.weight[5 14] gates.image.weight[5 14] gates.text.weight[5 14]",
		"attention": "tokens.audio.weight[8 6] tokens.audio.bias[8] tokens.image.weight[8 4] tokens.image.bias[8] " +
			"attention.in_proj_weight[24 8] attention.in_proj_bias[24] attention.out_proj.weight[8 8] attention.out_proj.bias[8]",
		"identity": "",
	} {
		layout, err := models()[name].Layout()
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, slot := range layout.Params {
			if tensor, ok := strings.CutPrefix(slot.Name, "fusion."); ok {
				got = append(got, fmt.Sprint(tensor, slot.Shape))
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

func TestParseFusion(t *testing.T) {
	in := inputs{names: []string{"audio", "image", "text"}, features: []int{6, 4, 4}}
	for s, width := range map[string]int{"concat": 14, "film": 4, "film:audio": 6, "gated": 512, "gated:9": 9, "attention": 512, "attention:3:12": 12} {
		f, err := parseFusion(s, in)
		if err != nil {
			t.Errorf("%s: %v", s, err)
		} else if f.width() != width {
			t.Errorf("%s: width %d, want %d", s, f.width(), width)
		}
	}
	for s, want := range map[string]string{
		"":                   "want concat, sum",
		"mean":               "want concat, sum",
		"concat:3":           "takes nothing",
		"sum":                "equal widths",
		"film:":              `no modality ""`,
		"film:smell":         "no modality",
		"gated:":             "from 1 to",
		"gated:0":            "from 1 to",
		"gated:many":         "from 1 to",
		"gated:99999999":     "from 1 to",
		"attention:8":        "attention:HEADS:WIDTH",
		"attention:0:8":      "from 1 to",
		"attention:2:8:1":    "from 1 to",
		"attention:3:8":      "no multiple",
		"attention::":        "from 1 to",
		"attention:2:-8":     "from 1 to",
		"attention:16:8":     "no multiple",
		"attention:8:999999": "no multiple",
	} {
		if _, err := parseFusion(s, in); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got error %v, want %q", s, err, want)
		}
	}
	if _, err := parseFusion("film", inputs{names: []string{"audio"}, features: []int{6}}); err == nil {
		t.Error("film of one modality: no error")
	}
}
