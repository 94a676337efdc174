package encode

import (
	"context"
	"runtime"
	"sync"
)

// group is a run of rows that one goroutine decodes; its memory is used again for a later one.
type group struct {
	first int
	rows  []Row
	store [][]any // tensors kept for each row
	used  int
	err   error         // of row first+used
	done  chan struct{} // receives once the rows are decoded
}

// groupBytes is about how much decoded data a group holds.
const groupBytes = 1 << 20

// Run decodes every row of src on threads goroutines (0: one for each core) and calls emit with each in list order, on the
// caller's goroutine. The row is borrowed until emit returns. The first error in list order, of decoding or of emit, ends the run;
// so does ctx.
func Run(ctx context.Context, src Source, threads int, emit func(*Row) error) error {
	if threads < 1 {
		threads = runtime.GOMAXPROCS(0)
	}
	decoders := make([]Decoder, threads)
	for i := range decoders {
		var err error
		if decoders[i], err = src.NewDecoder(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait() // after cancel: no goroutine outlives the call
	defer cancel()

	free, work, pending := groups(src, threads)
	workers.Go(func() {
		defer close(pending)
		defer close(work)
		for first := 0; first < src.Rows(); {
			select {
			case g := <-free:
				g.first, g.used, g.err = first, 0, nil
				first += len(g.rows)
				work <- g
				pending <- g
			case <-ctx.Done():
				return
			}
		}
	})
	for _, d := range decoders {
		workers.Go(func() {
			for g := range work {
				g.decode(ctx, d, src.Rows())
				g.done <- struct{}{}
			}
		})
	}
	for g := range pending {
		<-g.done
		for i := range g.used {
			if err := emit(&g.rows[i]); err != nil {
				return err
			}
		}
		if g.err != nil {
			return g.err
		}
		free <- g
	}
	return ctx.Err()
}

// groups makes the groups, all free, and channels that hold every one of them, so that no send ever waits.
func groups(src Source, threads int) (free, work, pending chan *group) {
	samples := src.Samples()
	bytes := 0
	for _, m := range samples.Modalities {
		bytes += 4 * m.Size()
	}
	rows := min(max(groupBytes/max(bytes, 1), 1), 64)
	n := 2*threads + 2
	free, work, pending = make(chan *group, n), make(chan *group, n), make(chan *group, n)
	for range n {
		g := &group{rows: make([]Row, rows), store: make([][]any, rows), done: make(chan struct{}, 1)}
		for i := range g.rows {
			g.rows[i].Tensors = make([]any, len(samples.Modalities))
			g.store[i] = make([]any, len(samples.Modalities))
		}
		free <- g
	}
	return free, work, pending
}

// decode fills the group's rows up to the end of the list or the first error.
func (g *group) decode(ctx context.Context, d Decoder, end int) {
	for i := range g.rows {
		if g.first+i == end {
			return
		}
		if g.err = ctx.Err(); g.err != nil {
			return
		}
		if g.err = d.Decode(g.first+i, &g.rows[i], g.store[i]); g.err != nil {
			return
		}
		g.used++
	}
}
