//go:build !(openblas && cgo && linux)

package cpu

import "mmtools/pkg/kernel"

// A masked feature is selected away, not multiplied by zero: 0 * NaN is NaN.

// MaskedConcat writes y = [keep_0 x_0, keep_1 x_1, ...]. x[p] (M,widths[p]), keep (M,P), y (M, sum of widths).
func (d *Device) MaskedConcat(y kernel.Buffer, x []kernel.Buffer, widths []int, keep kernel.Buffer, m int) {
	c := &d.call
	c.views, c.total = c.views[:0], 0
	for p, width := range widths {
		c.views = append(c.views, view{at(x[p], m*width), width})
		c.total += width
	}
	c.y, c.a, c.m = at(y, m*c.total), at(keep, m*len(x)), m
	d.split(m*c.total, maskedConcat)
}

func maskedConcat(d *Device, part, parts int) {
	c := &d.call
	first, end := share(c.m, 1, part, parts)
	for i := first; i < end; i++ {
		y := c.y[i*c.total : (i+1)*c.total]
		for p, v := range c.views {
			copyMasked(y[:v.width], v.x[i*v.width:(i+1)*v.width], c.a[i*len(c.views)+p])
			y = y[v.width:]
		}
	}
}

func copyMasked(y, x []float32, keep float32) {
	if keep != 0 {
		copy(y, x)
	} else {
		clear(y)
	}
}

// MaskedSum writes y = sum over p of keep_p x_p. x[p] and y (M,N), keep (M,P).
func (d *Device) MaskedSum(y kernel.Buffer, x []kernel.Buffer, keep kernel.Buffer, m, n int) {
	c := &d.call
	c.views = c.views[:0]
	for _, b := range x {
		c.views = append(c.views, view{at(b, m*n), n})
	}
	c.y, c.a, c.m, c.n = at(y, m*n), at(keep, m*len(x)), m, n
	d.split(m*n*len(x), maskedSum)
}

func maskedSum(d *Device, part, parts int) {
	c := &d.call
	first, end := share(c.m, 1, part, parts)
	for i := first; i < end; i++ {
		y := c.y[i*c.n : (i+1)*c.n]
		clear(y)
		for p, v := range c.views {
			if c.a[i*len(c.views)+p] == 0 {
				continue
			}
			for j, x := range v.x[i*c.n : (i+1)*c.n] {
				y[j] += x
			}
		}
	}
}

// MaskedSlice writes dx = keep_p dy[:, from:from+n], and 0 where y is not above 0. dy (M,total), dx (M,n), keep (M,players), y (M,n) or nil.
func (d *Device) MaskedSlice(dx, dy, keep, y kernel.Buffer, m, total, from, n, p, players int) {
	c := &d.call
	c.y, c.a, c.b, c.c = at(dx, m*n), at(dy, m*total), at(keep, m*players), nil
	if y != nil {
		c.c = at(y, m*n)
	}
	c.m, c.total, c.from, c.n, c.p, c.k = m, total, from, n, p, players
	d.split(m*n, maskedSlice)
}

func maskedSlice(d *Device, part, parts int) {
	c := &d.call
	first, end := share(c.m, 1, part, parts)
	for i := first; i < end; i++ {
		from, row := i*c.total+c.from, c.y[i*c.n:(i+1)*c.n]
		copyMasked(row, c.a[from:from+c.n], c.b[i*c.k+c.p])
		if c.c == nil {
			continue
		}
		for j, y := range c.c[i*c.n : (i+1)*c.n] {
			if !(y > 0) {
				row[j] = 0
			}
		}
	}
}
