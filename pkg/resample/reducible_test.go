package resample

import (
	"math"
	"testing"

	"mmtools/pkg/modality"
)

// lacking is what modalities lack to their potential, 3 of 6 samples: some lack nothing, one sample has no second modality.
func lacking() [][]float64 {
	return [][]float64{{0.5, 0, -2, 1.5, 0, 0}, {3, 1, math.NaN(), -1, 4, 0}, {0, 0, 0, 0, 0, 0}}
}

// As weights nothing is drawn, and nothing rounded: each modality has as many rows, in proportion to what it lacks and the reserve.
func TestReducibleWeights(t *testing.T) {
	extra, count := extraRows(t, Reducible, lacking(), SampleOptions{Weights: true, Budget: 2}, 4)
	want := map[planRow]float64{}
	for p, wants := range [][]float64{{0.6, 0.1, 0.1, 1.6, 0.1, 0.1}, {3.1, 1.1, 0, 0.1, 4.1, 0.1}, {1, 1, 1, 1, 1, 1}} {
		sum := 0.0
		for _, w := range wants {
			sum += w
		}
		for row, w := range wants {
			if w > 0 {
				want[planRow{row, modality.Only(p)}] = 12. / 3 * w / sum
			}
		}
	}
	if count != len(want) {
		t.Errorf("%d rows, want %d", count, len(want))
	}
	for at, w := range want {
		if math.Abs(extra[at]-w) > 1e-6 {
			t.Errorf("%v: weight %v, want %v", at, extra[at], w)
		}
	}
}

// Over many epochs the drawn rows come to the weights, and no plan has one more or less than the budget.
func TestReducibleShares(t *testing.T) {
	weights, _ := extraRows(t, Reducible, lacking(), SampleOptions{Weights: true, Budget: 1.5}, 6)
	const epochs = 4000
	total := map[planRow]float64{}
	for epoch := range epochs {
		extra, count := extraRows(t, Reducible, lacking(), SampleOptions{Budget: 1.5, Seed: 8, Epoch: epoch}, 6)
		if count != 9 {
			t.Fatalf("%d rows, want 9", count)
		}
		for at, k := range extra {
			total[at] += k
		}
	}
	for at, w := range weights {
		if share := total[at] / epochs; math.Abs(share-w) > 5*0.5/math.Sqrt(epochs) { // as of TestAdaptiveShares
			t.Errorf("%v: %v rows an epoch, want %v", at, share, w)
		}
		delete(total, at)
	}
	if len(total) > 0 {
		t.Errorf("rows of what is not there: %v", total)
	}
}

// A plan depends neither on how rows fall into batches nor on settings that are another method's; with nothing to gain it has as many rows
// as a control.
func TestReducibleLaws(t *testing.T) {
	phi := drawnPhi(4, 500)
	o := SampleOptions{Seed: 9, Epoch: 4}
	want, count := extraRows(t, Reducible, phi, o, 500)
	if count != 50 {
		t.Errorf("%d extra rows without a budget, want one for ten samples", count)
	}
	o.Strength, o.Function, o.MaxCopies = 7, Powerly, 1
	for _, size := range []int{1, 33, 499} {
		got, _ := extraRows(t, Reducible, phi, o, size)
		for at, k := range want {
			if got[at] != k || len(got) != len(want) {
				t.Fatalf("batches of %d: %v of %v, want %v", size, got[at], at, k)
			}
		}
	}
	learnt := [][]float64{make([]float64, 100), make([]float64, 100)}
	for _, c := range Controls {
		if _, count := extraRows(t, Reducible, learnt, SampleOptions{Control: c, Budget: 0.5}, 30); count != 50 {
			t.Errorf("control %q, nothing lacking: %d extra rows, want 50", c, count)
		}
	}
}

func TestLack(t *testing.T) {
	nan := math.NaN()
	phi := []float64{1, 0.5, nan}
	if at := Lack(phi, []float64{0.25, 1, nan}); at != -1 || phi[0] != -0.75 || phi[1] != 0.5 || phi[2] == phi[2] {
		t.Errorf("got %v at %d, want [-0.75 0.5 NaN] at -1", phi, at)
	}
	for i, potential := range [][]float64{{nan, 1}, {1, 2}} {
		if at := Lack([]float64{1, nan}, potential); at != i {
			t.Errorf("a modality on one side alone: row %d, want %d", at, i)
		}
	}
}
