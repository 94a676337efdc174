package valuation

import (
	"context"
	"errors"
	"io"
	"runtime"
	"slices"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// Run values every modality of every sample of a stream, batch by batch: it reads a batch, gives the model every coalition
// of every row, or those that an estimator draws, calls emit, and goes on. emit's arguments are borrowed until it returns;
// rows of the batch that Options leave out are not in the Result. The next batch is read meanwhile, on another goroutine, and a
// model that is a Queue takes it in before emit is called with this one; the model and emit are called on the caller's goroutine. in is Run's
// until it returns, which it does not while a read is under way.
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
	v.emit = emit
	f := v.feed(in)
	defer f.stop()
	defer v.discard()
	if v.pool != nil {
		defer v.pool.start(v.workers)()
	}
	v.free = f.free
	for {
		if err := ctx.Err(); err != nil {
			return Summary{}, err
		}
		b, err := v.next(f)
		if err == nil {
			err = v.take(ctx, b)
		}
		if err == nil {
			continue
		}
		// What was taken in before comes first in the stream, whatever is wrong with this.
		if err := v.finishAll(); err != nil {
			return Summary{}, err
		}
		if errors.Is(err, io.EOF) {
			return v.summary(), nil
		}
		return Summary{}, err
	}
}

// next returns the next batch. Where there is none to take in yet, what is computed does not wait for it.
func (v *valuer) next(f *feed) (*batch, error) {
	var b *batch
	select {
	case b = <-f.read:
	default:
		if err := v.finishAll(); err != nil {
			return nil, err
		}
		b = <-f.read
	}
	return b, b.err
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
	shows   bool    // what is not finite in the logits
	sums    Summary // of what is not summed up by the workers
	found           // of the minibatch being valued, where minibatches are not queued
	emit    func(*schema.SamplesBatch, *Result) error
	free    chan<- *batch // takes those that are emitted

	queue       Queue               // the model, where minibatches are queued: it is one of the next two
	additive    QueuedAdditive      // nil where the model is none
	whole       QueuedWhole         // likewise
	pieces      []piece             // queued, the oldest first
	pool        *pool               // values them
	failed      error               // of the first of them that could not be valued
	minibatches []network.Minibatch // for the pieces, in turns
	turn        int
	batches     int       // that are taken in and not emitted
	logits      []float32 // where none is queued: of one coalition, (Rows,C)
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
	v.minibatches = make([]network.Minibatch, 1)
	additive, isAdditive := p.(Additive)
	switch {
	case isAdditive:
		var ok bool
		if v.additive, ok = p.(QueuedAdditive); !ok {
			v.additive = oneByOne{additive}
		}
		v.queue = v.additive
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
		if w, ok := p.(QueuedWhole); ok && o.Replacement == nil && w.Depth() > 0 {
			v.whole, v.queue, v.logits, v.right, v.values = w, w, nil, nil, nil
		}
	}
	for range threads {
		v.workers = append(v.workers, newWorker(v))
	}
	if v.queue != nil {
		v.pool = newPool(v)
		v.minibatches = make([]network.Minibatch, v.queue.Depth()+len(v.pool.free))
	}
	return v, nil
}

// take values a batch, or takes it in to be valued when what follows is taken in.
func (v *valuer) take(ctx context.Context, b *batch) error {
	if err := v.label(b); err != nil {
		return err
	}
	// Rows that are valued keep their batch: there are as many as minibatches may be queued, and one.
	for v.queue != nil && v.batches > v.queue.Depth() {
		if err := v.oldest(); err != nil {
			return err
		}
	}
	v.batches++
	rows := b.result.Rows
	for from := 0; from < rows; from += v.rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		to := min(from+v.rows, rows)
		m := &v.minibatches[v.turn]
		v.turn = (v.turn + 1) % len(v.minibatches)
		v.loader.load(m, b.samples, b.from+from, b.from+to)
		if !v.shows && !b.finite && !finite(m.X, v.loader.sizes, m.Rows, len(v.workers)) {
			if err := b.samples.CheckFinite(); err != nil {
				return err
			}
		}
		if err := v.piece(piece{b, m, from, to == rows}); err != nil {
			return err
		}
	}
	return nil
}

// label takes in what is said of the rows of a batch.
func (v *valuer) label(b *batch) error {
	r := &b.result
	r.reset(b.to-b.from, v.n, v.classes, v.o)
	r.First = b.from
	for i := range r.Rows {
		label, at := b.samples.Label(b.from+i), b.samples.Row(b.from+i)
		if label < 0 && !v.o.Predicted {
			return stream.Errorf("%s: row %d, id %q: %w", v.samples, at, b.samples.ID(b.from+i), ErrUnlabelled)
		}
		if int(label) >= v.classes {
			return stream.Errorf("%s: row %d, id %q: label %d, want 0 to %d", v.samples, at, b.samples.ID(b.from+i), label, v.classes-1)
		}
		r.Label[i], r.At[i] = label, at
	}
	return nil
}

// piece is a minibatch of a batch.
type piece struct {
	batch *batch
	*network.Minibatch
	from int  // of the batch's result
	last bool // of the batch
}

// piece gives the model a minibatch. One that can be queued is valued when no more can.
func (v *valuer) piece(p piece) error {
	if v.queue != nil {
		if err := v.queue.Queue(p.Minibatch); err != nil {
			return err
		}
		if v.pieces = append(v.pieces, p); len(v.pieces) < v.queue.Depth() {
			return nil
		}
		return v.finish()
	}
	v.found.result = &p.batch.result
	if err := v.model.Load(p.Minibatch); err != nil {
		return err
	}
	var bad int
	var err error
	if v.o.Estimator.Sampled() {
		bad, err = v.sampleTogether(p.Minibatch, p.from)
	} else if bad, err = v.enumerate(p.Minibatch, p.from); err == nil && bad < 0 {
		bad = v.divide(p.Rows, func(w *worker, r int) bool {
			var values []float64
			if v.values != nil {
				values = v.values[r<<v.n:][:1<<v.n]
			}
			w.enumerated(p.Minibatch, r, p.from+r, v.right[r<<v.n:][:1<<v.n], values)
			return true
		})
	}
	if err != nil {
		return err
	}
	return v.done(p, bad)
}

// finish has the minibatch that was queued first valued. After an error none is valued any more.
func (v *valuer) finish() error {
	if v.failed == nil && len(v.pool.free) == 0 {
		v.failed = v.settle()
	}
	if v.failed != nil {
		return v.failed
	}
	j := v.pool.take()
	if v.failed = v.collect(j); v.failed != nil {
		v.pool.give(j)
		return v.failed
	}
	v.pool.value(j, v)
	return nil
}

// collect takes the minibatch that was queued first, and what the model found of it.
func (v *valuer) collect(j *job) error {
	j.piece = v.pieces[0]
	v.pieces = slices.Delete(v.pieces, 0, 1)
	j.result = &j.batch.result
	if v.whole != nil {
		j.logits = resize(j.logits, j.Rows*v.classes<<v.n)
		return v.whole.CollectLogits(j.logits)
	}
	j.parts, j.bias = resize(j.parts, v.n*j.Rows*v.classes), resize(j.bias, v.classes)
	return v.additive.Collect(j.parts, j.bias)
}

// settle waits until the minibatch is valued that came first of those that are being valued.
func (v *valuer) settle() error {
	j, bad := v.pool.wait()
	defer v.pool.give(j)
	return v.done(j.piece, bad)
}

// oldest brings the minibatch that came first of all nearer to its end.
func (v *valuer) oldest() error {
	if len(v.pool.valuing) == 0 {
		return v.finish()
	}
	if v.failed == nil {
		v.failed = v.settle()
	}
	return v.failed
}

// finishAll values all minibatches that are queued.
func (v *valuer) finishAll() error {
	for v.pool != nil && len(v.pieces)+len(v.pool.valuing) > 0 {
		if err := v.oldest(); err != nil {
			return err
		}
	}
	return v.failed
}

// discard leaves nothing queued and nothing being valued: the model may be used again.
func (v *valuer) discard() {
	if v.pool == nil {
		return
	}
	for len(v.pool.valuing) > 0 {
		j, _ := v.pool.wait()
		v.pool.give(j)
	}
	j := v.pool.take()
	for len(v.pieces) > 0 && v.collect(j) == nil { // after an error the model is of no use any more
	}
}

// done emits the batch of a minibatch that is valued, if it is the batch's last. bad is its first row with logits that are not finite,
// or -1.
func (v *valuer) done(p piece, bad int) error {
	b := p.batch
	if bad >= 0 {
		if err := b.samples.CheckFinite(); err != nil {
			return err
		}
		r := p.from + bad
		return stream.Errorf("%s: row %d, id %q: %s gives logits that are not finite", v.samples, b.result.At[r], b.samples.ID(b.from+r), v.o.model())
	}
	if !p.last {
		return nil
	}
	if v.sums.Sum != nil {
		for r := range b.result.Rows { // in order: sums of floats depend on it
			v.sums.take(b.result.Phi[r*v.n:][:v.n])
		}
	}
	if err := v.emit(b.samples, &b.result); err != nil {
		return err
	}
	b.release()
	v.free <- b
	v.batches--
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
