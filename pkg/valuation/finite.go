package valuation

import (
	"math"
	"sync"
	"sync/atomic"
	"unsafe"
)

// minRows is the fewest rows worth a goroutine that looks at them.
const minRows = 16

// finite reports whether every element of rows rows of x, a tensor of each modality's size a row, is finite, looked at by several
// workers. Rows that lack a modality may hold anything: where it reports false, the batch says which row it is, if any.
func finite(x [][]float32, sizes []int, rows, workers int) bool {
	workers = max(1, min(workers, rows/minRows))
	var bad atomic.Bool
	var group sync.WaitGroup
	for k := range workers {
		look := func() {
			for p, size := range sizes {
				if !allFinite(x[p][rows*k/workers*size : rows*(k+1)/workers*size]) {
					bad.Store(true)
				}
			}
		}
		if k == workers-1 {
			look()
		} else {
			group.Go(look)
		}
	}
	group.Wait()
	return !bad.Load()
}

// allFinite looks at the exponents alone: all ones is an infinity or NaN, and adding one to it carries into the sign. Two numbers at
// once, for no carry leaves either, and four sums, because a single one is a chain of as many steps as there are numbers.
func allFinite(x []float32) bool {
	const exponent, one = infinityBits, 1 << 23
	var odd uint32
	take := func(v float32) { odd |= math.Float32bits(v)&exponent + one }
	if len(x) > 0 && uintptr(unsafe.Pointer(&x[0]))%8 != 0 {
		take(x[0])
		x = x[1:]
	}
	if len(x)%2 != 0 {
		take(x[len(x)-1])
	}
	if len(x) < 2 {
		return odd>>31 == 0
	}
	const exponents, ones = exponent<<32 | exponent, one<<32 | one
	var a, b, c, d uint64
	pairs := unsafe.Slice((*uint64)(unsafe.Pointer(&x[0])), len(x)/2)
	for ; len(pairs) >= 4; pairs = pairs[4:] {
		a |= pairs[0]&exponents + ones
		b |= pairs[1]&exponents + ones
		c |= pairs[2]&exponents + ones
		d |= pairs[3]&exponents + ones
	}
	for _, pair := range pairs {
		a |= pair&exponents + ones
	}
	return (a|b|c|d)&(1<<63|1<<31) == 0 && odd>>31 == 0
}
