package resample

import (
	"fmt"
	"math"

	"mmtools/pkg/modality"
)

// MaxCopies bounds the copies of one sample for one modality, so that a wrong contribution or strength is an error and
// not a plan without end.
const MaxCopies = 1 << 16

// tolerance is how near to 1 a contribution is neutral, and how near to a half or to a whole a product is taken as
// being one: contributions are fractions, and 3·(1 - 5/6) is a little less than a half in floating point.
const tolerance = 1e-9

// flushAt is the number of plan rows after which they are emitted, whether or not their batch is done.
const flushAt = 8192

// Batch is consecutive rows of a contributions stream.
type Batch interface {
	Rows() int
	// Phi returns the contributions of modality p, (Rows), NaN where the sample lacks it.
	Phi(p int) []float64
}

// Pass calls visit with every batch of the contributions, in order. Where a function makes several passes, each has to
// bring the same rows.
type Pass[B Batch] func(visit func(B) error) error

// Picks are plan rows: row Index[k] of a batch, with only the modalities Keep[k]. Their weight is 1.
type Picks struct {
	Index []int32
	Keep  []modality.Coalition
}

// Emit takes plan rows made from the batch being visited; both are borrowed until it returns.
type Emit[B Batch] func(B, *Picks) error

// Summary says what a plan holds.
type Summary struct {
	Samples int64
	Copies  []int64   // by modality: the rows in which only that modality is kept
	Means   []float64 // modality level: mean contributions in the subset drawn, NaN where nothing was drawn
	Lowest  int       // modality level: the modality that is trained alone, -1 for none
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

// batch plans every row of b whole, and copies(row, p, n, phi) times with only modality p, of n that the sample has.
func (pl *planner[B]) batch(b B, copies func(row, p, n int, phi float64) (int64, error)) error {
	for p := range pl.phi {
		pl.phi[p] = b.Phi(p)
	}
	for row := range b.Rows() {
		present, err := pl.present(row)
		if err != nil {
			return err
		}
		pl.add(row, present, 1)
		n := present.Size()
		for p := range pl.phi {
			if !present.Has(p) {
				continue
			}
			k, err := copies(row, p, n, pl.phi[p][row])
			if err != nil {
				return err
			}
			pl.add(row, modality.Only(p), k)
			pl.summary.Copies[p] += k
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

func (pl *planner[B]) add(row int, keep modality.Coalition, times int64) {
	for range times {
		pl.picks.Index = append(pl.picks.Index, int32(row))
		pl.picks.Keep = append(pl.picks.Keep, keep)
	}
}

func (pl *planner[B]) flush(b B) error {
	if len(pl.picks.Index) == 0 {
		return nil
	}
	err := pl.emit(b, &pl.picks)
	pl.picks.Index, pl.picks.Keep = pl.picks.Index[:0], pl.picks.Keep[:0]
	return err
}

// None plans every sample once, whole. It makes one pass; names are the modalities' names.
func None[B Batch](pass Pass[B], names []string, emit Emit[B]) (Summary, error) {
	pl := newPlanner(names, emit)
	err := pass(func(b B) error {
		return pl.batch(b, func(int, int, int, float64) (int64, error) { return 0, nil })
	})
	return pl.summary, err
}
