package network

import (
	"runtime"
	"sync"

	"mmtools/pkg/augment"
)

// preparer prepares the frames of one modality for an evaluation, rows in parallel.
type preparer struct {
	from, to int // elements of a sample as it is, and as the backbone sees it
	workers  []*augment.Worker
	out      []float32 // (rows, to)
}

// newPreparer returns the preparer of a modality for up to rows rows, nil where the backbone sees the samples as they are.
func newPreparer(c Channel, rows int) (*preparer, error) {
	t, err := c.Transform()
	if err != nil || t == (augment.Transform{}) {
		return nil, err
	}
	seen, err := c.Seen()
	if err != nil {
		return nil, err
	}
	p := &preparer{from: c.Size(), to: seen.Size(), out: make([]float32, rows*seen.Size())}
	for range runtime.GOMAXPROCS(0) {
		w, err := t.NewWorker(c.Shape)
		if err != nil {
			return nil, err
		}
		p.workers = append(p.workers, w)
	}
	return p, nil
}

// run prepares rows rows of x and returns them, in memory that the next run reuses.
func (p *preparer) run(x []float32, rows int) []float32 {
	var wait sync.WaitGroup
	for k, w := range p.workers {
		wait.Go(func() {
			for r := k; r < rows; r += len(p.workers) {
				w.Evaluate(p.out[r*p.to:][:p.to], x[r*p.from:][:p.from])
			}
		})
	}
	wait.Wait()
	return p.out[:rows*p.to]
}
