package resample

import (
	"math"
	"testing"

	"mmtools/pkg/modality"
)

// method is Adaptive or Reducible.
type method func(Pass[table], []string, SampleOptions, Emit[table]) (Summary, error)

// extraRows collects a plan's extra rows by sample and modality, and how many they are.
func extraRows(t *testing.T, plan method, phi [][]float64, o SampleOptions, size int) (extra map[planRow]float64, count int) {
	t.Helper()
	seen, extra := map[int]bool{}, map[planRow]float64{}
	names := []string{"a", "v", "t"}[:len(phi)]
	_, err := plan(inBatches(phi, size), names, o, func(b table, picks *Picks) error {
		for k, index := range picks.Index {
			row := b.from + int(index)
			if !seen[row] {
				seen[row] = true
				continue
			}
			extra[planRow{row, picks.Keep[k]}] += float64(picks.Weight[k])
			count++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(seen) != len(phi[0]) {
		t.Fatalf("%d samples of %d are in the plan", len(seen), len(phi[0]))
	}
	return extra, count
}

// Over many epochs every modality of every sample gets its share of the rows: w = 2/5 + 4x(1-x) of phi between 0 and 1.
func TestAdaptiveShares(t *testing.T) {
	nan := math.NaN()
	phi := [][]float64{{1, 0.5, -0.5, 0.75, nan, 1.5}, {1, 0.5, 1, 0, 0.25, nan}}
	want := [][]float64{{0.4, 1.4, 0.4, 1.15, 0, 0.4}, {0.4, 1.4, 0.4, 0.4, 1.15, 0}}
	sum := 0.0
	for _, row := range want {
		for _, w := range row {
			sum += w
		}
	}
	const epochs, budget = 4000, 2
	total := map[planRow]float64{}
	for epoch := range epochs {
		extra, count := extraRows(t, Adaptive, phi, SampleOptions{Budget: budget, Seed: 5, Epoch: epoch}, 4)
		if count != 6*budget {
			t.Fatalf("%d extra rows, want %d", count, 6*budget)
		}
		for at, k := range extra {
			total[at] += k
		}
	}
	for p, row := range want {
		for i, w := range row {
			share := total[planRow{i, modality.Only(p)}] / epochs
			expected := 6 * budget * w / sum
			// systematic sampling: the number is the whole part or one more, a deviation of a half at most
			if math.Abs(share-expected) > 5*0.5/math.Sqrt(epochs) {
				t.Errorf("sample %d, modality %d: %v rows an epoch, want %v", i, p, share, expected)
			}
		}
	}
}

// As weights nothing is drawn, and nothing rounded.
func TestAdaptiveWeights(t *testing.T) {
	extra, _ := extraRows(t, Adaptive, [][]float64{{0.5, 2}, {0, 1}}, SampleOptions{Weights: true, Budget: 1}, 2)
	for at, want := range map[planRow]float64{{0, 1}: 1.4, {0, 2}: 0.4, {1, 1}: 0.4, {1, 2}: 0.4} {
		if got := extra[at]; math.Abs(got-2*want/2.6) > 1e-6 {
			t.Errorf("%v: weight %v, want %v", at, got, 2*want/2.6)
		}
	}
}

// A plan depends neither on how rows fall into batches nor on settings that are another method's; it never empties.
func TestAdaptiveLaws(t *testing.T) {
	phi := drawnPhi(3, 500)
	o := SampleOptions{Seed: 9, Epoch: 4}
	want, count := extraRows(t, Adaptive, phi, o, 500)
	if count != 500 {
		t.Errorf("%d extra rows without a budget, want as many as samples", count)
	}
	o.Strength, o.Function, o.MaxCopies = 7, Powerly, 1
	for _, size := range []int{1, 33, 499} {
		got, _ := extraRows(t, Adaptive, phi, o, size)
		if len(got) != len(want) {
			t.Fatalf("batches of %d: %d rows, want %d", size, len(got), len(want))
		}
		for at, k := range want {
			if got[at] != k {
				t.Errorf("batches of %d: %v of %v, want %v", size, got[at], at, k)
			}
		}
	}
	learnt := [][]float64{make([]float64, 100), make([]float64, 100)}
	for i := range 100 {
		learnt[0][i], learnt[1][i] = 1, 1
	}
	for _, c := range Controls {
		if _, count := extraRows(t, Adaptive, learnt, SampleOptions{Control: c, Budget: 0.5}, 30); count != 50 {
			t.Errorf("control %q, every sample learnt: %d extra rows, want 50", c, count)
		}
	}
	if _, err := Adaptive(inBatches(learnt, 9), []string{"a", "v"}, SampleOptions{Budget: -1}, func(table, *Picks) error { return nil }); err == nil {
		t.Error("a budget below 0 is taken")
	}
}
