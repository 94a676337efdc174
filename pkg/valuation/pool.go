package valuation

import (
	"sync"

	"mmtools/pkg/network"
)

// job is a minibatch that is being valued.
type job struct {
	piece
	found
	bad  []int // by task: its first row with logits that are not finite, or -1
	left sync.WaitGroup
}

// task is a run of a job's rows.
type task struct {
	*job
	number, from, to int
}

// pool values minibatches while the next are given to the model: the workers take runs of their rows as they come. All its methods are
// called by one goroutine.
type pool struct {
	free    []*job
	valuing []*job // in the order of their rows
	tasks   chan task
	alone   *worker // does all of it at once; nil where there are several
	row     func(w *worker, m *network.Minibatch, r, at int) bool
}

// How many minibatches may be valued at once: of few coalitions a row one is not enough for many cores, and the logits of all coalitions
// may be much memory.
const mostJobs, mostWhole = 4, 2

func newPool(v *valuer) *pool {
	p := &pool{row: (*worker).additive}
	n := mostJobs
	if v.whole != nil {
		p.row, n = (*worker).answered, mostWhole
	}
	for range n {
		p.free = append(p.free, new(job))
	}
	return p
}

// start sets the workers to work, where there are several, until stop is called.
func (p *pool) start(workers []*worker) (stop func()) {
	if len(workers) == 1 {
		p.alone = workers[0]
		return func() {}
	}
	p.tasks = make(chan task, len(p.free)*len(workers)) // nobody waits to put one in
	var group sync.WaitGroup
	for _, w := range workers {
		group.Go(func() {
			for t := range p.tasks {
				p.do(w, t)
			}
		})
	}
	return func() {
		close(p.tasks)
		group.Wait()
	}
}

func (p *pool) do(w *worker, t task) {
	w.found = &t.found
	t.bad[t.number] = w.rows(t.from, t.to, func(w *worker, r int) bool { return p.row(w, t.Minibatch, r, t.job.from+r) })
	t.left.Done()
}

// take returns a job that is free.
func (p *pool) take() *job {
	j := p.free[len(p.free)-1]
	p.free = p.free[:len(p.free)-1]
	return j
}

func (p *pool) give(j *job) { p.free = append(p.free, j) }

// value has a job valued.
func (p *pool) value(j *job, v *valuer) {
	n := max(1, min(len(v.workers), j.Rows/v.o.fewest(v.n)))
	j.bad = resize(j.bad, n)
	j.left.Add(n)
	p.valuing = append(p.valuing, j)
	for k := range n {
		t := task{j, k, j.Rows * k / n, j.Rows * (k + 1) / n}
		if p.alone != nil {
			p.do(p.alone, t)
		} else {
			p.tasks <- t
		}
	}
}

// wait waits for the job that came first, and returns it with its first row that could not be valued, or -1.
func (p *pool) wait() (j *job, bad int) {
	j = p.valuing[0]
	p.valuing = append(p.valuing[:0], p.valuing[1:]...)
	j.left.Wait()
	return j, first(j.bad)
}
