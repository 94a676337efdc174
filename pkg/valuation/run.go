package valuation

import (
	"context"
	"errors"
	"io"
	"runtime"

	"mmtools/pkg/modality"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// Run values every modality of every sample of a stream, batch by batch: it reads a batch, gives the model every coalition
// of every row, calls emit, and goes on. emit's arguments are borrowed until it returns.
//
// Errors that are stream.ErrInput: samples that do not fit the model (modalities by name, shapes, classes), a row without
// a label, features that are not finite, logits of some coalition that are not. They name row and id.
func Run(ctx context.Context, in *schema.SamplesReader, p Predictor, o Options, emit func(*schema.SamplesBatch, *Result) error) (Summary, error) {
	columns, err := arrange(in, p, o)
	if err != nil {
		return Summary{}, err
	}
	v := newValuer(in.Name(), columns, p, o)
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
		if b.Rows() == 0 {
			continue
		}
		if err := v.batch(ctx, b); err != nil {
			return Summary{}, err
		}
		if err := emit(b, &v.result); err != nil {
			return Summary{}, err
		}
	}
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
	result  Result

	parts, bias []float32 // additive: of a minibatch, (n,Rows,C) and (C)
	logits      []float32 // otherwise: of one coalition, (Rows,C)
	right       []bool    // otherwise: (Rows,2^n)
}

func newValuer(samples string, columns []int, p Predictor, o Options) *valuer {
	v := &valuer{
		samples: samples, o: o, n: len(columns), classes: len(p.Classes()), rows: p.MaxRows(), model: p,
		loader: newLoader(columns, p.Modalities()),
	}
	threads := o.Threads
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	if _, ok := p.(Additive); ok {
		v.parts, v.bias = make([]float32, v.n*v.rows*v.classes), make([]float32, v.classes)
	} else {
		v.rows = max(1, min(v.rows, heldCoalitions>>v.n))
		v.logits, v.right = make([]float32, v.rows*v.classes), make([]bool, v.rows<<v.n)
	}
	for range threads {
		v.workers = append(v.workers, newWorker(v))
	}
	return v
}

// batch values the rows of b into v.result.
func (v *valuer) batch(ctx context.Context, b *schema.SamplesBatch) error {
	if err := b.CheckFinite(); err != nil {
		return err
	}
	v.result.reset(b.Rows(), v.n, v.classes)
	for r := range b.Rows() {
		label := b.Label(r)
		if label < 0 {
			return stream.Errorf("%s: row %d, id %q: no label, and whether a coalition is right cannot be told without one",
				v.samples, b.First()+int64(r), b.ID(r))
		}
		if int(label) >= v.classes {
			return stream.Errorf("%s: row %d, id %q: label %d, want 0 to %d", v.samples, b.First()+int64(r), b.ID(r), label, v.classes-1)
		}
		v.result.Label[r] = label
	}
	for from := 0; from < b.Rows(); from += v.rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := v.minibatch(b, from, min(from+v.rows, b.Rows())); err != nil {
			return err
		}
	}
	return nil
}

// minibatch values rows from to to of b.
func (v *valuer) minibatch(b *schema.SamplesBatch, from, to int) error {
	m := v.loader.load(b, from, to)
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
	} else if bad, err = v.enumerate(m.Rows, from); err != nil {
		return err
	} else if bad < 0 {
		bad = v.divide(m.Rows, func(w *worker, r int) bool { return w.enumerated(m, r, from+r) })
	}
	if bad >= 0 {
		r := from + bad
		return stream.Errorf("%s: row %d, id %q: %s gives logits that are not finite", v.samples, b.First()+int64(r), b.ID(r), v.o.model())
	}
	return nil
}

// enumerate asks the model for every coalition of the loaded minibatch. It returns the first row with logits that are
// not finite, or -1.
func (v *valuer) enumerate(rows, from int) (bad int, err error) {
	bad = rows
	all := modality.All(v.n)
	for c := range all + 1 {
		logits := v.logits[:rows*v.classes]
		if err := v.model.Logits(c, logits); err != nil {
			return -1, err
		}
		for r := range rows {
			row := logits[r*v.classes:][:v.classes]
			if largestBits(row) >= infinityBits {
				bad = min(bad, r)
			}
			v.right[r<<v.n|int(c)] = isRight(row, int(v.result.Label[from+r]))
		}
		if c == all {
			copy(v.result.Logits[from*v.classes:], logits)
		}
	}
	if bad == rows {
		return -1, nil
	}
	return bad, nil
}

// summary adds up what the workers found.
func (v *valuer) summary() Summary {
	s := NewSummary(v.n)
	for _, w := range v.workers {
		s.Add(w.game.summary)
	}
	return s
}
