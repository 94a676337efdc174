//go:build !(openblas && cgo && linux)

package cpu

import (
	"math"

	"mmtools/pkg/kernel"
)

// squaresBlock is the elements of one partial sum of squares, whatever the number of threads.
const squaresBlock = 8192

// ClipScale writes min(1, maxNorm / (‖g‖ + 1e-6)) to scale[0].
func (d *Device) ClipScale(scale, g kernel.Buffer, n int, maxNorm float32) {
	const most = partials * squaresBlock
	all := at(g, n)
	sum := 0.0
	for from := 0; from < n; from += most {
		d.call.a = all[from:min(n, from+most)]
		d.split(len(d.call.a), squares)
		for _, s := range d.sums[:(len(d.call.a)+squaresBlock-1)/squaresBlock] {
			sum += s
		}
	}
	factor := float64(maxNorm) / (math.Sqrt(sum) + 1e-6)
	if factor > 1 {
		factor = 1 // keeps a NaN
	}
	at(scale, 1)[0] = float32(factor)
}

func squares(d *Device, part, parts int) {
	g := d.call.a
	first, end := share(len(g), squaresBlock, part, parts)
	for i := first; i < end; i += squaresBlock {
		sum := 0.0
		for _, x := range g[i:min(end, i+squaresBlock)] {
			sum += float64(x) * float64(x)
		}
		d.sums[i/squaresBlock] = sum
	}
}

// Adam takes one step of Adam or AdamW on n parameters; scale may be nil.
func (d *Device) Adam(p, g, m, v, scale, rates kernel.Buffer, n int, o kernel.Adam) {
	c := &d.call
	c.y, c.a, c.b, c.c, c.e, c.n = at(p, n), at(g, n), at(m, n), at(v, n), optional(scale, 1), n
	c.adam = newAdamScalars(o, at(rates, kernel.RateCount))
	d.split(n, adam)
}

// factorOf returns the factor of the gradients.
func factorOf(scale []float32) float32 {
	if scale == nil {
		return 1
	}
	return scale[0]
}

func adam(d *Device, part, parts int) {
	c := &d.call
	s, scale := c.adam, factorOf(c.e)
	from, to := share(c.n, 16, part, parts)
	p := c.y[from:to]
	g, m, v := c.a[from:to][:len(p)], c.b[from:to][:len(p)], c.c[from:to][:len(p)]
	for i := range p {
		q := p[i] * s.shrink
		grad := g[i]*scale + s.decay*q
		m[i] = m[i]*s.beta1 + grad*s.rest1
		v[i] = v[i]*s.beta2 + grad*grad*s.rest2
		root := float32(math.Sqrt(float64(v[i])))
		p[i] = q - s.step*(m[i]/(root*s.correction+s.epsilon))
	}
}

// SGD takes one step of SGD on n parameters; buf may be nil where Momentum is 0, and scale always.
func (d *Device) SGD(p, g, buf, scale, rates kernel.Buffer, n int, o kernel.SGD) {
	c := &d.call
	if o.Momentum == 0 {
		buf = nil
	}
	c.y, c.a, c.b, c.e, c.n = at(p, n), at(g, n), optional(buf, n), optional(scale, 1), n
	c.sgd = newSGDScalars(o, at(rates, kernel.RateCount))
	d.split(n, sgd)
}

func sgd(d *Device, part, parts int) {
	c := &d.call
	s, scale := c.sgd, factorOf(c.e)
	from, to := share(c.n, 16, part, parts)
	for i := from; i < to; i++ {
		grad := c.a[i]*scale + s.decay*c.y[i]
		if c.b != nil {
			grad += s.keep * c.b[i]
			c.b[i] = grad
		}
		c.y[i] -= s.lr * grad
	}
}
