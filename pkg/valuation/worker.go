package valuation

import (
	"sync"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
)

// worker values rows of minibatches; each goroutine has its own.
type worker struct {
	v       *valuer
	sweeper *sweeper
	game    *game
	right   []bool // (2^n), where the result does not hold them
}

func newWorker(v *valuer) *worker {
	w := &worker{v: v, sweeper: newSweeper(v.n, v.classes), game: newGame(v.n)}
	if v.n > MaxRight {
		w.right = make([]bool, 1<<v.n)
	}
	return w
}

// minRows is the fewest rows worth a goroutine.
const minRows = 16

// divide calls f for every row of a minibatch, a run of consecutive rows a worker, and returns the first row for which f
// reports false, or -1.
func (v *valuer) divide(rows int, f func(w *worker, r int) bool) int {
	workers := v.workers[:max(1, min(len(v.workers), rows/minRows))]
	bad := make([]int, len(workers))
	var group sync.WaitGroup
	for k, w := range workers {
		from, to := rows*k/len(workers), rows*(k+1)/len(workers)
		bad[k] = -1
		run := func() {
			for r := from; r < to; r++ {
				if !f(w, r) {
					bad[k] = r
					return
				}
			}
		}
		if k == len(workers)-1 {
			run()
		} else {
			group.Go(run)
		}
	}
	group.Wait()
	for _, r := range bad {
		if r >= 0 {
			return r
		}
	}
	return -1
}

// additive values row r of the loaded minibatch, row at of the batch, from its additive parts.
func (w *worker) additive(m *network.Minibatch, r, at int) bool {
	v := w.v
	present := m.Keep[r]
	s := w.sweeper
	s.parts = s.parts[:0]
	for p := range present.Members() {
		s.parts = append(s.parts, v.parts[(p*m.Rows+r)*v.classes:][:v.classes])
	}
	right := w.rightOf(at)
	won := right
	if len(s.parts) < v.n {
		won = w.game.won[:1<<len(s.parts)]
	}
	logits := v.result.Logits[at*v.classes:][:v.classes]
	if !s.sweep(v.bias, int(v.result.Label[at]), logits, won) {
		return false
	}
	if len(s.parts) < v.n {
		spread(present, won, right)
	}
	w.value(present, won, right, logits, at)
	return true
}

// enumerated values row r of the loaded minibatch, row at of the batch, from what its coalitions got right.
func (w *worker) enumerated(m *network.Minibatch, r, at int) bool {
	v := w.v
	present := m.Keep[r]
	right := v.right[r<<v.n:][:1<<v.n]
	if v.result.Right != nil {
		copy(w.rightOf(at), right)
	}
	won := w.game.won[:1<<present.Size()]
	gather(present, right, won)
	w.value(present, won, right, v.result.Logits[at*v.classes:][:v.classes], at)
	return true
}

// rightOf returns where what the coalitions of row at got right goes.
func (w *worker) rightOf(at int) []bool {
	if w.right != nil {
		return w.right
	}
	return w.v.result.Right[at<<w.v.n:][:1<<w.v.n]
}

// value completes row at of the result.
func (w *worker) value(present modality.Coalition, won, right []bool, logits []float32, at int) {
	w.v.result.Prediction[at] = argmax(logits)
	w.game.count(right)
	w.game.value(present, won, w.v.result.Phi[at*w.v.n:][:w.v.n])
}
