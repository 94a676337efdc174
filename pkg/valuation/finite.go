package valuation

import (
	"math"
	"sync"
	"sync/atomic"

	"mmtools/pkg/network"
)

// finite reports whether every element of a minibatch is finite, looked at by all workers while the rows are on their way
// into the caches for the model anyway. Rows that lack a modality may hold anything: where it reports false, the batch says
// which row it is, if any.
func (v *valuer) finite(m *network.Minibatch) bool {
	workers := max(1, min(len(v.workers), m.Rows/minRows))
	var bad atomic.Bool
	var group sync.WaitGroup
	for k := range workers {
		look := func() {
			for p, size := range v.loader.sizes {
				if !allFinite(m.X[p][m.Rows*k/workers*size : m.Rows*(k+1)/workers*size]) {
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

// allFinite looks at the exponents alone: all ones is an infinity or NaN, and adding one to it carries into the sign. Four
// sums at once, because a single one is a chain of as many steps as there are numbers.
func allFinite(x []float32) bool {
	const exponent, one = infinityBits, 1 << 23
	var a, b, c, d uint32
	for ; len(x) >= 4; x = x[4:] {
		a |= math.Float32bits(x[0])&exponent + one
		b |= math.Float32bits(x[1])&exponent + one
		c |= math.Float32bits(x[2])&exponent + one
		d |= math.Float32bits(x[3])&exponent + one
	}
	for _, v := range x {
		a |= math.Float32bits(v)&exponent + one
	}
	return (a|b|c|d)>>31 == 0
}
