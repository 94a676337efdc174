package dnn

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"mmtools/pkg/kernel"
)

// Convolutions as matrix products (Chellapilla et al. 2006): the pixels that each place of the window sees become a
// column of a matrix, (C*KH*KW, places), made for a few places at a time.

// tile x places is the largest product that gonum computes without starting goroutines.
const (
	tile   = 64
	places = 3 * tile
)

// scratch is a part's own memory.
type scratch struct {
	columns []float32 // (C*KH*KW, places)
	product []float32 // (tile or K, places)
}

func (s *scratch) grow(columns, product int) {
	if len(s.columns) < columns {
		s.columns = make([]float32, columns)
	}
	if len(s.product) < product {
		s.product = make([]float32, product)
	}
}

// product writes c = a b + beta c, (m,n), with m <= tile and n <= places.
func product(ta, tb blas.Transpose, m, n, k int, a []float32, lda int, b []float32, ldb int, beta float32, c []float32, ldc int) {
	gonum.Implementation{}.Sgemm(ta, tb, m, n, k, 1, a, lda, b, ldb, beta, c, ldc)
}

// factor returns v, of n elements, as a convolution multiplies it: itself, or in bfloat16, in memory number slot, where the engine
// rounds convolutions of this shape.
func (p *Plain) factor(slot int, v []float32, n int, c kernel.Conv) []float32 {
	if !p.rounds(c) {
		return v
	}
	if len(p.rounded[slot]) < n {
		p.rounded[slot] = make([]float32, n)
	}
	kernel.RoundBF16(p.rounded[slot], v[:n])
	return p.rounded[slot]
}

// rounds tells whether a convolution multiplies in bfloat16: all do but those of few channels, the first of networks.
func (p *Plain) rounds(c kernel.Conv) bool { return p.bf16 && c.In.Blocked() && c.Out().Blocked() }

// Conv is kernel.Convolution's.
func (p *Plain) Conv(y, x, w []float32, n int, c kernel.Conv) {
	x, w = p.factor(0, x, n*c.In.Size(), c), p.factor(1, w, c.Weights(), c)
	p.call = call{y: y, x: x, w: w, n: n, conv: c}
	p.split(n, convPart)
}

// ConvAffine is kernel.Convolution's.
func (p *Plain) ConvAffine(y, x, w, scale, shift, residual []float32, n int, c kernel.Conv, relu bool) {
	if p.rounds(c) {
		x, w, scale = p.factor(0, x, n*c.In.Size(), c), p.scaled(w, scale, c), nil
	}
	p.call = call{y: y, x: x, w: w, scale: scale, shift: shift, residual: residual, n: n, conv: c, relu: relu}
	p.split(n, convPart)
}

// scaled returns the weights times their channel's scale, in bfloat16.
func (p *Plain) scaled(w, scale []float32, c kernel.Conv) []float32 {
	to := p.factor(1, w, c.Weights(), c)[:c.Weights()]
	for i := range to {
		to[i] = w[i] * scale[i/(len(to)/c.K)]
	}
	kernel.RoundBF16(to, to)
	return to
}

func convPart(p *Plain, part, parts int) {
	a, s := p.call, &p.scratch[part]
	out, depth := a.conv.Out(), a.conv.Weights()/a.conv.K
	s.grow(depth*places, tile*places)
	from, to := share(a.n, part, parts)
	for n := from; n < to; n++ {
		for q := 0; q < out.H*out.W; q += places {
			count := min(places, out.H*out.W-q)
			gather(s.columns, a.x, n, q, count, a.conv)
			for k := 0; k < out.C; k += tile {
				rows := min(tile, out.C-k)
				product(blas.NoTrans, blas.NoTrans, rows, count, depth, a.w[k*depth:], depth, s.columns, count, 0, s.product, count)
				for r := range rows {
					a.finish(s.product[r*count:][:count], n, k+r, q, out)
				}
			}
		}
	}
}

// finish writes the results v of channel k at places from q on, with what ConvAffine adds.
func (a *call) finish(v []float32, n, k, q int, out kernel.Image) {
	start, step := plane(out, n, k)
	at := start + q*step
	for _, v := range v {
		if a.scale != nil {
			v *= a.scale[k]
		}
		if a.shift != nil {
			v += a.shift[k]
			if a.residual != nil {
				v += a.residual[at]
			}
			if a.relu && v < 0 {
				v = 0
			}
		}
		a.y[at] = v
		at += step
	}
}

// ConvGradInput is kernel.Convolution's.
func (p *Plain) ConvGradInput(dx, dy, w []float32, n int, c kernel.Conv) {
	dy, w = p.factor(0, dy, n*c.Out().Size(), c), p.factor(1, w, c.Weights(), c)
	p.call = call{y: dx, dy: dy, w: w, n: n, conv: c}
	p.split(n, convGradInputPart)
}

func convGradInputPart(p *Plain, part, parts int) {
	a, s := p.call, &p.scratch[part]
	out, depth := a.conv.Out(), a.conv.Weights()/a.conv.K
	s.grow(tile*places, out.C*places)
	from, to := share(a.n, part, parts)
	clear(a.y[from*a.conv.In.Size() : to*a.conv.In.Size()])
	for n := from; n < to; n++ {
		for q := 0; q < out.H*out.W; q += places {
			count := min(places, out.H*out.W-q)
			gatherRows(s.product, a.dy, n, 0, out.C, q, count, out)
			for d := 0; d < depth; d += tile {
				rows := min(tile, depth-d)
				product(blas.Trans, blas.NoTrans, rows, count, out.C, a.w[d:], depth, s.product, count, 0, s.columns, count)
				for r := range rows {
					scatter(a.y, s.columns[r*count:][:count], n, d+r, q, a.conv)
				}
			}
		}
	}
}

// ConvGradWeight is kernel.Convolution's. Each part computes some output channels from all images: the sums do not
// depend on the number of parts.
func (p *Plain) ConvGradWeight(dw, dy, x []float32, n int, c kernel.Conv) {
	dy, x = p.factor(0, dy, n*c.Out().Size(), c), p.factor(1, x, n*c.In.Size(), c)
	p.call = call{w: dw, dy: dy, x: x, n: n, conv: c}
	p.split(c.K, convGradWeightPart)
}

func convGradWeightPart(p *Plain, part, parts int) {
	a, s := p.call, &p.scratch[part]
	out, depth := a.conv.Out(), a.conv.Weights()/a.conv.K
	s.grow(depth*places, out.C*places)
	from, to := share(out.C, part, parts)
	clear(a.w[from*depth : to*depth])
	for n := range a.n {
		for q := 0; q < out.H*out.W; q += places {
			count := min(places, out.H*out.W-q)
			gather(s.columns, a.x, n, q, count, a.conv)
			gatherRows(s.product, a.dy, n, from, to, q, count, out)
			for k := from; k < to; k += tile {
				rows := min(tile, to-k)
				for d := 0; d < depth; d += places {
					product(blas.NoTrans, blas.Trans, rows, min(places, depth-d), count, s.product[(k-from)*count:], count,
						s.columns[d*count:], count, 1, a.w[k*depth+d:], depth)
				}
			}
		}
	}
}
