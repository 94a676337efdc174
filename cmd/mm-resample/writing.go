package main

import (
	"fmt"
	"sync/atomic"

	"mmtools/pkg/resample"
	"mmtools/pkg/schema"
)

// writing writes plan rows on a core of its own, while the next are planned: writing takes about as long as planning.
type writing struct {
	w      *schema.PlanWriter
	jobs   chan *job // in order
	free   chan *job
	done   chan struct{}
	failed atomic.Bool
	err    error // set before failed, and read after it or done
}

// job is plan rows of a batch, which is retained until they are written.
type job struct {
	batch *schema.ContributionsBatch
	picks resample.Picks
}

// ahead is how many batches of plan rows may wait to be written.
const ahead = 2

func newWriting(w *schema.PlanWriter) *writing {
	t := &writing{w: w, jobs: make(chan *job, ahead), free: make(chan *job, ahead), done: make(chan struct{})}
	for range ahead {
		t.free <- &job{}
	}
	go t.run()
	return t
}

func (t *writing) run() {
	defer close(t.done)
	for j := range t.jobs {
		if !t.failed.Load() {
			if err := t.write(j); err != nil {
				t.err = fmt.Errorf("writing the plan: %w", err)
				t.failed.Store(true)
			}
		}
		j.batch.Release()
		t.free <- j
	}
}

func (t *writing) write(j *job) error {
	return t.w.AppendOf(j.batch, j.picks.Index, j.picks.Keep, j.picks.Weight)
}

// emit hands rows on to be written; it returns the error of earlier ones.
func (t *writing) emit(b rows, picks *resample.Picks) error {
	j := <-t.free
	if t.failed.Load() {
		t.free <- j
		return t.err
	}
	j.batch = b.source()
	j.batch.Retain()
	j.picks.Index = append(j.picks.Index[:0], picks.Index...)
	j.picks.Keep = append(j.picks.Keep[:0], picks.Keep...)
	j.picks.Weight = append(j.picks.Weight[:0], picks.Weight...)
	t.jobs <- j
	return nil
}

// finish waits until everything is written. It is called once.
func (t *writing) finish() error {
	close(t.jobs)
	<-t.done
	return t.err
}
