package valuation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/shapley"
	"mmtools/pkg/stream"
)

func TestRunEqualsReference(t *testing.T) {
	r := rand.New(rand.NewPCG(20, 24))
	for n := 2; n <= 6; n++ {
		m, s := random(r, n, 2+r.IntN(4), 100)
		var models []Predictor
		models = append(models, m, opaque{m}, &lagging{linear: m, t: t, depth: 2})
		var first Summary
		for k, model := range models {
			for _, threads := range []int{1, 5} {
				at := 0
				summary, err := Run(context.Background(), s.reader(t), model, Options{Threads: threads}, func(b *schema.SamplesBatch, res *Result) error {
					for i := range res.Rows {
						want := reference(m, s, at)
						if int(res.Prediction[i]) != want.prediction || res.Label[i] != s.rows[at].Label || b.ID(i) != s.rows[at].ID {
							t.Errorf("n=%d sample %d: got prediction %d, label %d, id %s", n, at, res.Prediction[i], res.Label[i], b.ID(i))
						}
						if !slices.Equal(res.Right[i<<n:][:1<<n], want.right) {
							t.Errorf("n=%d sample %d: got right %v, want %v", n, at, res.Right[i<<n:][:1<<n], want.right)
						}
						if !same(res.Phi[i*n:][:n], want.phi) {
							t.Errorf("n=%d sample %d: got phi %v, want %v", n, at, res.Phi[i*n:][:n], want.phi)
						}
						at++
					}
					return nil
				})
				if err != nil || at != len(s.rows) {
					t.Fatalf("n=%d: %d samples, %v", n, at, err)
				}
				if k == 0 && threads == 1 {
					first = summary
					checkSummary(t, m, s, summary)
				} else if fmt.Sprint(summary) != fmt.Sprint(first) {
					t.Errorf("n=%d: summary %+v, want %+v", n, summary, first)
				}
			}
		}
	}
}

func checkSummary(t *testing.T, m *linear, s samples, got Summary) {
	t.Helper()
	n := len(m.modalities)
	have, below, phi, right := make([]int64, n), make([]int64, n), make([]float64, n), make([]int64, 1<<n)
	for row := range s.rows {
		o := reference(m, s, row)
		for p, x := range o.phi {
			if x == x {
				have[p]++
				phi[p] += x
				if x < 1 {
					below[p]++
				}
			}
		}
		for c, w := range o.right {
			if w {
				right[c]++
			}
		}
	}
	if !slices.Equal(got.Have, have) || !slices.Equal(got.BelowOne, below) || !slices.Equal(got.Right, right) || got.Samples != int64(len(s.rows)) {
		t.Errorf("summary %+v, want have %v, below one %v, right %v", got, have, below, right)
	}
	for p := range n {
		if want := phi[p] / float64(have[p]); math.Abs(got.Mean(p)-want) > 1e-12 {
			t.Errorf("mean of modality %d: got %v, want %v", p, got.Mean(p), want)
		}
		if want := float64(below[p]) / float64(have[p]); got.ShareBelowOne(p) != want {
			t.Errorf("share below one of modality %d: got %v, want %v", p, got.ShareBelowOne(p), want)
		}
	}
	if want := float64(right[1<<n-1]) / float64(len(s.rows)); got.Accuracy(modality.All(n)) != want {
		t.Errorf("accuracy: got %v, want %v", got.Accuracy(modality.All(n)), want)
	}
}

// identity is a model whose modalities are logits: three classes, and a bias that favours class 1 and not class 2, so
// that what two modalities do together can be chosen freely.
func identity() *linear {
	m := &linear{rows: 4, classes: []string{"x", "y", "z"}, bias: []float32{0, 3, -3}}
	for _, name := range []string{"a", "v"} {
		m.modalities = append(m.modalities, modality.Modality{Name: name, Kind: modality.Embedding, Shape: []int{3}})
		m.weight = append(m.weight, []float32{1, 0, 0, 0, 1, 0, 0, 0, 1})
	}
	return m
}

func identitySamples(m *linear, rows ...schema.Sample) samples {
	return samples{schema.Samples{
		Header: schema.Header{Kind: schema.KindSamples, Tool: "test", Modalities: m.modalities, Classes: m.classes},
		DTypes: []schema.DType{schema.Float32, schema.Float32},
	}, rows}
}

// TestDesignTable holds the table of docs/design.md from the features to phi.
func TestDesignTable(t *testing.T) {
	m := identity()
	var rows []schema.Sample
	want := []float64{}
	for _, row := range []struct {
		a, v       []float32
		phiA, phiV float64
	}{ // the label is class 0; the bias alone says class 1
		{[]float32{0, -4, 0}, []float32{0, -4, 0}, 1, 1},
		{[]float32{0, -4, 0}, []float32{0, 0, 0}, 1.5, 0.5},
		{[]float32{0, -2, 0}, []float32{0, -2, 0}, 1, 1},
		{[]float32{0, -4, 2}, []float32{0, -4, 2}, 0, 0},
		{[]float32{0, -4, 0}, []float32{0, 4, 0}, 0.5, -0.5},
		{[]float32{0, 0, 0}, []float32{0, 0, 0}, 0, 0},
	} {
		rows = append(rows, schema.Sample{ID: fmt.Sprint(len(rows)), Tensors: []any{row.a, row.v}})
		want = append(want, row.phiA, row.phiV)
	}
	var phi []float64
	if _, err := Run(context.Background(), identitySamples(m, rows...).reader(t), m, Options{}, func(_ *schema.SamplesBatch, r *Result) error {
		phi = append(phi, r.Phi...)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(phi, want) {
		t.Errorf("got %v, want %v", phi, want)
	}
}

func TestRunErrors(t *testing.T) {
	row := func(label int32, a ...float32) schema.Sample {
		return schema.Sample{ID: "s1", Label: label, Tensors: []any{a, []float32{0, 0, 0}}}
	}
	good := schema.Sample{ID: "s0", Tensors: []any{[]float32{0, 0, 0}, []float32{0, 0, 0}}}
	for _, c := range []struct {
		name   string
		row    schema.Sample
		change func(m *linear)
		want   []string
	}{
		{"unlabelled", row(-1, 0, 0, 0), nil, []string{"samples.arrows", "row 1", `"s1"`, "no label"}},
		{"logits", row(0, 3e38, 3e38, 3e38), func(m *linear) { m.weight[0][0] = 2 }, []string{"samples.arrows", "row 1", `"s1"`, "net", "not finite"}},
		{"modality", good, func(m *linear) { m.modalities[1].Name = "video" }, []string{"samples.arrows", "a, v", "net", "a, video"}},
		{"more modalities", good, func(m *linear) { m.modalities = m.modalities[:1] }, []string{"a, v", "net are a"}},
		{"shape", good, func(m *linear) { m.modalities[0].Shape = []int{4} }, []string{`"a"`, "[3]", "[4]"}},
		{"classes", good, func(m *linear) { m.classes = []string{"x", "z", "y"} }, []string{"x, y, z", "x, z, y"}},
		{"too many", good, func(m *linear) { m.modalities = make([]modality.Modality, 21) }, []string{"21 modalities"}},
	} {
		for _, hide := range []bool{false, true} {
			m := identity()
			s := identitySamples(m, good, c.row)
			s.Modalities = slices.Clone(m.modalities)
			in := s.reader(t)
			if c.change != nil {
				c.change(m)
			}
			var p Predictor = m
			if hide {
				p = opaque{m}
			}
			_, err := Run(context.Background(), in, p, Options{Model: "net"}, func(*schema.SamplesBatch, *Result) error {
				t.Errorf("%s: emitted", c.name)
				return nil
			})
			if !errors.Is(err, stream.ErrInput) {
				t.Errorf("%s: got %v, want a bad input", c.name, err)
				continue
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s: got %v, which lacks %s", c.name, err, part)
				}
			}
		}
	}
}

func TestRunStops(t *testing.T) {
	m, s := random(rand.New(rand.NewPCG(1, 1)), 2, 3, 40)
	full := errors.New("full")
	if _, err := Run(context.Background(), s.reader(t), m, Options{}, func(*schema.SamplesBatch, *Result) error { return full }); err != full {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, s.reader(t), m, Options{}, func(*schema.SamplesBatch, *Result) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	s.rows = nil
	summary, err := Run(context.Background(), s.reader(t), m, Options{}, func(*schema.SamplesBatch, *Result) error { return full })
	if err != nil || summary.Samples != 0 || !math.IsNaN(summary.Mean(0)) {
		t.Errorf("no samples: %+v, %v", summary, err)
	}
}

// TestManyModalities takes the paths of games that are too large for Result.Right.
func TestManyModalities(t *testing.T) {
	n := MaxRight + 1
	m, s := random(rand.New(rand.NewPCG(2, 2)), n, 3, 12)
	var phi [2][]float64
	for k, model := range []Predictor{m, opaque{m}} {
		if _, err := Run(context.Background(), s.reader(t), model, Options{}, func(_ *schema.SamplesBatch, r *Result) error {
			if r.Right != nil {
				t.Error("Right of too many modalities")
			}
			for i := range r.Rows {
				sum, players := 0.0, 0.0
				for _, x := range r.Phi[i*n:][:n] {
					if x == x {
						sum, players = sum+x, players+1
					}
				}
				want := 0.0
				if r.Prediction[i] == r.Label[i] {
					want = players
				}
				if math.Abs(sum-want) > 1e-9 { // efficiency
					t.Errorf("sample %d: contributions sum to %v, want %v", i, sum, want)
				}
			}
			phi[k] = append(phi[k], r.Phi...)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	}
	if !same(phi[0], phi[1]) {
		t.Error("the additive and the general path differ")
	}
}

// BenchmarkRun values samples of a linear head: every coalition by sums of parts. Cost per sample at 12 and 20 modalities is
// that of 4,096 and 1,048,576 coalitions.
func BenchmarkRun(b *testing.B) {
	for _, c := range []struct {
		n, rows int
		o       Options
	}{
		{2, 4096, Options{}}, {2, 4096, Options{Value: Probability}}, {6, 4096, Options{}}, {6, 4096, Options{Value: Margin}},
		{6, 1024, Options{Value: Probability}}, {12, 128, Options{}}, {20, 2, Options{}},
		{20, 128, Options{Value: Margin, Estimator: Permutation, Rule: shapley.Rule{Evaluations: 1024}}},
	} {
		name := fmt.Sprintf("n=%d,classes=31,value=%s", c.n, c.o.Value.name())
		if c.o.Estimator != "" {
			name += ",estimator=" + string(c.o.Estimator)
		}
		b.Run(name, func(b *testing.B) {
			m, s := random(rand.New(rand.NewPCG(1, 1)), c.n, 31, c.rows)
			m.rows = 256
			for _, sample := range s.rows { // a modality that is missing halves the work
				for k := range sample.Tensors {
					if sample.Tensors[k] == nil {
						sample.Tensors[k] = make([]float32, s.Modalities[k].Size())
						if s.DTypes[k] == schema.Uint8 {
							sample.Tensors[k] = make([]uint8, s.Modalities[k].Size())
						}
					}
				}
			}
			for b.Loop() {
				if _, err := Run(context.Background(), s.reader(b), m, c.o, func(*schema.SamplesBatch, *Result) error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(len(s.rows))*float64(b.N)/b.Elapsed().Seconds(), "samples/s")
		})
	}
}

// Of a fold alone, everything is what it is among all samples: contributions, positions, ids, labels, what is drawn.
func TestFoldIsPartOfTheWhole(t *testing.T) {
	r := rand.New(rand.NewPCG(20, 5))
	m, s := random(r, 3, 4, 200)
	for _, o := range []Options{{}, {Value: Margin, Estimator: Permutation, Rule: shapley.Rule{Evaluations: 40}, Seed: 3}} {
		type row struct{ id, is string }
		collect := func(o Options) (rows map[int64]row) {
			rows = map[int64]row{}
			summary, err := Run(context.Background(), s.reader(t), m, o, func(b *schema.SamplesBatch, res *Result) error {
				for i := range res.Rows {
					rows[res.At[i]] = row{b.ID(res.First + i), fmt.Sprint(res.Label[i], res.Prediction[i], res.Phi[i*3:][:3])}
				}
				return nil
			})
			if err != nil || summary.Samples != int64(len(rows)) {
				t.Fatalf("%d of %d samples: %v", summary.Samples, len(rows), err)
			}
			return rows
		}
		whole, joined := collect(o), 0
		for part := 1; part <= 3; part++ {
			o.Fold = &schema.Fold{Part: part, Of: 3}
			for at, got := range collect(o) {
				joined++
				if got != whole[at] || !o.Fold.Has(got.id) || got.id != s.rows[at].ID {
					t.Errorf("fold %v: sample %d: got %v, of all samples %v", o.Fold, at, got, whole[at])
				}
			}
		}
		if joined != len(s.rows) {
			t.Errorf("%d samples in the folds, want %d", joined, len(s.rows))
		}
	}
}
