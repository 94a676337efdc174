package valuation

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"mmtools/pkg/schema"
	"mmtools/pkg/shapley"
	"mmtools/pkg/stream"
)

// Estimator names how contributions are computed from the values of coalitions.
type Estimator string

// The estimators: Exact takes every coalition, and Banzhaf too, but for Banzhaf values in place of Shapley values, and Alone for
// v({i}) - v({}), what a modality is worth without the others; the others some, drawn at random (see package shapley).
const (
	Exact       Estimator = "exact"
	Banzhaf     Estimator = "banzhaf"
	Alone       Estimator = "alone"
	Permutation           = Estimator(shapley.Permutation)
	Owen                  = Estimator(shapley.Owen)
	Kernel                = Estimator(shapley.Kernel)
)

// Estimators lists every Estimator.
var Estimators = []Estimator{Exact, Banzhaf, Alone, Permutation, Owen, Kernel}

// Sampled reports whether some coalitions are drawn, so that contributions have standard errors.
func (e Estimator) Sampled() bool { return e == Permutation || e == Owen || e == Kernel }

// ErrUnlabelled is the error of a sample without a label where that is what is valued.
var ErrUnlabelled = errors.New("no label, and whether a coalition is right cannot be told without one")

// Options say what is valued, and how. The zero value takes every coalition of every sample and values it as published.
type Options struct {
	Value       Value
	Predicted   bool         // the label is what the model predicts, whatever the samples say
	Replacement *Replacement // of modalities that a coalition lacks; nil is ZeroFeature

	Estimator Estimator    // "" is Exact
	Rule      shapley.Rule // of an estimator that samples: when it stops, sample by sample
	Seed      uint64       // of what is drawn: for each sample by its position, so that no division of the samples matters

	Cooperation  bool // find Result.Cooperation, from every coalition
	Interactions bool // find Result.Interactions, from every coalition

	Additive bool // RunPredictions: logits of single modalities and of none are enough

	Fold     *schema.Fold // the samples to value; nil is all
	From, To int64        // the samples to value, by position: From and on, and below To where To is not 0

	// What follows does not change what is found.

	Threads int    // that sum up coalitions; 0 takes every core
	Model   string // what errors call the model, such as its path; "the model" where empty
}

func (o Options) model() string { return cmp.Or(o.Model, "the model") }

// drawn reports whether v(C) is a mean over draws, so that no coalition is simply right.
func (o Options) drawn() bool { return o.Replacement != nil && o.Replacement.Absence == Marginal }

// whole reports whether contributions are exact fractions, which are summed up as such.
func (o Options) whole() bool {
	return o.Value.Whole() && !o.drawn() && (o.Estimator == "" || o.Estimator == Exact)
}

// plain reports whether the coalitions that are right are all that is wanted, with nothing in the place of the absent.
func (o Options) plain() bool {
	return o.whole() && o.Replacement == nil && !o.Cooperation && !o.Interactions
}

// Validate returns an error for options that do not go together, or not with n modalities and a number of classes. Where
// it is the model or stream called name that does not fit, it is stream.ErrInput.
func (o Options) Validate(name string, n, classes int) error {
	if err := o.Value.Validate(); err != nil {
		return err
	}
	if o.Estimator != "" && !slices.Contains(Estimators, o.Estimator) {
		return fmt.Errorf("estimator %q: want one of %s", string(o.Estimator), joined(Estimators))
	}
	if o.Value == Margin && classes < 2 {
		return stream.Errorf("%s: %d classes, want 2 or more for a margin between them", name, classes)
	}
	if !o.Estimator.Sampled() {
		if n < 1 || n > shapley.MaxPlayers {
			return stream.Errorf("%s: %d modalities, want 1 to %d to value every coalition", name, n, shapley.MaxPlayers)
		}
		return nil
	}
	if o.Cooperation || o.Interactions {
		return fmt.Errorf("cooperation and interactions from an estimator that samples, want %s", Exact)
	}
	if n < 1 || n > shapley.MaxSampled {
		return stream.Errorf("%s: %d modalities, want 1 to %d", name, n, shapley.MaxSampled)
	}
	_, err := shapley.NewSampler(shapley.Method(o.Estimator), n, o.Rule)
	return err
}
