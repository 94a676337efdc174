package valuation

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/shapley"
	"mmtools/pkg/stream"
)

// worth is the reference of Value.Of, written from the definitions and in no hurry.
func worth(v Value, x []float32, label, size int) float64 {
	sum := 0.0
	for _, l := range x {
		sum += math.Exp(float64(l))
	}
	p := math.Exp(float64(x[label])) / sum
	right := firstMax(x) == label
	switch {
	case v == Published && right:
		return float64(size)
	case v == Right && right:
		return 1
	case v == Published || v == Right:
		return 0
	case v == Probability:
		return p
	case v == LogProbability || v == NegativeLoss:
		return math.Log(p)
	}
	others := slices.Delete(slices.Clone(x), label, label+1)
	return float64(x[label]) - float64(slices.Max(others))
}

// shapleyValues is the reference: the sum over coalitions that defines them.
func shapleyValues(values []float64) []float64 {
	n := 0
	for 1<<n < len(values) {
		n++
	}
	phi := make([]float64, n)
	for i := range phi {
		for c := range values {
			if c>>i&1 == 1 {
				continue
			}
			s := modality.Coalition(c).Size()
			orders := new(big.Int).Mul(new(big.Int).MulRange(1, int64(s)), new(big.Int).MulRange(1, int64(n-s-1)))
			w, _ := new(big.Rat).SetFrac(orders, new(big.Int).MulRange(1, int64(n))).Float64()
			phi[i] += w * (values[c|1<<i] - values[c])
		}
	}
	return phi
}

// expected is what the reference finds of a row: v of every coalition of those present, and what they are.
func expected(m *linear, s samples, row int, v Value, predicted bool, absent [][][]float32) (present []int, values []float64, label int) {
	n, sample := len(m.modalities), s.rows[row]
	parts := make([][]float32, n)
	whole := slices.Clone(m.bias)
	for p := range n {
		if x := float32s(sample.Tensors[n-1-p]); x != nil {
			parts[p] = m.part(p, x)
			present = append(present, p)
			for k, y := range parts[p] {
				whole[k] += y
			}
		}
	}
	label = int(sample.Label)
	if predicted {
		label = firstMax(whole)
	}
	values = make([]float64, 1<<len(present))
	for _, draw := range absent {
		for c := range values {
			x := slices.Clone(m.bias)
			for k, p := range present {
				part := draw[p]
				if c>>k&1 == 1 {
					part = parts[p]
				}
				for class, y := range part {
					x[class] += y
				}
			}
			values[c] += worth(v, x, label, modality.Coalition(c).Size()) / float64(len(absent))
		}
	}
	return present, values, label
}

// zeros is what stands in for absent modalities as published.
func zeros(m *linear) [][][]float32 {
	draw := make([][]float32, len(m.modalities))
	for p := range draw {
		draw[p] = make([]float32, len(m.bias))
	}
	return [][][]float32{draw}
}

// collect runs a valuation and gathers all rows.
func collect(t *testing.T, in *schema.SamplesReader, p Predictor, o Options) (Result, Summary) {
	t.Helper()
	var all Result
	summary, err := Run(context.Background(), in, p, o, func(b *schema.SamplesBatch, r *Result) error {
		all.Rows += r.Rows
		all.Label, all.Prediction = append(all.Label, r.Label...), append(all.Prediction, r.Prediction...)
		all.Phi, all.StdErr, all.Right = append(all.Phi, r.Phi...), append(all.StdErr, r.StdErr...), append(all.Right, r.Right...)
		all.Cooperation, all.Interactions = append(all.Cooperation, r.Cooperation...), append(all.Interactions, r.Interactions...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all, summary
}

// hold compares a row with its reference, and holds efficiency: the contributions sum to v(all) - v({}).
func hold(t *testing.T, what string, got []float64, present []int, values []float64) {
	t.Helper()
	want, sum := shapleyValues(values), 0.0
	for k, p := range present {
		sum += got[p]
		if !(math.Abs(got[p]-want[k]) <= 1e-9) {
			t.Errorf("%s: modality %d: got %v, want %v", what, p, got[p], want[k])
		}
	}
	if total := values[len(values)-1] - values[0]; math.Abs(sum-total) > 1e-9 {
		t.Errorf("%s: contributions sum to %v, v(all) - v({}) is %v", what, sum, total)
	}
	for p, x := range got {
		if !slices.Contains(present, p) && x == x {
			t.Errorf("%s: modality %d is missing and contributes %v", what, p, x)
		}
	}
}

func TestValuesEqualReference(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for n := 1; n <= 5; n++ {
		m, s := random(r, n, 4, 60)
		for _, v := range Values {
			for _, predicted := range []bool{false, true} {
				o := Options{Value: v, Predicted: predicted, Threads: 3, Cooperation: true, Interactions: true}
				var first Result
				for k, model := range []Predictor{m, opaque{m}} {
					got, summary := collect(t, s.reader(t), model, o)
					if k == 0 {
						first = got
					} else if !same(got.Phi, first.Phi) || !same(got.Interactions, first.Interactions) {
						t.Errorf("%s: the additive and the general path differ", v)
					}
					means, have, below := make([]float64, n), make([]float64, n), make([]int64, n)
					for row := range s.rows {
						what := fmt.Sprintf("n=%d %s predicted=%t row %d", n, v, predicted, row)
						present, values, label := expected(m, s, row, v, predicted, zeros(m))
						phi := got.Phi[row*n:][:n]
						hold(t, what, phi, present, values)
						fair := 1.0 // of the published value; else as much of what all are worth for each that is there
						if v != Published {
							fair = (values[len(values)-1] - values[0]) / float64(len(present))
						}
						for _, p := range present {
							means[p], have[p] = means[p]+phi[p], have[p]+1
							if phi[p] < fair-1e-9*max(1, math.Abs(fair)) {
								below[p]++
							}
						}
						if got.Label[row] != s.rows[row].Label || predicted && int(got.Prediction[row]) != label {
							t.Errorf("%s: label %d, prediction %d", what, got.Label[row], got.Prediction[row])
						}
						if want := shapley.Cooperation(values); math.Abs(got.Cooperation[row]-want) > 1e-9 {
							t.Errorf("%s: cooperation %v, want %v", what, got.Cooperation[row], want)
						}
						at := 0
						for q := range n {
							for p := range q {
								x := got.Interactions[row*n*(n-1)/2+at]
								if both := slices.Contains(present, p) && slices.Contains(present, q); both == (x != x) {
									t.Errorf("%s: interaction of %d and %d is %v", what, p, q, x)
								}
								at++
							}
						}
					}
					for p := range n {
						if have[p] > 0 && math.Abs(summary.Mean(p)-means[p]/have[p]) > 1e-9 {
							t.Errorf("%s: mean of modality %d: got %v, want %v", v, p, summary.Mean(p), means[p]/have[p])
						}
						if summary.BelowOne[p] != below[p] {
							t.Errorf("n=%d %s: modality %d is below its share in %d samples, want %d", n, v, p, summary.BelowOne[p], below[p])
						}
					}
				}
			}
		}
	}
}

// TestOptionsLeaveTheRestAlone holds that the quick path of the published value gives the numbers of the general one.
func TestOptionsLeaveTheRestAlone(t *testing.T) {
	m, s := random(rand.New(rand.NewPCG(5, 5)), 4, 3, 200)
	quick, quickSum := collect(t, s.reader(t), m, Options{})
	slow, slowSum := collect(t, s.reader(t), m, Options{Cooperation: true})
	if !same(quick.Phi, slow.Phi) || !slices.Equal(quick.Right, slow.Right) || fmt.Sprint(quickSum) != fmt.Sprint(slowSum) {
		t.Errorf("asking for cooperation changes the contributions: %+v, %+v", quickSum, slowSum)
	}
	banzhaf, _ := collect(t, s.reader(t), m, Options{Estimator: Banzhaf, Value: Probability})
	present, values, _ := expected(m, s, 0, Probability, false, zeros(m))
	beta := make([]float64, len(present))
	shapley.NewSolver(len(present)).Banzhaf(values, beta)
	for k, p := range present {
		if math.Abs(banzhaf.Phi[p]-beta[k]) > 1e-12 {
			t.Errorf("Banzhaf value of modality %d: got %v, want %v", p, banzhaf.Phi[p], beta[k])
		}
	}
	alone, _ := collect(t, s.reader(t), m, Options{Estimator: Alone, Value: Probability})
	for k, p := range present {
		if want := values[1<<k] - values[0]; math.Abs(alone.Phi[p]-want) > 1e-12 {
			t.Errorf("modality %d alone: got %v, want %v", p, alone.Phi[p], want)
		}
	}
}

// TestUnlabelled values samples without labels by what the model predicts, and by labels only where there are some.
func TestUnlabelled(t *testing.T) {
	m, s := random(rand.New(rand.NewPCG(6, 6)), 3, 3, 40)
	labelled, _ := collect(t, s.reader(t), m, Options{Predicted: true, Value: Margin})
	for i := range s.rows {
		s.rows[i].Label = -1
	}
	got, summary := collect(t, s.reader(t), m, Options{Predicted: true, Value: Margin})
	if !same(got.Phi, labelled.Phi) || slices.Max(got.Label) != -1 || summary.Accuracy(modality.All(3)) != 1 {
		t.Errorf("labels matter although what is predicted is valued; accuracy %v", summary.Accuracy(modality.All(3)))
	}
	_, err := Run(context.Background(), s.reader(t), m, Options{Value: Margin}, func(*schema.SamplesBatch, *Result) error { return nil })
	if !errors.Is(err, stream.ErrInput) || !strings.Contains(err.Error(), "no label") {
		t.Errorf("got %v", err)
	}
}

// TestShards holds that the rows of shards are those of the whole, whatever the batches.
func TestShards(t *testing.T) {
	m, s := random(rand.New(rand.NewPCG(7, 7)), 3, 3, 97)
	for _, o := range []Options{
		{}, {Value: Probability}, {Estimator: Permutation, Rule: shapley.Rule{Evaluations: 100}, Seed: 4, Value: Margin},
	} {
		whole, sums := collect(t, s.reader(t), m, o)
		var phi, stderr []float64
		var total Summary
		for shard := range int64(4) {
			o := o
			o.From, o.To = 97*shard/4, 97*(shard+1)/4
			o.Threads = int(shard + 1)
			part, sum := collect(t, s.reader(t), m, o)
			phi, stderr = append(phi, part.Phi...), append(stderr, part.StdErr...)
			if shard == 0 {
				total = sum
			} else {
				total.Add(sum)
			}
		}
		if !same(phi, whole.Phi) || !same(stderr, whole.StdErr) {
			t.Errorf("%+v: shards differ from the whole", o)
		}
		if o.whole() && fmt.Sprint(total) != fmt.Sprint(sums) || total.Samples != 97 || total.Correct != sums.Correct {
			t.Errorf("%+v: shards sum to %+v, want %+v", o, total, sums)
		}
	}
}

// TestSampledValues holds estimates to exact contributions, and that nothing but the seed and the sample matters.
func TestSampledValues(t *testing.T) {
	m, s := random(rand.New(rand.NewPCG(8, 8)), 5, 4, 60)
	for _, estimator := range []Estimator{Permutation, Owen, Kernel} {
		for _, model := range []Predictor{m, opaque{m}} {
			for _, v := range []Value{Published, LogProbability} {
				o := Options{Value: v, Estimator: estimator, Rule: shapley.Rule{Evaluations: 600}, Seed: 1, Threads: 1}
				exact, _ := collect(t, s.reader(t), m, Options{Value: v})
				got, _ := collect(t, s.reader(t), model, o)
				held, all := 0, 0
				for seed := range uint64(8) { // of the opaque model all samples share the draws of a seed, and are right or wrong together
					o := o
					o.Seed = seed
					e, summary := collect(t, s.reader(t), model, o)
					for k, want := range exact.Phi {
						if want != want {
							if e.Phi[k] == e.Phi[k] || e.StdErr[k] == e.StdErr[k] {
								t.Fatalf("a missing modality contributes %v", e.Phi[k])
							}
							continue
						}
						all++
						if math.Abs(e.Phi[k]-want) <= 2.1*e.StdErr[k]+1e-9 {
							held++
						}
					}
					if summary.Evaluations == 0 {
						t.Errorf("%s, %s: no evaluations", estimator, v)
					}
				}
				if share := float64(held) / float64(all); share < 0.92 {
					t.Errorf("%s, %s: %v of the intervals hold the exact contribution", estimator, v, share)
				}
				o.Threads = 4
				if again, _ := collect(t, s.reader(t), model, o); !same(again.Phi, got.Phi) || !same(again.StdErr, got.StdErr) {
					t.Errorf("%s: threads change the estimates", estimator)
				}
				o.Seed = 2
				if other, _ := collect(t, s.reader(t), model, o); same(other.Phi, got.Phi) {
					t.Errorf("%s: another seed gives the same estimates", estimator)
				}
			}
		}
	}
}

// TestDrawsByPosition holds that every sample has draws of its own, which follow from its position: twins differ, and what is before a
// sample does not matter.
func TestDrawsByPosition(t *testing.T) {
	m, s := random(rand.New(rand.NewPCG(10, 10)), 5, 4, 20)
	s.rows = s.rows[slices.IndexFunc(s.rows, func(x schema.Sample) bool { // one that lacks nothing
		return !slices.ContainsFunc(x.Tensors, func(x any) bool { return x == nil })
	}):][:1:1]
	s.rows = append(s.rows, s.rows[0], s.rows[0])
	for _, e := range []Estimator{Permutation, Owen, Kernel} {
		o := Options{Value: LogProbability, Estimator: e, Rule: shapley.Rule{Evaluations: 200}}
		got, _ := collect(t, s.reader(t), m, o)
		if same(got.Phi[:5], got.Phi[5:10]) || same(got.Phi[5:10], got.Phi[10:]) {
			t.Errorf("%s: samples share their draws: %v", e, got.Phi)
		}
		o.From = 2
		if last, _ := collect(t, s.reader(t), m, o); !same(last.Phi, got.Phi[10:]) {
			t.Errorf("%s: the last sample alone gets %v, among others %v", e, last.Phi, got.Phi[10:])
		}
	}
}

// TestManySampledModalities goes beyond what can be enumerated.
func TestManySampledModalities(t *testing.T) {
	n := 30
	m, s := random(rand.New(rand.NewPCG(9, 9)), n, 3, 6)
	o := Options{Value: Margin, Estimator: Permutation, Rule: shapley.Rule{Evaluations: 4000}}
	got, summary := collect(t, s.reader(t), m, o)
	for row := range s.rows {
		x, present := partsOf(m, s, row)
		sum, label := 0.0, int(s.rows[row].Label)
		for _, p := range present {
			sum += got.Phi[row*n+p]
		}
		want := worth(Margin, x, label, 0) - worth(Margin, m.bias, label, 0)
		if math.Abs(sum-want) > 1e-4*max(1, math.Abs(want)) { // float32 sums in another order
			t.Errorf("row %d: contributions sum to %v, want %v", row, sum, want)
		}
	}
	if summary.Right != nil || summary.Samples != 6 {
		t.Errorf("summary %+v", summary)
	}
	if _, err := Run(context.Background(), s.reader(t), m, Options{}, nil); err == nil || !strings.Contains(err.Error(), "1 to 20") {
		t.Errorf("30 modalities exactly: got %v", err)
	}
}

// partsOf returns the logits of all modalities that a row has, and which these are.
func partsOf(m *linear, s samples, row int) (x []float32, present []int) {
	n := len(m.modalities)
	x = slices.Clone(m.bias)
	for p := range n {
		if tensor := float32s(s.rows[row].Tensors[n-1-p]); tensor != nil {
			present = append(present, p)
			for k, y := range m.part(p, tensor) {
				x[k] += y
			}
		}
	}
	return x, present
}
