package valuation

import (
	"cmp"

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

// Options say how Run works. They do not change what it finds.
type Options struct {
	Threads int    // that sum up coalitions; 0 takes every core
	Model   string // what errors call the model, such as its path; "the model" where empty
}

func (o Options) model() string { return cmp.Or(o.Model, "the model") }

// MaxRight is the largest number of modalities for which a Result holds what every coalition got right.
const MaxRight = 12

// Result is what was found of consecutive samples: those of a batch. n modalities, C classes.
type Result struct {
	Rows       int
	Label      []int32   // (Rows)
	Prediction []int32   // (Rows): with all modalities that the sample has
	Logits     []float32 // (Rows,C): the same; nil where only predictions are known
	Right      []bool    // (Rows,2^n) by coalition, that of the modalities the sample has; nil for n > MaxRight
	Phi        []float64 // (Rows,n), NaN for a modality that the sample lacks
}

// reset makes room for rows rows; memory is kept between batches.
func (r *Result) reset(rows, n, classes int) {
	r.Rows = rows
	r.Label, r.Prediction = resize(r.Label, rows), resize(r.Prediction, rows)
	r.Logits = resize(r.Logits, rows*classes)
	r.Phi = resize(r.Phi, rows*n)
	if n <= MaxRight {
		r.Right = resize(r.Right, rows<<n)
	}
}

func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}
