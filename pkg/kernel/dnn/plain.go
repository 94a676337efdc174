package dnn

import (
	"sync"

	"mmtools/pkg/kernel"
)

// Plain is the engine in Go. It computes what the native engine does, some ten times slower, and needs no library.
type Plain struct {
	threads int
	closed  bool
	bf16    bool
	call    call
	pool
	scratch []scratch    // one a part
	rounded [2][]float32 // what a convolution multiplies, in bfloat16
}

// call is the arguments of the kernel being run. They are kept here, not in a closure, so that a kernel allocates
// nothing; each kernel says what it puts where.
type call struct {
	y, x, w, residual, dy []float32
	scale, shift          []float32
	dgamma, dbeta         []float32
	norm                  Norm
	step                  kernel.NormStep
	n, frames             int
	conv                  kernel.Conv
	pool                  kernel.Pool
	image                 kernel.Image
	relu                  bool
}

// pool is the goroutines that kernels are cut over: the caller computes part 0 and worker i part i+1.
type pool struct {
	run     func(p *Plain, part, parts int)
	parts   int
	start   []chan struct{} // one a worker
	done    sync.WaitGroup
	workers sync.WaitGroup
}

// NewPlain starts an engine in Go. Close stops it.
func NewPlain(o Options) (*Plain, error) {
	threads, err := o.threads()
	if err != nil {
		return nil, err
	}
	p := &Plain{threads: threads, bf16: o.BF16, scratch: make([]scratch, threads)}
	for i := 1; i < threads; i++ {
		start := make(chan struct{}, 1)
		p.start = append(p.start, start)
		p.workers.Add(1)
		go p.work(i, start)
	}
	return p, nil
}

var _ Engine = (*Plain)(nil)

func (p *Plain) work(part int, start chan struct{}) {
	defer p.workers.Done()
	for range start {
		p.run(p, part, p.parts)
		p.done.Done()
	}
}

// split runs a kernel of so many items on as many goroutines as there are.
func (p *Plain) split(items int, run func(p *Plain, part, parts int)) {
	parts := max(1, min(p.threads, items))
	p.run, p.parts = run, parts
	p.done.Add(parts - 1)
	for i := range parts - 1 {
		p.start[i] <- struct{}{}
	}
	run(p, 0, parts)
	p.done.Wait()
	p.call = call{} // the slices are the caller's
}

// share gives part's share of n items.
func share(n, part, parts int) (from, to int) { return n * part / parts, n * (part + 1) / parts }

// Name returns "Go".
func (p *Plain) Name() string { return "Go" }

// Narrow returns false: maps are float32.
func (p *Plain) Narrow() bool { return false }

// AddMaps is of narrow engines.
func (p *Plain) AddMaps(y, a, b []float32, n int) {
	panic("dnn: the engine in Go has no maps of bfloat16")
}

// ReLUGradMaps is of narrow engines.
func (p *Plain) ReLUGradMaps(dx, dy, y []float32, n int) {
	panic("dnn: the engine in Go has no maps of bfloat16")
}

// Threads returns the number of goroutines that kernels run on.
func (p *Plain) Threads() int { return p.threads }

// Close ends the goroutines.
func (p *Plain) Close() error {
	if p.closed {
		return nil
	}
	for _, start := range p.start {
		close(start)
	}
	p.workers.Wait()
	p.closed = true
	return nil
}
