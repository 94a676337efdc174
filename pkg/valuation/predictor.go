package valuation

import (
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
)

// Predictor is a classifier that can be given any coalition of its modalities. It is used by one goroutine at a time.
type Predictor interface {
	// Modalities returns what the model takes, in bit order; Classes its classes in label order.
	Modalities() []modality.Modality
	Classes() []string
	// MaxRows returns the largest minibatch that Load takes.
	MaxRows() int
	// Load prepares a minibatch: it runs every backbone once. The minibatch is borrowed until the next Load.
	Load(b *network.Minibatch) error
	// Logits writes the logits of the loaded minibatch, (Rows,C), with the modalities of c that each row has; the
	// others are masked.
	Logits(c modality.Coalition, dst []float32) error
}

// Additive is a Predictor whose logits are a sum of parts, one a modality:
//
//	logits(S) = bias + sum over i in S of parts_i
type Additive interface {
	Predictor
	// Parts writes the parts of the loaded minibatch, (n,Rows,C), and the bias, (C). Parts of modalities that a row
	// lacks are not looked at.
	Parts(parts, bias []float32) error
}

// Queue takes minibatches in before it is asked what it found of those before.
type Queue interface {
	// Depth returns how many minibatches may be queued and not collected: 1 where taking in another would only wait for the first, and 0
	// where they are better loaded.
	Depth() int
	// Queue takes in a minibatch as Load does, and need not wait until it is computed. The minibatch is borrowed until it returns. What
	// Parts, Logits and Features say is of a minibatch that Load took in, after all that was queued is collected.
	Queue(b *network.Minibatch) error
}

// QueuedAdditive is an Additive that may compute one minibatch while it takes in the next.
type QueuedAdditive interface {
	Additive
	Queue
	// Collect is Parts of the first minibatch that is queued and not collected, for which it waits.
	Collect(parts, bias []float32) error
}

// QueuedWhole is a Predictor that may compute the logits of every coalition of one minibatch while it takes in the next.
type QueuedWhole interface {
	Predictor
	Queue
	// CollectLogits writes the logits of every coalition of the first minibatch that is queued and not collected, (2^n,Rows,C), for which
	// it waits.
	CollectLogits(logits []float32) error
}

// oneByOne makes any Additive a QueuedAdditive.
type oneByOne struct{ Additive }

func (oneByOne) Depth() int                            { return 1 }
func (a oneByOne) Queue(b *network.Minibatch) error    { return a.Load(b) }
func (a oneByOne) Collect(parts, bias []float32) error { return a.Parts(parts, bias) }

// transparent is a Predictor that may say that an input which is not finite always shows in the logits of its row, as not finite, so that
// nobody has to look for one before: with a linear head on features as they are that took a fifth of the time.
type transparent interface {
	Transparent() bool
}

// Featured is a Predictor whose logits follow from a feature a modality, in the place of which others can be put.
type Featured interface {
	Predictor
	// Features returns the features of the loaded minibatch, (Rows,D_p) a modality, borrowed until the next Load. Those of modalities
	// that a row lacks are not looked at.
	Features() ([][]float32, error)
	// Replace makes Logits put features, (D_p) a modality, in the place of those that a row has and the coalition lacks; nil masks
	// them again. The features are borrowed until the next Replace.
	Replace(features [][]float32) error
}

// MaxRight is the largest number of modalities for which a Result holds what every coalition got right.
const MaxRight = 12

// Result is what was found of consecutive samples: those of a batch, or the last or first of them where Options leave
// others out. n modalities, C classes.
type Result struct {
	First        int // of the batch
	Rows         int
	At           []int64   // (Rows): positions in the samples
	Label        []int32   // (Rows), -1 where it is not known
	Prediction   []int32   // (Rows): with all modalities that the sample has
	Logits       []float32 // (Rows,C): the same; nil where only predictions are known
	Right        []bool    // (Rows,2^n) by coalition, that of the modalities the sample has; nil for n > MaxRight, and where there is no one answer
	Phi          []float64 // (Rows,n), NaN for a modality that the sample lacks
	StdErr       []float64 // (Rows,n): standard errors of Phi; nil where it is exact
	Cooperation  []float64 // (Rows): what the whole earns beyond its parts; nil unless asked for
	Interactions []float64 // (Rows,n(n-1)/2) in the order of shapley.Solver.Interactions, NaN likewise; nil unless asked for
}

// reset makes room for rows rows; memory is kept between batches.
func (r *Result) reset(rows, n, classes int, o Options) {
	r.First, r.Rows = 0, rows
	r.At = resize(r.At, rows)
	r.Label, r.Prediction = resize(r.Label, rows), resize(r.Prediction, rows)
	r.Logits = resize(r.Logits, rows*classes)
	r.Phi = resize(r.Phi, rows*n)
	if n <= MaxRight && !o.drawn() && !o.Estimator.Sampled() {
		r.Right = resize(r.Right, rows<<n)
	}
	if o.Estimator.Sampled() {
		r.StdErr = resize(r.StdErr, rows*n)
	}
	if o.Cooperation {
		r.Cooperation = resize(r.Cooperation, rows)
	}
	if o.Interactions {
		r.Interactions = resize(r.Interactions, rows*n*(n-1)/2)
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
