package cuda

import (
	"errors"
	"fmt"
	"slices"

	"mmtools/pkg/kernel"
)

// Why New finds nothing to open.
var (
	ErrNotBuilt = errors.New("this program was built without CUDA")
	ErrNoDriver = errors.New("no driver")
	ErrNoCard   = errors.New("no card")
)

// Options say which cards to open, and how they compute.
type Options struct {
	Cards     []int // by their numbers, which begin at 0; none is the first alone
	All       bool  // all that there are, in their order
	Precision kernel.Precision
}

func (o Options) check() error {
	if o.Precision != "" && !slices.Contains(precisions, o.Precision) {
		return fmt.Errorf("precision %q: want one of %v", o.Precision, precisions)
	}
	for i, card := range o.Cards {
		switch {
		case card < 0:
			return fmt.Errorf("card %d: want 0 or more", card)
		case slices.Contains(o.Cards[:i], card):
			return fmt.Errorf("card %d is named twice", card)
		}
	}
	return nil
}

// precisions are numbered as in library.h.
var precisions = []kernel.Precision{kernel.Float32, kernel.TF32, kernel.BF16}
