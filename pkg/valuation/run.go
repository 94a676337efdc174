package valuation

import (
	"context"
	"errors"
	"io"
	"runtime"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// Run values every modality of every sample of a stream, batch by batch: it reads a batch, gives the model every coalition
// of every row, or those that an estimator draws, calls emit, and goes on. emit's arguments are borrowed until it returns;
// rows of the batch that Options leave out are not in the Result.
//
// Errors that are stream.ErrInput: samples that do not fit the model (modalities by name, shapes, classes), a row without
// a label where that is what is valued, features that are not finite, logits of some coalition that are not. They name row
// and id.
func Run(ctx context.Context, in *schema.SamplesReader, p Predictor, o Options, emit func(*schema.SamplesBatch, *Result) error) (Summary, error) {
	columns, err := arrange(in, p, o)
	if err != nil {
		return Summary{}, err
	}
	v, err := newValuer(in.Name(), columns, p, o)
	if err != nil {
		return Summary{}, err
	}
	for {
		if err := ctx.Err(); err != nil {
			return Summary{}, err
		}
		b, err := in.Next()
		if errors.Is(err, io.EOF) {
			return v.summary(), nil
		}
		if err != nil {
			return Summary{}, err
		}
		from, to := o.within(b.First(), b.Rows())
		if from >= to {
			continue // read on: a stream is good to its end, or not
		}
		if err := v.within(ctx, b, from, to, emit); err != nil {
			return Summary{}, err
		}
	}
}

// within values the rows of b, from from to to, that are in the fold, and emits them.
func (v *valuer) within(ctx context.Context, b *schema.SamplesBatch, from, to int, emit func(*schema.SamplesBatch, *Result) error) error {
	if v.o.Fold != nil {
		picked, err := b.Pick(from, to, v.o.Fold.Has)
		if picked == nil || err != nil {
			return err
		}
		defer picked.Release()
		b, from, to = picked, 0, picked.Rows()
	}
	if err := v.batch(ctx, b, from, to); err != nil {
		return err
	}
	return emit(b, &v.result)
}

// within returns which rows of a batch are to be valued, from (inclusive) to to (exclusive).
func (o Options) within(first int64, rows int) (from, to int) {
	from, to = int(min(max(o.From-first, 0), int64(rows))), rows
	if o.To != 0 {
		to = int(min(max(o.To-first, 0), int64(rows)))
	}
	return from, to
}

// heldCoalitions bounds the rows of a minibatch times their coalitions, where every answer must be held at once.
const heldCoalitions = 1 << 26

// valuer values batches.
type valuer struct {
	samples string // their stream's name
	o       Options
	n       int // modalities
	classes int
	rows    int // most rows of a minibatch
	model   Predictor
	loader  *loader
	workers []*worker
	shows   bool // what is not finite in the logits
	result  Result
	sums    Summary // of what is not summed up by the workers

	parts, bias []float32 // additive: of a minibatch, (n,Rows,C) and (C)
	logits      []float32 // otherwise: of one coalition, (Rows,C)
	right       []bool    // otherwise: (Rows,2^n)
	values      []float64 // otherwise, where more is wanted than what is right: (Rows,2^n)
}

func newValuer(samples string, columns []int, p Predictor, o Options) (*valuer, error) {
	v := &valuer{
		samples: samples, o: o, n: len(columns), classes: len(p.Classes()), rows: p.MaxRows(), model: p,
		loader: newLoader(columns, p.Modalities()), sums: newSummary(len(columns), o),
	}
	if t, ok := p.(transparent); ok {
		v.shows = t.Transparent()
	}
	threads := o.Threads
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	_, additive := p.(Additive)
	switch {
	case additive:
		v.parts, v.bias = make([]float32, v.n*v.rows*v.classes), make([]float32, v.classes)
	case o.Replacement != nil && !isFeatured(p):
		return nil, stream.Errorf("%s: absence %s of a model that is not told from its features, want %s", o.model(), o.Replacement.Absence, ZeroFeature)
	case o.Estimator.Sampled():
		v.rows = max(1, min(v.rows, heldCoalitions/8/o.Rule.Evaluations))
		v.logits = make([]float32, v.rows*v.classes)
	default:
		v.rows = max(1, min(v.rows, heldCoalitions>>v.n))
		if !o.plain() {
			v.rows = max(1, min(v.rows, heldCoalitions>>v.n/8))
			v.values = make([]float64, v.rows<<v.n)
		}
		v.logits, v.right = make([]float32, v.rows*v.classes), make([]bool, v.rows<<v.n)
	}
	for range threads {
		v.workers = append(v.workers, newWorker(v))
	}
	return v, nil
}

// batch values rows from to to of b into v.result.
func (v *valuer) batch(ctx context.Context, b *schema.SamplesBatch, from, to int) error {
	v.result.reset(to-from, v.n, v.classes, v.o)
	v.result.First = from
	for r := range v.result.Rows {
		label, at := b.Label(from+r), b.Row(from+r)
		if label < 0 && !v.o.Predicted {
			return stream.Errorf("%s: row %d, id %q: no label, and whether a coalition is right cannot be told without one",
				v.samples, at, b.ID(from+r))
		}
		if int(label) >= v.classes {
			return stream.Errorf("%s: row %d, id %q: label %d, want 0 to %d", v.samples, at, b.ID(from+r), label, v.classes-1)
		}
		v.result.Label[r], v.result.At[r] = label, at
	}
	for at := 0; at < v.result.Rows; at += v.rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := v.minibatch(b, at, min(at+v.rows, v.result.Rows)); err != nil {
			return err
		}
	}
	if v.sums.Sum != nil {
		for r := range v.result.Rows { // in order: sums of floats depend on it
			v.sums.take(v.result.Phi[r*v.n:][:v.n])
		}
	}
	return nil
}

// minibatch values rows from to to of the result, whose first row is v.result.First of b.
func (v *valuer) minibatch(b *schema.SamplesBatch, from, to int) error {
	m := v.loader.load(b, v.result.First+from, v.result.First+to)
	if !v.shows && !v.finite(m) {
		if err := b.CheckFinite(); err != nil {
			return err
		}
	}
	if err := v.model.Load(m); err != nil {
		return err
	}
	bad := -1
	var err error
	if a, ok := v.model.(Additive); ok {
		if err := a.Parts(v.parts[:v.n*m.Rows*v.classes], v.bias); err != nil {
			return err
		}
		bad = v.divide(m.Rows, func(w *worker, r int) bool { return w.additive(m, r, from+r) })
	} else if v.o.Estimator.Sampled() {
		bad, err = v.sampleTogether(m, from)
	} else if bad, err = v.enumerate(m, from); err == nil && bad < 0 {
		bad = v.divide(m.Rows, func(w *worker, r int) bool { return w.enumerated(m, r, from+r) })
	}
	if err != nil {
		return err
	}
	if bad >= 0 {
		if err := b.CheckFinite(); err != nil {
			return err
		}
		r := from + bad
		return stream.Errorf("%s: row %d, id %q: %s gives logits that are not finite", v.samples, v.result.At[r], b.ID(v.result.First+r), v.o.model())
	}
	return nil
}

// enumerate asks the model for every coalition of the loaded minibatch, all modalities first. It returns the first row with
// logits that are not finite, or -1.
func (v *valuer) enumerate(m *network.Minibatch, from int) (bad int, err error) {
	rows := m.Rows
	bad = rows
	all := modality.All(v.n)
	labels := v.result.Label[from:][:rows]
	if v.o.Predicted {
		labels = make([]int32, rows)
	}
	draws := v.o.Replacement.Draws()
	if v.values != nil {
		clear(v.values[:rows<<v.n])
	}
	for k := range draws * int(all+1) {
		draw, c := k/int(all+1), all-modality.Coalition(k)&all
		if c == all {
			if err := v.replace(draw); err != nil {
				return -1, err
			}
		}
		logits := v.logits[:rows*v.classes]
		if err := v.model.Logits(c, logits); err != nil {
			return -1, err
		}
		if c == all && draw == 0 {
			copy(v.result.Logits[from*v.classes:], logits)
		}
		for r := range rows {
			row := logits[r*v.classes:][:v.classes]
			if largestBits(row) >= infinityBits {
				bad = min(bad, r)
				continue
			}
			if c == all && v.o.Predicted {
				labels[r] = argmax(row)
			}
			at := r<<v.n | int(c)
			v.right[at] = isRight(row, int(labels[r]))
			if v.values != nil {
				v.values[at] += v.o.Value.Of(row, int(labels[r]), (c&m.Keep[r]).Size()) / float64(draws)
			}
		}
	}
	if bad == rows {
		return -1, nil
	}
	return bad, nil
}

// replace puts a draw of what stands in for absent modalities into a model that is not Additive.
func (v *valuer) replace(draw int) error {
	if v.o.Replacement == nil {
		return nil
	}
	return v.model.(Featured).Replace(v.o.Replacement.parts[draw])
}

func isFeatured(p Predictor) bool { _, ok := p.(Featured); return ok }

// summary adds up what the workers found.
func (v *valuer) summary() Summary {
	s := v.sums
	for _, w := range v.workers {
		s.Add(w.game.summary)
	}
	return s
}
