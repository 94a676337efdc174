package resample

import (
	"fmt"
	"math"

	"mmtools/pkg/modality"
)

// MaxCopies bounds the copies of one sample for one modality, so that a wrong contribution or strength is an error and
// not a plan without end.
const MaxCopies = 1 << 16

// tolerance is how near to 1 a contribution is a fair share, and how near to a half or to a whole a product is taken as
// being one: contributions are fractions, and 3·(1 - 5/6) is a little less than a half in floating point.
const tolerance = 1e-9

// flushAt is the number of plan rows after which they are emitted, whether or not their batch is done.
const flushAt = 8192

// Batch is consecutive rows of a contributions stream.
type Batch interface {
	Rows() int
	// Phi returns the contributions of modality p, (Rows), NaN where the sample lacks it.
	Phi(p int) []float64
	// Label returns the label of a row, -1 where it is not known.
	Label(row int) int32
}

// Pass calls visit with every batch of the contributions, in order. Where a function makes several passes, each has to
// bring the same rows.
type Pass[B Batch] func(visit func(B) error) error

// Picks are plan rows: row Index[k] of a batch, with only the modalities Keep[k], of a weight.
type Picks struct {
	Index  []int32
	Keep   []modality.Coalition
	Weight []float32
}

// Emit takes plan rows made from the batch being visited; both are borrowed until it returns.
type Emit[B Batch] func(B, *Picks) error

// Summary says what a plan holds.
type Summary struct {
	Samples int64
	Copies  []int64   // by modality: the rows in which only that modality is kept
	Whole   int64     // rows beyond the first of a sample in which all that it has is kept
	Weight  float64   // of all rows beyond the first of a sample
	Means   []float64 // modality level: mean contributions in the subset drawn, NaN where nothing was drawn
	Lowest  int       // modality level: the modality of the lowest mean, -1 for none
	Gap     float64   // modality level: d
}

// RowError says that a row of the contributions cannot be planned with.
type RowError struct {
	Row      int64 // position in the contributions
	Modality string
	Problem  string
}

func (e *RowError) Error() string {
	return fmt.Sprintf("row %d: contribution of modality %q: %s", e.Row, e.Modality, e.Problem)
}

// planner writes the plan rows of batches.
type planner[B Batch] struct {
	names   []string
	emit    Emit[B]
	phi     [][]float64 // of the batch
	picks   Picks
	summary Summary
}

func newPlanner[B Batch](names []string, emit Emit[B]) *planner[B] {
	return &planner[B]{
		names: names, emit: emit, phi: make([][]float64, len(names)),
		summary: Summary{Copies: make([]int64, len(names)), Lowest: -1},
	}
}

// adder adds rows of the sample at hand: a number of them, each with only what is kept, of a weight.
type adder func(keep modality.Coalition, times int64, weight float32)

// extras adds the extra rows of the sample at row of the batch, the at-th of all, of the contributions phi (n,Rows).
type extras func(row, at int, present modality.Coalition, phi [][]float64, add adder) error

// batch plans every row of b whole, and adds what extra says.
func (pl *planner[B]) batch(b B, extra extras) error {
	for p := range pl.phi {
		pl.phi[p] = b.Phi(p)
	}
	var at int // the row that add adds to
	add := func(keep modality.Coalition, times int64, weight float32) {
		pl.add(at, keep, times, weight)
		pl.summary.Weight += float64(times) * float64(weight)
		if keep.Size() == 1 {
			pl.summary.Copies[nth(keep, 0)] += times
		} else {
			pl.summary.Whole += times
		}
	}
	for at = range b.Rows() {
		present, err := pl.present(at)
		if err != nil {
			return err
		}
		pl.add(at, present, 1, 1)
		if extra != nil {
			if err := extra(at, int(pl.summary.Samples), present, pl.phi, add); err != nil {
				return err
			}
		}
		pl.summary.Samples++
		if len(pl.picks.Index) >= flushAt {
			if err := pl.flush(b); err != nil {
				return err
			}
		}
	}
	return pl.flush(b)
}

// present returns the modalities that the sample at row has.
func (pl *planner[B]) present(row int) (modality.Coalition, error) {
	var present modality.Coalition
	for p, column := range pl.phi {
		phi := column[row]
		if math.IsInf(phi, 0) {
			return 0, &RowError{pl.summary.Samples, pl.names[p], fmt.Sprintf("got %v, want a finite number", phi)}
		}
		if phi == phi { // not NaN
			present = present.With(p)
		}
	}
	return present, nil
}

func (pl *planner[B]) add(row int, keep modality.Coalition, times int64, weight float32) {
	for range times {
		pl.picks.Index = append(pl.picks.Index, int32(row))
		pl.picks.Keep = append(pl.picks.Keep, keep)
		pl.picks.Weight = append(pl.picks.Weight, weight)
	}
}

func (pl *planner[B]) flush(b B) error {
	if len(pl.picks.Index) == 0 {
		return nil
	}
	err := pl.emit(b, &pl.picks)
	pl.picks.Index, pl.picks.Keep, pl.picks.Weight = pl.picks.Index[:0], pl.picks.Keep[:0], pl.picks.Weight[:0]
	return err
}

// None plans every sample once, whole. It makes one pass; names are the modalities' names.
func None[B Batch](pass Pass[B], names []string, emit Emit[B]) (Summary, error) {
	pl := newPlanner(names, emit)
	err := pass(func(b B) error { return pl.batch(b, nil) })
	return pl.summary, err
}
