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
	"mmtools/pkg/rng"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// tensor returns modality p of a row as the model sees it; nil where the row lacks it.
func (s samples) tensor(m *linear, row, p int) []float32 {
	return float32s(s.rows[row].Tensors[len(m.modalities)-1-p])
}

// standIns is the reference: the parts that take the place of absent modalities, (draws,n,C). chosen are the rows drawn.
func standIns(m *linear, reference samples, a Absence, chosen []int) [][][]float32 {
	n := len(m.modalities)
	if a == Marginal {
		var draws [][][]float32
		for _, row := range chosen {
			var draw [][]float32
			for p := range n {
				draw = append(draw, m.part(p, reference.tensor(m, row, p)))
			}
			draws = append(draws, draw)
		}
		return draws
	}
	draw := make([][]float32, n)
	for p, mod := range m.modalities {
		mean, have := make([]float64, mod.Size()), 0.0
		for row := range reference.rows {
			if x := reference.tensor(m, row, p); x != nil {
				have++
				for k, v := range x {
					mean[k] += float64(v)
				}
			}
		}
		x := make([]float32, mod.Size())
		for k := range x {
			if a != ZeroInput {
				x[k] = float32(mean[k] / have)
			}
		}
		draw[p] = m.part(p, x) // the model is linear: the mean feature's part is the mean input's
	}
	return [][][]float32{draw}
}

// allDraws returns the rows that a reservoir which keeps everything takes: those that lack nothing.
func allDraws(m *linear, reference samples) (rows []int) {
	for row, s := range reference.rows {
		if !slices.ContainsFunc(s.Tensors, func(x any) bool { return x == nil }) {
			rows = append(rows, row)
		}
	}
	return rows
}

// eachAbsence calls f for every absence from the samples of reference, of m and of a model that does what m does from features, with what
// stands in.
func eachAbsence(t *testing.T, m *linear, reference samples, f func(a Absence, model Predictor, repl *Replacement, absent [][][]float32)) {
	t.Helper()
	for _, a := range Absences {
		absent := zeros(m)
		if a != ZeroFeature {
			absent = standIns(m, reference, a, allDraws(m, reference))
		}
		for _, model := range []Predictor{m, newFeatured(m)} {
			repl, err := NewReplacement(context.Background(), a, model, reference.reader(t), 1000, 0, Options{})
			if err != nil {
				t.Fatal(err)
			}
			f(a, model, repl, absent)
		}
	}
}

func TestAbsencesEqualReference(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 4))
	for _, n := range []int{1, 2, 4} {
		m, s := random(r, n, 3, 40)
		_, reference := random(r, n, 3, 37)
		reference.Classes = m.classes
		eachAbsence(t, m, reference, func(a Absence, model Predictor, repl *Replacement, absent [][][]float32) {
			for _, v := range Values {
				absenceEqualsReference(t, fmt.Sprintf("n=%d %T %s %s", n, model, a, v), m, s, model, Options{Value: v, Replacement: repl, Threads: 2}, absent)
			}
		})
	}
}

// absenceEqualsReference holds the contributions by a model, which does what m does, to their definition.
func absenceEqualsReference(t *testing.T, what string, m *linear, s samples, model Predictor, o Options, absent [][][]float32) {
	t.Helper()
	n := len(m.modalities)
	got, summary := collect(t, s.reader(t), model, o)
	tolerance := 1e-4 // the parts of means are summed in another order
	if o.Value.Whole() {
		tolerance = 1e-9
	}
	correct := int64(0)
	for row := range s.rows {
		present, values, label := expected(m, s, row, o.Value, false, absent)
		holdNear(t, fmt.Sprintf("%s row %d", what, row), got.Phi[row*n:][:n], present, values, tolerance)
		if x, _ := partsOf(m, s, row); firstMax(x) == label {
			correct++
		}
	}
	if summary.Correct != correct {
		t.Errorf("%s: %d samples are classified rightly, want %d", what, summary.Correct, correct)
	}
}

// holdNear compares contributions with their definition.
func holdNear(t *testing.T, what string, got []float64, present []int, values []float64, tolerance float64) {
	t.Helper()
	for k, want := range shapleyValues(values) {
		if x := got[present[k]]; !(math.Abs(x-want) <= tolerance*max(1, math.Abs(want))) {
			t.Errorf("%s: modality %d: got %v, want %v", what, present[k], x, want)
		}
	}
}

// TestMarginalDraws holds that draws are a sample of the whole rows without replacement, whatever the minibatches.
func TestMarginalDraws(t *testing.T) {
	m, reference := random(rand.New(rand.NewPCG(5, 5)), 2, 3, 200)
	whole := allDraws(m, reference)
	const draws = 7
	var first *Replacement
	for _, rows := range []int{1, 16, 64} {
		m.rows = rows
		got, err := NewReplacement(context.Background(), Marginal, m, reference.reader(t), draws, 3, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = got
		} else if fmt.Sprint(got.parts) != fmt.Sprint(first.parts) {
			t.Errorf("minibatches of %d rows draw other samples", rows)
		}
	}
	chosen := make([]int, draws)
	r := newReservoir(draws, rng.Stream(3, "value", "reference"))
	for _, row := range whole {
		if at := r.offer(); at >= 0 {
			chosen[at] = row
		}
	}
	for k, draw := range standIns(m, reference, Marginal, chosen) {
		for p := range draw {
			if !slices.Equal(draw[p], first.of(k, p)) {
				t.Errorf("draw %d, modality %d: got %v, want %v", k, p, first.of(k, p), draw[p])
			}
		}
	}
	other, err := NewReplacement(context.Background(), Marginal, m, reference.reader(t), draws, 4, Options{})
	if err != nil || fmt.Sprint(other.parts) == fmt.Sprint(first.parts) {
		t.Errorf("another seed draws the same: %v", err)
	}
}

// TestReservoir holds that every item is as likely to stay: 2000 reservoirs of 4 of 10 items; each count is binomial(2000,
// 0.4), of standard deviation 22.
func TestReservoir(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	counts := make([]int, 10)
	for range 2000 {
		kept := make([]int, 4)
		r := newReservoir(4, random)
		for item := range counts {
			if at := r.offer(); at >= 0 {
				kept[at] = item
			}
		}
		for _, item := range kept {
			counts[item]++
		}
	}
	for item, k := range counts {
		if math.Abs(float64(k)-800) > 4*22 {
			t.Errorf("item %d stays %d times of 2000, want about 800", item, k)
		}
	}
}

// TestSampledAbsence holds estimates by every estimator, under every absence, to the exact contributions; what a sample lacks contributes
// nothing. Of a model that is not additive all samples draw the same coalitions.
func TestSampledAbsence(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	m, s := random(r, 4, 3, 20)
	_, reference := random(r, 4, 3, 40)
	for _, a := range Absences {
		for _, model := range []Predictor{m, newFeatured(m)} {
			repl := mustReplace(t, a, model, reference)
			exact, _ := collect(t, s.reader(t), m, Options{Value: Probability, Replacement: mustReplace(t, a, m, reference)})
			for _, e := range Estimators {
				o := Options{Value: Probability, Replacement: repl, Estimator: e}
				o.Rule.Evaluations = 3000
				got, _ := collect(t, s.reader(t), model, o)
				for k, want := range exact.Phi {
					x := got.Phi[k]
					switch {
					case math.IsNaN(want) != math.IsNaN(x):
						t.Errorf("%T %s %s: got %v, want %v", model, a, e, x, want)
					case e.Sampled() && math.IsNaN(want) != math.IsNaN(got.StdErr[k]):
						t.Errorf("%T %s %s: standard error %v of %v", model, a, e, got.StdErr[k], want)
					case e.Sampled() && math.Abs(x-want) > 5*got.StdErr[k]+1e-6:
						t.Errorf("%T %s %s: got %v -+ %v, want %v", model, a, e, x, got.StdErr[k], want)
					case e == Exact && math.Abs(x-want) > 1e-6:
						t.Errorf("%T %s: got %v, want %v", model, a, x, want)
					}
				}
			}
		}
	}
}

func mustReplace(t *testing.T, a Absence, p Predictor, reference samples) *Replacement {
	t.Helper()
	repl, err := NewReplacement(context.Background(), a, p, reference.reader(t), 5, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return repl
}

func TestReplacementErrors(t *testing.T) {
	m, s := random(rand.New(rand.NewPCG(8, 8)), 2, 3, 5)
	lacking := s
	lacking.rows = []schema.Sample{{ID: "half", Label: 0, Tensors: []any{s.rows[0].Tensors[0], nil}}}
	other := s
	other.Classes = []string{"x", "y", "z"}
	for _, c := range []struct {
		name  string
		a     Absence
		p     Predictor
		in    *samples
		draws int
		bad   bool // stream
		want  string
	}{
		{"not additive", ZeroInput, opaque{m}, nil, 1, false, "not told from its features"},
		{"no reference", MeanInput, m, nil, 1, false, "without reference"},
		{"no draws", Marginal, m, &s, 0, false, "draws 0"},
		{"unknown", "none", m, &s, 1, false, "want one of"},
		{"no whole sample", Marginal, m, &lacking, 1, true, "no reference sample has every modality"},
		{"modality never there", MeanFeature, m, &lacking, 1, true, "no reference sample has modality"},
		{"modality never there", MeanInput, m, &lacking, 1, true, "no reference sample has modality"},
		{"other classes", MeanInput, m, &other, 1, true, "classes"},
	} {
		var in *schema.SamplesReader
		if c.in != nil {
			in = c.in.reader(t)
		}
		_, err := NewReplacement(context.Background(), c.a, c.p, in, c.draws, 0, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) || errors.Is(err, stream.ErrInput) != c.bad {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	repl, err := NewReplacement(context.Background(), ZeroInput, m, nil, 0, 0, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Run(context.Background(), s.reader(t), opaque{m}, Options{Replacement: repl}, nil); err == nil || !strings.Contains(err.Error(), "zero-input") {
		t.Errorf("a model that is not additive takes %v", err)
	}
}

// TestPredictionsEqualValues holds predictions of every coalition, and of single modalities alone, to the model.
func TestPredictionsEqualValues(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 9))
	m, s := random(r, 3, 4, 50)
	s.rows = slices.DeleteFunc(s.rows, func(row schema.Sample) bool { // predictions name a sample by its coalitions
		return !slices.ContainsFunc(row.Tensors, func(x any) bool { return x != nil })
	})
	h := schema.Header{Tool: "test", Modalities: m.modalities, Classes: m.classes}
	var every, singles []schema.Prediction
	for row := range s.rows {
		parts, present := make([][]float32, 3), modality.Coalition(0)
		for p := range parts {
			if x := s.tensor(m, row, p); x != nil {
				parts[p], present = m.part(p, x), present.With(p)
			}
		}
		for c := range modality.All(3) + 1 {
			if c&^present != 0 {
				continue
			}
			x := coalitionLogits(m.bias, parts, c)
			p := schema.Prediction{ID: s.rows[row].ID, Label: s.rows[row].Label, Coalition: c, Prediction: int32(firstMax(x)), Logits: x}
			every = append(every, p)
			if c.Size() < 2 || row%2 == 0 && c == present { // every other sample's whole is held against the sum
				singles = append(singles, p)
			}
		}
	}
	for _, v := range Values {
		want, wantSum := collect(t, s.reader(t), m, Options{Value: v})
		for _, additive := range []bool{false, true} {
			rows := every
			if additive {
				rows = singles
			}
			var phi []float64
			sum, err := RunPredictions(context.Background(), predictionsReader(t, h, rows), "p", Options{Value: v, Additive: additive},
				func(_ []string, _ int64, r *Result) error {
					phi = append(phi, r.Phi...)
					return nil
				})
			if err != nil {
				t.Fatal(err)
			}
			if sum.Correct != wantSum.Correct || len(phi) != len(want.Phi) {
				t.Fatalf("%s additive=%t: %d right of %d, want %d", v, additive, sum.Correct, sum.Samples, wantSum.Correct)
			}
			for k := range phi {
				if x, y := phi[k], want.Phi[k]; x != y && !(x != x && y != y) && !(math.Abs(x-y) < 1e-4) {
					t.Errorf("%s additive=%t: contribution %d is %v, want %v", v, additive, k, x, y)
				}
			}
		}
	}
	for _, c := range []struct {
		name string
		o    Options
		rows []schema.Prediction
		want string
	}{
		{"no bias", Options{Additive: true}, singles[1:], "coalition none is missing"},
		{"no single", Options{Additive: true}, slices.DeleteFunc(slices.Clone(every[:8]), func(p schema.Prediction) bool { return p.Coalition == 0b010 }), "missing"},
		{"no sum", Options{Additive: true}, func() []schema.Prediction {
			rows := slices.Clone(every[:8])
			for i := range rows {
				if rows[i].Coalition.Size() > 1 {
					rows[i].Logits = slices.Clone(rows[i].Logits)
					rows[i].Logits[1] += 5
				}
			}
			return rows
		}(), "its parts sum to"},
		{"no logits", Options{Value: Margin}, []schema.Prediction{{ID: "s", Coalition: 1}}, "no logits"},
		{"no empty coalition", Options{Value: Right}, []schema.Prediction{{ID: "s", Coalition: 1}}, "coalition none is missing"},
		{"sampled", Options{Estimator: Owen}, nil, "estimator owen of predictions"},
	} {
		if c.rows == nil {
			c.rows = every
		}
		_, err := RunPredictions(context.Background(), predictionsReader(t, h, c.rows), "p", c.o, func([]string, int64, *Result) error { return nil })
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
}
