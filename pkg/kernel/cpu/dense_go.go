//go:build !(openblas && cgo && linux)

package cpu

import (
	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/gonum"

	"mmtools/pkg/kernel"
)

// Products are cut into tiles that gonum computes in the calling goroutine, three of its blocks of 64; above that it
// starts goroutines of its own, which allocates. Tiles lie on a grid from 0, whatever the number of threads.
const tileRows, tileColumns = 64, 192

// product computes the tiles of call.y = a b that are part's, (M,N) with sums of K terms, and adds the bias call.c.
func product(ta, tb blas.Transpose, d *Device, part, parts int) {
	c := &d.call
	across := (c.n + tileColumns - 1) / tileColumns
	tiles := (c.m + tileRows - 1) / tileRows * across
	first, end := share(tiles, 1, part, parts)
	lda, ldb := c.k, c.n
	if ta == blas.Trans {
		lda = c.m
	}
	if tb == blas.Trans {
		ldb = c.k
	}
	for tile := first; tile < end; tile++ {
		i, j := tile/across*tileRows, tile%across*tileColumns
		rows, columns := min(tileRows, c.m-i), min(tileColumns, c.n-j)
		fromA, fromB := i*lda, j
		if ta == blas.Trans {
			fromA = i
		}
		if tb == blas.Trans {
			fromB = j * ldb
		}
		y := c.y[i*c.n+j:]
		gonum.Implementation{}.Sgemm(ta, tb, rows, columns, c.k, 1, c.a[fromA:], lda, c.b[fromB:], ldb, 0, y, c.n)
		if c.c != nil {
			finish(y, c.c[j:j+columns], rows, c.n, c.relu)
		}
	}
}

// finish adds bias to rows of y and applies max(0, y) where relu is set, which keeps a NaN.
func finish(y, bias []float32, rows, stride int, relu bool) {
	for i := range rows {
		row := y[i*stride : i*stride+len(bias)]
		for j, b := range bias {
			v := row[j] + b
			if relu && v < 0 {
				v = 0
			}
			row[j] = v
		}
	}
}

func linear(d *Device, part, parts int)     { product(blas.NoTrans, blas.Trans, d, part, parts) }
func gradWeight(d *Device, part, parts int) { product(blas.Trans, blas.NoTrans, d, part, parts) }
func gradInput(d *Device, part, parts int)  { product(blas.NoTrans, blas.NoTrans, d, part, parts) }

// Linear writes y = x wᵀ + b, and max(0, y) where relu is set, which keeps a NaN. x (M,K), w (N,K), b (N), y (M,N). b may be
// nil where relu is not set.
func (d *Device) Linear(y, x, w, b kernel.Buffer, m, n, k int, relu bool) {
	x, w = d.factor(0, x, m*k), d.factor(1, w, n*k)
	c := &d.call
	c.y, c.a, c.b, c.c, c.m, c.n, c.k, c.relu = at(y, m*n), at(x, m*k), at(w, n*k), optional(b, n), m, n, k, relu
	d.split(m*n*k, linear)
}

// LinearGradWeight writes dw = dyᵀ x. dy (M,N), x (M,K), dw (N,K).
func (d *Device) LinearGradWeight(dw, dy, x kernel.Buffer, m, n, k int) {
	dy, x = d.factor(0, dy, m*n), d.factor(1, x, m*k)
	c := &d.call
	c.y, c.a, c.b, c.c, c.m, c.n, c.k = at(dw, n*k), at(dy, m*n), at(x, m*k), nil, n, k, m
	d.split(m*n*k, gradWeight)
}

// LinearGradInput writes dx = dy w. dy (M,N), w (N,K), dx (M,K).
func (d *Device) LinearGradInput(dx, dy, w kernel.Buffer, m, n, k int) {
	dy, w = d.factor(0, dy, m*n), d.factor(1, w, n*k)
	c := &d.call
	c.y, c.a, c.b, c.c, c.m, c.n, c.k = at(dx, m*k), at(dy, m*n), at(w, n*k), nil, m, k, n
	d.split(m*n*k, gradInput)
}

// SumRows writes the column sums of x, (M,N), to y, (N), in row order and float64.
func (d *Device) SumRows(y, x kernel.Buffer, m, n int) {
	c := &d.call
	c.y, c.a, c.m, c.n = at(y, n), at(x, m*n), m, n
	d.split(m*n, sumRows)
}

func sumRows(d *Device, part, parts int) {
	const columns = 64
	c := &d.call
	first, end := share(c.n, 16, part, parts)
	for j := first; j < end; j += columns {
		var sum [columns]float64
		width := min(columns, end-j)
		for i := range c.m {
			for k, x := range c.a[i*c.n+j : i*c.n+j+width] {
				sum[k] += float64(x)
			}
		}
		for k := range width {
			c.y[j+k] = float32(sum[k])
		}
	}
}

// ReLUGrad writes dx = dy where y > 0, else 0; dx may be dy.
func (d *Device) ReLUGrad(dx, dy, y kernel.Buffer, n int) {
	c := &d.call
	c.y, c.a, c.b, c.n = at(dx, n), at(dy, n), at(y, n), n
	d.split(n, reluGrad)
}

func reluGrad(d *Device, part, parts int) {
	c := &d.call
	from, to := share(c.n, 16, part, parts)
	y := c.b[from:to]
	dx, dy := c.y[from:to][:len(y)], c.a[from:to][:len(y)]
	for i, v := range y {
		if v > 0 {
			dx[i] = dy[i]
		} else {
			dx[i] = 0
		}
	}
}

// Standardize writes y = (x - mean) * scale. x, y (M,N,pixels); mean, scale (N), each for its pixels; y may be x.
func (d *Device) Standardize(y, x, mean, scale kernel.Buffer, m, n, pixels int) {
	if pixels > 1 {
		standardizePixels(values(y), values(x), values(mean)[:n], values(scale), m, pixels)
		return
	}
	c := &d.call
	c.y, c.a, c.b, c.c, c.m, c.n = at(y, m*n), at(x, m*n), at(mean, n), at(scale, n), m, n
	d.split(m*n, standardize)
}

func standardize(d *Device, part, parts int) {
	c := &d.call
	first, end := share(c.m, 1, part, parts)
	for i := first; i < end; i++ {
		y, x := c.y[i*c.n:(i+1)*c.n], c.a[i*c.n:(i+1)*c.n]
		for j, v := range x {
			y[j] = (v - c.b[j]) * c.c[j]
		}
	}
}

// Add writes y = a + b; y may be a or b.
func (d *Device) Add(y, a, b kernel.Buffer, n int) {
	c := &d.call
	c.y, c.a, c.b, c.n = at(y, n), at(a, n), at(b, n), n
	d.split(n, add)
}

func add(d *Device, part, parts int) {
	c := &d.call
	from, to := share(c.n, 16, part, parts)
	for i := from; i < to; i++ {
		c.y[i] = c.a[i] + c.b[i]
	}
}

// round writes n elements of x, rounded to bfloat16, to y.
func (d *Device) round(y, x kernel.Buffer, n int) {
	c := &d.call
	c.y, c.a, c.n = at(y, n), at(x, n), n
	d.split(n, roundPart)
}

func roundPart(d *Device, part, parts int) {
	c := &d.call
	from, to := share(c.n, 16, part, parts)
	kernel.RoundBF16(c.y[from:to], c.a[from:to])
}
