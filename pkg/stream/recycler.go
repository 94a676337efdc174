package stream

import (
	"sync"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

// recycler is an allocator that keeps the last blocks freed for the next requests, because the batches of one stream are
// alike in size and fresh memory would be zeroed, faulted in and collected for every one. Blocks come back from whichever
// goroutine releases a record last.
type recycler struct {
	mem memory.Allocator

	mu     sync.Mutex
	spare  [8][]byte // whole blocks, as they were allocated; nil where there is none
	next   int       // the slot to give up when none is free
	closed bool
}

func newRecycler(mem memory.Allocator) *recycler { return &recycler{mem: mem} }

// Allocate returns a spare block that fits well, or a fresh one. The memory is not zeroed.
func (r *recycler) Allocate(size int) []byte {
	if spare := r.take(size); spare != nil {
		return spare[:size]
	}
	return r.mem.Allocate(size)[:size:size]
}

// Reallocate grows b, within its own block where that is large enough.
func (r *recycler) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) {
		return b[:size]
	}
	return r.mem.Reallocate(size, b[:cap(b)])[:size:size]
}

// Free keeps b in place of an older spare block, which it frees.
func (r *recycler) Free(b []byte) {
	b = b[:cap(b)]
	r.mu.Lock()
	if !r.closed {
		slot := r.next
		for i, spare := range r.spare {
			if spare == nil {
				slot = i
				break
			}
		}
		r.spare[slot], b = b, r.spare[slot]
		r.next = (slot + 1) % len(r.spare)
	}
	r.mu.Unlock()
	if b != nil {
		r.mem.Free(b)
	}
}

// take returns a spare block of at least size bytes and at most about twice as many: what a small request holds is lost
// to a large one.
func (r *recycler) take(size int) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, spare := range r.spare {
		if spare != nil && size <= cap(spare) && cap(spare) <= 2*size+4096 {
			r.spare[i] = nil
			return spare
		}
	}
	return nil
}

// close frees the spare blocks; those that are still out are freed as they come back.
func (r *recycler) close() {
	r.mu.Lock()
	spare := r.spare
	r.spare, r.closed = [len(r.spare)][]byte{}, true
	r.mu.Unlock()
	for _, b := range spare {
		if b != nil {
			r.mem.Free(b)
		}
	}
}
