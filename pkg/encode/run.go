package encode

import (
	"context"
	"io"
	"runtime"
	"sync"
)

// RunOptions say how Run decodes.
type RunOptions struct {
	Threads  int           // 0: one for each core
	From, To int           // the rows decoded, From <= i < To; To 0 for all from From on
	Errors   Policy        // of what cannot be decoded; "" is Fail
	Report   func(Failure) // is told of each, where Errors is not Fail, in list order, on the caller's goroutine; may be nil
}

// group is a run of rows that one goroutine decodes; its memory is used again for a later one.
type group struct {
	first int
	rows  []Row
	store [][]any // tensors kept for each row
	used  int
	done  chan struct{} // receives once the rows are decoded
}

// groupBytes is about how much decoded data a group holds.
const groupBytes = 1 << 20

// Where clips are decoded, which is cheaper for many at once, a group has clipRows, as far as they hold no more than clipBytes.
const (
	clipRows  = 32
	clipBytes = 8 << 20
)

// tail is the part of the rows left, as its inverse, that a group takes at most; clips' groups have leastClips. It does not follow the number
// of threads: encoders see the same batches with any.
const (
	tail       = 8
	leastClips = 8
)

// Run decodes rows of src and calls emit with each in list order, on the caller's goroutine. The row is borrowed until emit returns.
// The first error in list order, of decoding or of emit, ends the run; so does ctx.
func Run(ctx context.Context, src Source, o RunOptions, emit func(*Row) error) (err error) {
	if o.Threads < 1 {
		o.Threads = runtime.GOMAXPROCS(0)
	}
	if o.To == 0 {
		o.To = src.Rows()
	}
	decoders := make([]Decoder, o.Threads)
	defer func() {
		for _, d := range decoders {
			if c, ok := d.(io.Closer); ok {
				if closeErr := c.Close(); err == nil {
					err = closeErr
				}
			}
		}
	}()
	for i := range decoders {
		if decoders[i], err = src.NewDecoder(); err != nil {
			return err
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	var workers sync.WaitGroup
	defer workers.Wait() // after cancel: no goroutine outlives the call
	defer cancel()

	least := 1
	if hasClips(src) {
		least = leastClips
	}
	free, work, pending := groups(src, o.Threads)
	workers.Go(func() {
		defer close(pending)
		defer close(work)
		for first := o.From; first < o.To; {
			select {
			case g := <-free:
				// The last groups are smaller and smaller, so that all goroutines end at about the same time.
				g.first, g.used = first, min(len(g.rows), o.To-first, max(least, (o.To-first+tail-1)/tail))
				first += g.used
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
				if ctx.Err() == nil {
					d.Decode(ctx, g.first, g.rows[:g.used], g.store)
				}
				g.done <- struct{}{}
			}
		})
	}
	for g := range pending {
		<-g.done
		if err := ctx.Err(); err != nil {
			return err // the group may be half filled
		}
		for i := range g.used {
			if err := o.emit(&g.rows[i], emit); err != nil {
				return err
			}
		}
		free <- g
	}
	return ctx.Err()
}

// emit hands a row on as the policy says.
func (o RunOptions) emit(row *Row, emit func(*Row) error) error {
	if len(row.Failures) == 0 {
		return emit(row)
	}
	if o.Errors == Fail || o.Errors == "" {
		return row.Failures[0].Err
	}
	if o.Report != nil {
		for _, f := range row.Failures {
			o.Report(f)
		}
	}
	if o.Errors == Skip {
		return nil
	}
	return emit(row)
}

// groups makes the groups, all free, and channels that hold every one of them, so that no send ever waits.
func groups(src Source, threads int) (free, work, pending chan *group) {
	samples := src.Samples()
	bytes := 0
	for p, m := range samples.Modalities {
		bytes += samples.Elements[p].Size() * m.Size()
	}
	rows := min(max(groupBytes/max(bytes, 1), 1), 64)
	if hasClips(src) {
		rows = max(rows, min(clipBytes/max(bytes, 1), clipRows))
	}
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

// hasClips says whether several rows are better decoded at once.
func hasClips(src Source) bool {
	s, ok := src.(interface{ hasClips() bool })
	return ok && s.hasClips()
}
