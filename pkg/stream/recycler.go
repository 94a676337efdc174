package stream

import (
	"sync"

	"github.com/apache/arrow/go/v17/arrow/memory"
)

// recycler is an allocator that keeps the last block freed for the next request, because the bodies of one stream are
// alike in size and fresh memory would be zeroed and collected for every batch. Blocks come back from whichever goroutine
// releases a record last.
type recycler struct {
	mem memory.Allocator

	mu     sync.Mutex
	spare  []byte // nil when there is none
	closed bool
}

func newRecycler(mem memory.Allocator) *recycler { return &recycler{mem: mem} }

// Allocate returns the spare block where it is large enough, or a fresh one. The memory is not zeroed.
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

// Free keeps the larger of b and the spare block and frees the other.
func (r *recycler) Free(b []byte) {
	b = b[:cap(b)] // the whole block, as it was allocated
	r.mu.Lock()
	if !r.closed && cap(b) > cap(r.spare) {
		b, r.spare = r.spare, b
	}
	r.mu.Unlock()
	if b != nil {
		r.mem.Free(b)
	}
}

func (r *recycler) take(size int) (spare []byte) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if size <= cap(r.spare) {
		spare, r.spare = r.spare, nil
	}
	return spare
}

// close frees the spare block; blocks that are still out are freed as they come back.
func (r *recycler) close() {
	r.mu.Lock()
	spare := r.spare
	r.spare, r.closed = nil, true
	r.mu.Unlock()
	if spare != nil {
		r.mem.Free(spare)
	}
}
