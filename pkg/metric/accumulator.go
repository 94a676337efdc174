package metric

import "fmt"

// Accumulator takes labelled predictions batch by batch. It keeps the confusion matrix, and for the mean average
// precision the label and the scores of every sample: 4 (C + 1) bytes each, 128 MB a million samples of 31 classes.
type Accumulator struct {
	*Confusion
	label []int32   // (N)
	score []float32 // (N,C) row major
}

// NewAccumulator returns an empty accumulator over the given number of classes.
func NewAccumulator(classes int) *Accumulator {
	return &Accumulator{Confusion: NewConfusion(classes)}
}

// Add takes len(label) samples; score is (len(label),C) row major, higher for likelier. Nothing is kept of the
// arguments. Rows with a negative label are unlabelled and left out; Add returns how many those were.
func (a *Accumulator) Add(label, prediction []int32, score []float32) (unlabelled int) {
	c := a.classes
	if len(prediction) != len(label) || len(score) != len(label)*c {
		panic(fmt.Sprintf("metric: %d labels, %d predictions, %d scores of %d classes",
			len(label), len(prediction), len(score), c))
	}
	for i, l := range label {
		if l < 0 {
			unlabelled++
			continue
		}
		a.Confusion.Add(l, prediction[i])
		a.label = append(a.label, l)
		a.score = append(a.score, score[i*c:(i+1)*c]...)
	}
	return unlabelled
}

// Buffered returns the number of bytes that are kept for MeanAveragePrecision.
func (a *Accumulator) Buffered() int64 { return 4 * int64(cap(a.label)+cap(a.score)) }

// MeanAveragePrecision returns the mean over the classes of their one-vs-rest average precision; see the function of
// the same name.
func (a *Accumulator) MeanAveragePrecision() float64 {
	return MeanAveragePrecision(a.score, a.label, a.classes)
}
