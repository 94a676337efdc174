package resample

import (
	"fmt"
	"math"
	"slices"

	"mmtools/pkg/modality"
)

// DefaultExponent is that of Powerly where none is given.
const DefaultExponent = 1.5

// Control names what is done with the extra rows in place of what the contributions say: what a plan has to do better than.
type Control string

// The controls. Each has as many extra rows as the plan without it.
const (
	NoControl Control = ""
	Duplicate Control = "duplicate" // samples drawn with replacement, whole
	Random    Control = "random"    // samples drawn with replacement, in each only one of its modalities, drawn too
	Inverse   Control = "inverse"   // the same samples, with the modalities in the opposite order of contribution
)

// Controls lists every Control.
var Controls = []Control{NoControl, Duplicate, Random, Inverse}

func (c Control) check() error {
	if !slices.Contains(Controls, c) {
		return fmt.Errorf("control %q: want duplicate, random or inverse", string(c))
	}
	return nil
}

// drawn reports whether the extra rows are of samples drawn.
func (c Control) drawn() bool { return c == Duplicate || c == Random }

// SampleOptions are the settings of SampleLevel.
type SampleOptions struct {
	Strength  float64 // multiplies the number of copies; 1 is published
	Function  Copying // "" is Linearly
	Exponent  float64 // of Powerly; 0 is DefaultExponent
	MaxCopies int64   // of a sample for a modality; 0 is as many as the function asks for
	Budget    float64 // extra rows, or weight, as a share of the samples, up or down to that; 0 is what the function asks for
	Balance   bool    // every class that wants extra rows gets as many; labels that are not known are a class
	Weights   bool    // one row of the copies' weight, before rounding, in place of copies
	Control   Control
	Seed      uint64
	Epoch     int // that the plan is for
}

// Validate returns an error for settings that SampleLevel cannot work with.
func (o SampleOptions) Validate() error {
	positive := func(x float64) bool { return x > 0 && !math.IsInf(x, 0) }
	switch {
	case !positive(o.Strength):
		return fmt.Errorf("strength %v: want a finite number above 0", o.Strength)
	case !positive(o.exponent()):
		return fmt.Errorf("exponent %v: want a finite number above 0", o.Exponent)
	case o.MaxCopies < 0 || o.MaxCopies > MaxCopies:
		return fmt.Errorf("max-copies %d: want 1 to %d", o.MaxCopies, MaxCopies)
	case !(o.Budget >= 0 && o.Budget <= MaxCopies):
		return fmt.Errorf("budget %v: want a number above 0 and at most %d", o.Budget, MaxCopies)
	case o.Balance && o.Control.drawn():
		return fmt.Errorf("control %s: its samples are drawn of all classes alike, and cannot be balanced", o.Control)
	}
	if err := o.Function.check(); !o.spreads() && err != nil {
		return err
	}
	return o.Control.check()
}

// spreads reports whether a number of rows is spread over the samples, rather than asked for by each.
func (o SampleOptions) spreads() bool { return o.Function == adaptive || o.Function == reducible }

// Passes returns how often SampleLevel goes through the contributions: twice where how many extra rows there will be has to
// be known before the first.
func (o SampleOptions) Passes() int {
	if o.Budget > 0 || o.Balance || o.Control.drawn() {
		return 2
	}
	return 1
}

// SampleLevel plans every sample once, whole, and for each modality that contributes less than its share to the sample
// copies in which only that modality is kept. names are the modalities' names.
func SampleLevel[B Batch](pass Pass[B], names []string, o SampleOptions, emit Emit[B]) (Summary, error) {
	pl := newPlanner(names, emit)
	if err := o.Validate(); err != nil {
		return pl.summary, err
	}
	s := &sampleLevel{o: o, names: names, amounts: make([]float64, len(names)), order: make([]int, len(names))}
	if o.Passes() == 1 {
		err := pass(func(b B) error { return pl.batch(b, s.extra) })
		return pl.summary, err
	}
	t := newTotals()
	counter := newPlanner(names, func(B, *Picks) error { return nil })
	err := pass(func(b B) error {
		return counter.batch(b, func(row, at int, present modality.Coalition, phi [][]float64, add adder) error {
			if err := s.measure(at, row, present, phi); err != nil {
				return err
			}
			t.add(b.Label(row), present, s.amounts)
			return nil
		})
	})
	if err != nil || counter.summary.Samples == 0 {
		return pl.summary, err
	}
	if o.Function == reducible {
		s.levels = t.level(len(names))
	}
	extra := t.rows(o, counter.summary.Samples)
	if extra > MaxCopies*float64(counter.summary.Samples) {
		return pl.summary, fmt.Errorf("strength %v asks for %v rows in addition to %d samples, want at most %d times as many",
			o.Strength, extra, counter.summary.Samples, MaxCopies)
	}
	if o.Control.drawn() {
		err = drawn(pass, pl, o, int64(extra), counter.summary.Samples)
	} else {
		s.rates = t.rates(o, extra)
		err = pass(func(b B) error {
			return pl.batch(b, func(row, at int, present modality.Coalition, phi [][]float64, add adder) error {
				s.rate = s.rates[b.Label(row)]
				return s.extra(row, at, present, phi, add)
			})
		})
	}
	if err == nil && pl.summary.Samples != counter.summary.Samples {
		err = fmt.Errorf("contributions changed between passes: %d rows, then %d", counter.summary.Samples, pl.summary.Samples)
	}
	return pl.summary, err
}

// sampleLevel finds the extra rows of one sample after another.
type sampleLevel struct {
	o       SampleOptions
	names   []string
	amounts []float64 // (n): copies, or weights
	order   []int     // scratch of inverse
	levels  []float64 // (n): of reducible, what amounts are multiplied by; nil before they are known
	rates   map[int32][]*rate
	rate    []*rate // (n), of the sample's class; nil where amounts stay as they are
}

// measure fills amounts with what each modality of the sample at row, number at of the batches' first row and on, wants.
func (s *sampleLevel) measure(at, row int, present modality.Coalition, phi [][]float64) error {
	switch s.o.Function {
	case adaptive:
		s.spread(row, present, phi)
	case reducible:
		s.reduce(row, present, phi)
	default:
		if err := s.copies(at, row, present, phi); err != nil {
			return err
		}
	}
	if s.o.Control == Inverse {
		s.invert(present, row, phi)
	}
	return nil
}

// copies fills amounts with the copies, or the weight in their place, that the function asks for.
func (s *sampleLevel) copies(at, row int, present modality.Coalition, phi [][]float64) error {
	clear(s.amounts)
	n := present.Size()
	for p := range present.Members() {
		x := phi[p][row]
		if s.o.Weights {
			s.amounts[p] = s.o.weight(n, x)
		} else {
			s.amounts[p] = float64(s.o.copies(n, x))
		}
		if s.amounts[p] > MaxCopies {
			return &RowError{int64(at), s.names[p], fmt.Sprintf("%v at strength %v asks for more than %d copies", x, s.o.Strength, MaxCopies)}
		}
	}
	return nil
}

// invert gives what the modality of the lowest contribution wants to that of the highest, and so on.
func (s *sampleLevel) invert(present modality.Coalition, row int, phi [][]float64) {
	order := s.order[:0]
	for p := range present.Members() {
		order = append(order, p)
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch x, y := phi[a][row], phi[b][row]; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
	for k := range len(order) / 2 {
		a, b := order[k], order[len(order)-1-k]
		s.amounts[a], s.amounts[b] = s.amounts[b], s.amounts[a]
	}
}

// lacks reports whether some modality of the sample at row contributes less than its share: most samples lack nothing.
func lacks(row int, phi [][]float64) bool {
	for _, column := range phi {
		if column[row] < 1-tolerance {
			return true
		}
	}
	return false
}

// extra adds the extra rows of a sample.
func (s *sampleLevel) extra(row, at int, present modality.Coalition, phi [][]float64, add adder) error {
	if !s.o.spreads() && !lacks(row, phi) {
		return nil
	}
	if err := s.measure(at, row, present, phi); err != nil {
		return err
	}
	for p, amount := range s.amounts {
		if amount == 0 {
			continue
		}
		switch {
		case s.o.Weights && s.rate != nil:
			add(modality.Only(p), 1, float32(amount*s.rate[p].scale))
		case s.o.Weights:
			add(modality.Only(p), 1, float32(amount))
		case s.rate != nil:
			add(modality.Only(p), s.rate[p].take(amount), 1)
		default:
			add(modality.Only(p), int64(amount), 1)
		}
	}
	return nil
}
