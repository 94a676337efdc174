package metric

import (
	"fmt"
	"math"
)

// Confusion is a confusion matrix: how many samples of each class were predicted as each class.
type Confusion struct {
	classes int
	counts  []int64 // (C,C) row major: label, prediction
}

// NewConfusion returns an empty matrix of the given number of classes, at least 1.
func NewConfusion(classes int) *Confusion {
	if classes < 1 {
		panic("metric: confusion matrix of no class")
	}
	return &Confusion{classes: classes, counts: make([]int64, classes*classes)}
}

// Add counts one sample. It panics when either is not in 0..C-1.
func (m *Confusion) Add(label, prediction int32) {
	if label < 0 || int(label) >= m.classes || prediction < 0 || int(prediction) >= m.classes {
		panic(fmt.Sprintf("metric: label %d and prediction %d, want 0..%d", label, prediction, m.classes-1))
	}
	m.counts[int(label)*m.classes+int(prediction)]++
}

// Classes returns C.
func (m *Confusion) Classes() int { return m.classes }

// At returns the number of samples of class label that were predicted as class prediction.
func (m *Confusion) At(label, prediction int) int64 { return m.counts[label*m.classes+prediction] }

// Row returns the counts of one label by prediction, (C); it is the matrix's own memory.
func (m *Confusion) Row(label int) []int64 { return m.counts[label*m.classes : (label+1)*m.classes] }

// Labelled returns the number of samples whose label is c, the sum of row c.
func (m *Confusion) Labelled(c int) int64 {
	var sum int64
	for _, n := range m.Row(c) {
		sum += n
	}
	return sum
}

// Predicted returns the number of samples predicted as c, the sum of column c.
func (m *Confusion) Predicted(c int) int64 {
	var sum int64
	for a := range m.classes {
		sum += m.At(a, c)
	}
	return sum
}

// Total returns the number of samples.
func (m *Confusion) Total() int64 {
	var sum int64
	for _, n := range m.counts {
		sum += n
	}
	return sum
}

// Accuracy returns the share of samples on the diagonal; NaN of no sample.
func (m *Confusion) Accuracy() float64 {
	var right int64
	for c := range m.classes {
		right += m.At(c, c)
	}
	return ratio(right, m.Total())
}

// Recall returns the accuracy over the samples of class c; NaN when there is none.
func (m *Confusion) Recall(c int) float64 { return ratio(m.At(c, c), m.Labelled(c)) }

// Precision returns the share of right ones among the samples predicted as class c; NaN when there is none.
func (m *Confusion) Precision(c int) float64 { return ratio(m.At(c, c), m.Predicted(c)) }

// F1 returns the harmonic mean of precision and recall of class c, 0 when it was never predicted rightly, NaN when the
// class occurs neither among the labels nor among the predictions.
func (m *Confusion) F1(c int) float64 { return ratio(2*m.At(c, c), m.Labelled(c)+m.Predicted(c)) }

// MacroF1 returns the plain mean of F1 over the classes that occur among the labels or the predictions, as
// scikit-learn's f1_score(average="macro") does when it is given no labels; NaN of no sample.
func (m *Confusion) MacroF1() float64 {
	var sum float64
	var n int64
	for c := range m.classes {
		if f := m.F1(c); !math.IsNaN(f) {
			sum += f
			n++
		}
	}
	if n == 0 {
		return math.NaN()
	}
	return sum / float64(n)
}

func ratio(a, b int64) float64 {
	if b == 0 {
		return math.NaN()
	}
	return float64(a) / float64(b)
}
