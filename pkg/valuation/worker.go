package valuation

import (
	"math/bits"
	"sync"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/shapley"
)

// worker values rows of minibatches; each goroutine has its own.
type worker struct {
	v       *valuer
	game    *game
	right   []bool // (2^n), where the result does not hold them
	sweeper *sweeper
	walker  *walker
	chains  []chain // one a draw

	*found              // of the minibatch
	label     int       // of the row
	all       []bool    // (2^n), where the logits of every coalition are known
	allValues []float64 // likewise
	won       []bool    // (2^m)
	finite    bool
}

func newWorker(v *valuer) *worker {
	w := &worker{v: v, game: newGame(v.n, v.o), sweeper: newSweeper(v.n, v.classes), walker: newWalker(v.n, v.classes)}
	w.walker.leaf = w.leaf
	if v.o.Estimator.Sampled() {
		w.chains = make([]chain, v.o.Replacement.Draws())
		return w
	}
	if v.n > MaxRight || v.o.drawn() {
		w.right = make([]bool, 1<<v.n)
	}
	if v.whole != nil {
		w.all = make([]bool, 1<<v.n)
		if !v.o.plain() {
			w.allValues = make([]float64, 1<<v.n)
		}
	}
	return w
}

// found is what is known of a minibatch before its rows are valued.
type found struct {
	result *Result   // where what is found goes
	parts  []float32 // additive: (n,Rows,C)
	bias   []float32 // additive: (C)
	logits []float32 // otherwise, where they are all known: of every coalition, (2^n,Rows,C)
}

// leastWork is how many coalitions are worth a goroutine.
const leastWork = 1024

// fewest returns how many rows are worth a goroutine: one, where a sample has a thousand coalitions.
func (o Options) fewest(n int) int {
	coalitions := o.Rule.Evaluations
	if !o.Estimator.Sampled() {
		coalitions = 1 << n
	}
	return max(1, leastWork/coalitions)
}

// divide calls f for every row of a minibatch, a run of consecutive rows a worker, and returns the first row for which f
// reports false, or -1.
func (v *valuer) divide(rows int, f func(w *worker, r int) bool) int {
	workers := v.workers[:max(1, min(len(v.workers), rows/v.o.fewest(v.n)))]
	bad := make([]int, len(workers))
	var group sync.WaitGroup
	for k, w := range workers {
		from, to := rows*k/len(workers), rows*(k+1)/len(workers)
		w.found = &v.found
		run := func() { bad[k] = w.rows(from, to, f) }
		if k == len(workers)-1 {
			run()
		} else {
			group.Go(run)
		}
	}
	group.Wait()
	return first(bad)
}

// rows calls f for rows from to to, and returns the first for which f reports false, or -1.
func (w *worker) rows(from, to int, f func(w *worker, r int) bool) int {
	for r := from; r < to; r++ {
		if !f(w, r) {
			return r
		}
	}
	return -1
}

// first returns the first that is not negative, or -1.
func first(bad []int) int {
	for _, r := range bad {
		if r >= 0 {
			return r
		}
	}
	return -1
}

// additive values row r of the loaded minibatch, row at of the result, from its additive parts.
func (w *worker) additive(m *network.Minibatch, r, at int) bool {
	v := w.v
	present := m.Keep[r]
	s := w.sweeper
	s.parts = s.parts[:0]
	for p := range present.Members() {
		s.parts = append(s.parts, w.parts[(p*m.Rows+r)*v.classes:][:v.classes])
	}
	logits := w.result.Logits[at*v.classes:][:v.classes]
	w.label = int(w.result.Label[at])
	if v.o.Predicted || v.o.Estimator.Sampled() {
		s.sum(w.bias, logits)
		if v.o.Predicted {
			w.label = int(argmax(logits))
		}
	}
	if v.o.Estimator.Sampled() {
		return w.sampled(present, logits, at)
	}
	right := w.rightOf(at)
	w.won = right
	if len(s.parts) < v.n {
		w.won = w.game.won[:1<<len(s.parts)]
	}
	var values []float64
	if v.o.plain() {
		if !s.sweep(w.bias, w.label, logits, w.won) {
			return false
		}
	} else {
		values = w.game.values[:len(w.won)]
		if !w.walk(present, logits) {
			return false
		}
	}
	if len(s.parts) < v.n {
		spread(present, w.won, right)
	}
	w.value(present, w.won, values, right, logits, at)
	return true
}

// walk fills game.values and won with what every coalition of the parts is, and logits with those of them all.
func (w *worker) walk(present modality.Coalition, logits []float32) bool {
	v := w.v
	w.finite = true
	values := w.game.values[:len(w.won)]
	clear(values)
	w.walker.parts = w.sweeper.parts
	draws := v.o.Replacement.Draws()
	for draw := range draws {
		w.walker.absent = v.o.Replacement.parted(w.walker.absent[:0], draw, present)
		w.walker.walk(w.bias)
	}
	if draws > 1 {
		for c := range values {
			values[c] /= float64(draws)
		}
	}
	w.sweeper.sum(w.bias, logits)
	return w.finite
}

// leaf takes in the logits of coalition c.
func (w *worker) leaf(c int, logits []float32) {
	w.finite = w.finite && largestBits(logits) < infinityBits
	if !w.finite {
		return
	}
	w.game.values[c] += w.v.o.Value.Of(logits, w.label, bits.OnesCount(uint(c)))
	w.won[c] = isRight(logits, w.label)
}

// answered values row r of a minibatch, row at of the result, from the logits of every coalition.
func (w *worker) answered(m *network.Minibatch, r, at int) bool {
	v := w.v
	logits := func(c modality.Coalition) []float32 { return w.logits[(int(c)*m.Rows+r)*v.classes:][:v.classes] }
	all := modality.All(v.n)
	copy(w.result.Logits[at*v.classes:][:v.classes], logits(all))
	label := int(w.result.Label[at])
	if v.o.Predicted {
		label = int(argmax(logits(all)))
	}
	for c := range all + 1 {
		x := logits(c)
		if largestBits(x) >= infinityBits {
			return false
		}
		w.all[c] = isRight(x, label)
		if w.allValues != nil {
			w.allValues[c] = v.o.Value.Of(x, label, (c & m.Keep[r]).Size())
		}
	}
	w.enumerated(m, r, at, w.all, w.allValues)
	return true
}

// enumerated values row r of a minibatch, row at of the result, from what its coalitions are, (2^n): right, and worth values, which may be
// nil where what is right tells that.
func (w *worker) enumerated(m *network.Minibatch, r, at int, right []bool, all []float64) {
	v := w.v
	present := m.Keep[r]
	if w.result.Right != nil {
		copy(w.rightOf(at), right)
	}
	won := w.game.won[:1<<present.Size()]
	gather(present, right, won)
	var values []float64
	if all != nil {
		values = w.game.values[:len(won)]
		gather(present, all, values)
	}
	w.value(present, won, values, right, w.result.Logits[at*v.classes:][:v.classes], at)
}

// rightOf returns where what the coalitions of row at got right goes.
func (w *worker) rightOf(at int) []bool {
	if w.right != nil {
		return w.right
	}
	return w.result.Right[at<<w.v.n:][:1<<w.v.n]
}

// value completes row at of the result.
func (w *worker) value(present modality.Coalition, won []bool, values []float64, right []bool, logits []float32, at int) {
	v := w.v
	w.finish(logits, at)
	if w.game.summary.Right != nil {
		w.game.count(right)
	}
	w.game.value(present, won, values, w.result.Phi[at*v.n:][:v.n])
	if v.o.Cooperation {
		w.result.Cooperation[at] = shapley.Cooperation(values)
	}
	if v.o.Interactions {
		pairs := v.n * (v.n - 1) / 2
		w.game.interactions(present, values, w.result.Interactions[at*pairs:][:pairs])
	}
}

// finish takes in what the sample is classified as.
func (w *worker) finish(logits []float32, at int) {
	prediction := argmax(logits)
	w.result.Prediction[at] = prediction
	label := w.result.Label[at]
	if w.v.o.Predicted {
		label = prediction
	}
	w.game.summary.Samples++
	if prediction == label {
		w.game.summary.Correct++
	}
}
