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

// Options say which card to open, and how it computes.
type Options struct {
	Card      int // 0 is the first
	Precision kernel.Precision
}

func (o Options) check() error {
	if o.Precision != "" && !slices.Contains(precisions, o.Precision) {
		return fmt.Errorf("precision %q: want one of %v", o.Precision, precisions)
	}
	if o.Card < 0 {
		return fmt.Errorf("card %d: want 0 or more", o.Card)
	}
	return nil
}

// precisions are numbered as in library.h.
var precisions = []kernel.Precision{kernel.Float32, kernel.TF32, kernel.BF16}
