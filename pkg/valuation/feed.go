package valuation

import (
	"sync"

	"mmtools/pkg/schema"
)

// batch is some consecutive samples on their way through a valuation.
type batch struct {
	samples  *schema.SamplesBatch // retained; nil once it is released
	from, to int                  // its rows to value
	finite   bool                 // what the model takes of them was looked at, and is finite
	err      error                // in place of all that: nothing follows. io.EOF at the end
	result   Result
}

func (b *batch) release() {
	if b.samples != nil {
		b.samples.Release()
		b.samples = nil
	}
}

// feed reads batches on a goroutine of its own, so that reading goes on while the model computes.
type feed struct {
	read     chan *batch // in order; the last one has an error
	free     chan *batch // to be filled
	stopping chan struct{}
	reader   sync.WaitGroup
	all      []*batch
}

// feed begins to read the samples, one batch ahead of those that are being valued.
func (v *valuer) feed(in *schema.SamplesReader) *feed {
	n := 2
	if v.queue != nil {
		n += v.queue.Depth()
	}
	f := &feed{read: make(chan *batch), free: make(chan *batch, n), stopping: make(chan struct{})}
	for range n {
		b := new(batch)
		f.all = append(f.all, b)
		f.free <- b
	}
	f.reader.Go(func() {
		for {
			select {
			case b := <-f.free:
				b.err = v.read(in, b)
				last := b.err != nil
				select {
				case f.read <- b:
				case <-f.stopping:
					return
				}
				if last {
					return
				}
			case <-f.stopping:
				return
			}
		}
	})
	return f
}

// stop ends the reading, once a read that is under way is done, and releases what is not emitted.
func (f *feed) stop() {
	close(f.stopping)
	f.reader.Wait()
	for _, b := range f.all {
		b.release()
	}
}

// read fills b with the next batch that has rows to value.
func (v *valuer) read(in *schema.SamplesReader, b *batch) error {
	for {
		samples, err := in.Next()
		if err != nil {
			return err
		}
		from, to := v.o.within(samples.First(), samples.Rows())
		if from >= to {
			continue // read on: a stream is good to its end, or not
		}
		if v.o.Fold == nil {
			samples.Retain()
		} else {
			if samples, err = samples.Pick(from, to, v.o.Fold.Has); err != nil {
				return err
			}
			if samples == nil {
				continue
			}
			from, to = 0, samples.Rows()
		}
		b.samples, b.from, b.to = samples, from, to
		b.finite = v.queue != nil && v.queue.Depth() > 1 && !v.shows && v.loader.finite(samples, from, to, len(v.workers))
		return nil
	}
}
