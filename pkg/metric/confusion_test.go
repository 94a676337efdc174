package metric

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.IsNaN(want) != math.IsNaN(got) || math.Abs(got-want) > 1e-12 {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

// Six classes: 3 is predicted but never a label, 5 is neither. Numbers from scikit-learn 1.2.1, accuracy_score,
// f1_score(average="macro") and recall_score on these ten samples; recall of a class without samples is ours, NaN.
func TestConfusionAgainstScikitLearn(t *testing.T) {
	label := []int32{0, 0, 1, 1, 2, 2, 2, 0, 4, 4}
	prediction := []int32{0, 1, 1, 1, 2, 0, 3, 0, 4, 2}
	m := NewConfusion(6)
	for i := range label {
		m.Add(label[i], prediction[i])
	}
	want := [][]int64{{2, 1, 0, 0, 0, 0}, {0, 2, 0, 0, 0, 0}, {1, 0, 1, 1, 0, 0}, {0, 0, 0, 0, 0, 0}, {0, 0, 1, 0, 1, 0}, {0, 0, 0, 0, 0, 0}}
	for c, row := range want {
		if !slices.Equal(m.Row(c), row) {
			t.Errorf("row %d: got %v, want %v", c, m.Row(c), row)
		}
	}
	near(t, "accuracy", m.Accuracy(), 0.6)
	near(t, "macro F1", m.MacroF1(), 0.5066666666666666)
	for c, recall := range []float64{2. / 3, 1, 1. / 3, math.NaN(), 0.5, math.NaN()} {
		near(t, "recall", m.Recall(c), recall)
	}
	for c, f1 := range []float64{2. / 3, 0.8, 0.4, 0, 2. / 3, math.NaN()} {
		near(t, "F1", m.F1(c), f1)
	}
	near(t, "precision", m.Precision(2), 0.5)
}

func TestConfusionOfNothingIsNaN(t *testing.T) {
	m := NewConfusion(3)
	near(t, "accuracy", m.Accuracy(), math.NaN())
	near(t, "macro F1", m.MacroF1(), math.NaN())
}

func TestConfusionRefusesClassesOutOfRange(t *testing.T) {
	for _, pair := range [][2]int32{{-1, 0}, {0, -1}, {2, 0}, {0, 2}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("label %d, prediction %d: want a panic", pair[0], pair[1])
				}
			}()
			NewConfusion(2).Add(pair[0], pair[1])
		}()
	}
}

// Renaming the classes changes no summary, and the accuracy is the recall weighted by class size.
func TestConfusionLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		classes := rapid.IntRange(1, 6).Draw(t, "classes")
		class := rapid.Int32Range(0, int32(classes-1))
		label := rapid.SliceOfN(class, 1, 40).Draw(t, "label")
		prediction := rapid.SliceOfN(class, len(label), len(label)).Draw(t, "prediction")
		identity := make([]int, classes)
		for c := range identity {
			identity[c] = c
		}
		rename := rapid.Permutation(identity).Draw(t, "rename")
		m, renamed := NewConfusion(classes), NewConfusion(classes)
		for i := range label {
			m.Add(label[i], prediction[i])
			renamed.Add(int32(rename[label[i]]), int32(rename[prediction[i]]))
		}
		if m.Total() != int64(len(label)) || m.Accuracy() != renamed.Accuracy() || math.Abs(m.MacroF1()-renamed.MacroF1()) > 1e-12 {
			t.Fatalf("renaming changed a summary")
		}
		var weighted float64
		for c := range classes {
			if n := m.Labelled(c); n > 0 {
				weighted += m.Recall(c) * float64(n)
			}
		}
		if math.Abs(weighted/float64(m.Total())-m.Accuracy()) > 1e-12 {
			t.Fatalf("recall by class size %v, accuracy %v", weighted/float64(m.Total()), m.Accuracy())
		}
	})
}
