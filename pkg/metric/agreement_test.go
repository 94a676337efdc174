package metric

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// By hand, two modalities: of five samples whose noisy modality is known, one ties; of the other four, three are named
// rightly. Differences (second less first) by truth: noisy first 1, 1, -1; noisy second -1, 0. Of the six pairs the
// first wins (1,-1) (1,-1) (1,0) (1,0), ties (-1,-1) and loses (-1,0): AUC = 4.5/6. The other side mirrors it.
func TestNoisyModalityByHand(t *testing.T) {
	phi := []float64{0.5, 1.5, 0.5, 1.5, 1.5, 0.5, 1.5, 0.5, 1, 1, 0, 2}
	got := NoisyModality(phi, []int{0, 0, 0, 1, 1, -1}, 2)
	if got.Samples != 5 {
		t.Errorf("samples: got %d, want 5", got.Samples)
	}
	if got.Found != 3 || got.Tied != 1 || got.Wrong != 1 {
		t.Errorf("found, tied, wrong: got %d, %d, %d, want 3, 1, 1", got.Found, got.Tied, got.Wrong)
	}
	near(t, "ties", got.Ties, 0.2)
	near(t, "accuracy", got.Accuracy, 0.75)
	near(t, "chance", got.Chance, 0.75)
	near(t, "AUC", got.AUC, 0.75)
}

// Sixths as float64 come out of sums that round differently; they must tie all the same.
func TestNoisyModalityTiesRoundedContributions(t *testing.T) {
	a, b := 0.1+0.2, 0.3
	got := NoisyModality([]float64{a, b, 2}, []int{0}, 3)
	near(t, "ties", got.Ties, 1)
	near(t, "accuracy", got.Accuracy, math.NaN())
}

func TestNoisyModalityOfNothing(t *testing.T) {
	got := NoisyModality([]float64{1, 2}, []int{-1}, 2)
	if got.Samples != 0 || !math.IsNaN(got.Accuracy) || !math.IsNaN(got.AUC) || !math.IsNaN(got.Ties) {
		t.Errorf("got %+v, want no sample and NaN", got)
	}
}

// A noisy modality that is always strictly lowest is always found; naming the wrong one never is.
func TestNoisyModalityFindsWhatIsThere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 5).Draw(t, "n")
		noisy := rapid.SliceOfN(rapid.IntRange(0, n-1), 2, 20).Draw(t, "noisy")
		noisy[0], noisy[1] = 0, 1
		phi := make([]float64, 0, len(noisy)*n)
		wrong := make([]int, len(noisy))
		for i, m := range noisy {
			for p := range n {
				if p == m {
					phi = append(phi, -0.5)
				} else {
					phi = append(phi, 1)
				}
			}
			wrong[i] = (m + 1) % n
		}
		if got := NoisyModality(phi, noisy, n); got.Accuracy != 1 || got.AUC != 1 || got.Ties != 0 {
			t.Fatalf("got %+v, want all found", got)
		}
		if got := NoisyModality(phi, wrong, n); got.Accuracy != 0 || got.AUC > 0.5 {
			t.Fatalf("got %+v, want none found", got)
		}
	})
}

// By hand, three modalities, each the noisy one once. How far each lies below the mean of the other two: of the first
// sample (0 1 1) 1, -0.5, -0.5; of the second (1 1 1) 0, 0, 0; of the third (1 1 0) -0.5, -0.5, 1. The noisy first is above
// both others, AUC 1; the noisy second above both, 1; the noisy third, too.
// With the truth of samples 1 and 2 exchanged, the first has 0 against 1 and -0.5: 1/2; the second -0.5 against 0 and
// -0.5: 0 and a half tie, 1/4; the third stays 1.
func TestNoisyModalityAUCByModality(t *testing.T) {
	phi := []float64{0, 1, 1, 1, 1, 1, 1, 1, 0}
	for i, row := range []struct {
		noisy []int
		want  []float64
	}{
		{[]int{0, 1, 2}, []float64{1, 1, 1}},
		{[]int{1, 0, 2}, []float64{0.5, 0.25, 1}},
		{[]int{0, 0, 2}, []float64{1, math.NaN(), 1}}, // the second is never noisy
	} {
		got := NoisyModality(phi, row.noisy, 3)
		for p, want := range row.want {
			near(t, "AUC of a modality", got.AUCs[p], want)
		}
		near(t, "mean", got.AUC, []float64{1, 1.75 / 3, 1}[i])
	}
}
