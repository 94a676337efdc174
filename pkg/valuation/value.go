package valuation

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Value names what a coalition's logits are worth, given a label y.
type Value string

// The value functions. x are the logits of coalition C, p their softmax.
const (
	Published      Value = "published"       // |C| where the first maximum of x is at y, else 0
	Right          Value = "right"           // 1 where the first maximum of x is at y, else 0
	Probability    Value = "probability"     // p[y]
	LogProbability Value = "log-probability" // log p[y], in nats
	Margin         Value = "margin"          // x[y] - max of the other x
	NegativeLoss   Value = "negative-loss"   // minus the cross-entropy that mm-fit trains with: the number of LogProbability
)

// Values lists every Value.
var Values = []Value{Published, Right, Probability, LogProbability, Margin, NegativeLoss}

// Validate returns an error for a name that is no Value.
func (v Value) Validate() error {
	if slices.Contains(Values, v.name()) {
		return nil
	}
	return fmt.Errorf("value %q: want one of %s", string(v), joined(Values))
}

// name returns v, Published where it is empty.
func (v Value) name() Value {
	if v == "" {
		return Published
	}
	return v
}

// Whole reports whether every v(C) is a whole number, so that contributions are exact fractions.
func (v Value) Whole() bool { return v.name() == Published || v.name() == Right }

// FairlyOne reports whether a fair share is 1, whatever the sample, as BelowShare takes it.
func (v Value) FairlyOne() bool { return v.name() == Published }

// Of returns the value of logits, (C), of a coalition of size modalities. The empty coalition is worth 0 of Published, for
// |{}| is 0, and otherwise what the logits without any modality are worth: those of the head's bias.
func (v Value) Of(logits []float32, label, size int) float64 {
	switch v.name() {
	case Published:
		if isRight(logits, label) {
			return float64(size)
		}
		return 0
	case Right:
		if isRight(logits, label) {
			return 1
		}
		return 0
	case Probability:
		return math.Exp(logProbability(logits, label))
	case LogProbability, NegativeLoss:
		return logProbability(logits, label)
	case Margin:
		return margin(logits, label)
	}
	panic("valuation: unknown value " + string(v))
}

// logProbability returns x[label] - log sum exp x. The largest logit is taken out of the sum, so that nothing overflows.
func logProbability(x []float32, label int) float64 {
	top := float64(slices.Max(x))
	sum := 0.0
	for _, l := range x {
		sum += math.Exp(float64(l) - top)
	}
	return float64(x[label]) - top - math.Log(sum)
}

// margin returns how far the label's logit is above the largest other one, of two classes at least.
func margin(x []float32, label int) float64 {
	other := math.Inf(-1)
	for k, l := range x {
		if k != label {
			other = max(other, float64(l))
		}
	}
	return float64(x[label]) - other
}

// joined writes names as "a, b, c".
func joined[S ~string](names []S) string {
	var all []string
	for _, n := range names {
		all = append(all, string(n))
	}
	return strings.Join(all, ", ")
}
