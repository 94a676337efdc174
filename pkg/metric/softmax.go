package metric

import (
	"fmt"
	"math"
)

// LogSoftmax writes into dst the logarithm of each row's softmax; both are (N,C) row major and may be the same slice.
//
// Logits of different samples cannot be ranked against each other, probabilities can; and their logarithm ranks
// them alike but keeps apart, in float32, the confident predictions whose probabilities all round to 1. The largest
// logit's is therefore taken as -log(1 + sum of the others' exp), not as a difference of two large numbers.
func LogSoftmax(dst, logits []float32, classes int) {
	if classes < 1 || len(dst) != len(logits) || len(logits)%classes != 0 {
		panic(fmt.Sprintf("metric: log-softmax of %d logits into %d, %d classes", len(logits), len(dst), classes))
	}
	for first := 0; first < len(logits); first += classes {
		row, out := logits[first:first+classes], dst[first:first+classes]
		top := 0
		for c, x := range row {
			if x > row[top] {
				top = c
			}
		}
		highest := float64(row[top])
		var rest float64
		for c, x := range row {
			if c != top {
				rest += math.Exp(float64(x) - highest)
			}
		}
		norm := math.Log1p(rest)
		for c, x := range row {
			out[c] = float32(float64(x) - highest - norm)
		}
	}
}
