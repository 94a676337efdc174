//go:build mmcuda && cgo && linux

package cuda

import (
	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
)

// tile is the side of a product's tiles: a block computes one.
const tile = 64

// tiled returns the kernel of a product, and its grid: in narrow tiles where medium ones would leave most multiprocessors idle, in
// wide ones where there are enough; in the tensor cores' own where the precision is theirs. It depends on the shape alone, not on
// the card, and so does the order of the sums.
func (d *Device) tiled(name string, columns, rows int) (string, grid) {
	if cores := d.cores(); cores != "" {
		return name + cores, grid{ceil(columns, 2*tile), ceil(rows, tile), 1}
	}
	switch count := func(side int) int { return ceil(columns, side) * ceil(rows, side) }; {
	case count(tile) < 128:
		return name + "_narrow", grid{ceil(columns, tile/2), ceil(rows, tile/2), 1}
	case count(2*tile) >= 256:
		return name + "_wide", grid{ceil(columns, 2*tile), ceil(rows, 2*tile), 1}
	default:
		return name, grid{ceil(columns, tile), ceil(rows, tile), 1}
	}
}

// cores is what the names of kernels on tensor cores end in, empty for float32.
func (d *Device) cores() string {
	switch d.precision {
	case kernel.TF32:
		return "_tf32"
	case kernel.BF16:
		return "_bf16"
	default:
		return ""
	}
}

// Linear writes y = x wᵀ + b, and max(0, y) where relu is set.
func (d *Device) Linear(y, x, w, b kernel.Buffer, m, n, k int, relu bool) {
	if d.blas == nil {
		name, g := d.tiled("mm_linear", n, m)
		d.launch(name, g, ptr(y, m*n), ptr(x, m*k), ptr(w, n*k), optional(b, n), num(m), num(n), num(k), flag(relu))
		return
	}
	if d.lt != nil && d.linear(y, x, w, b, m, n, k, relu) {
		return
	}
	// y is (N,M) to cuBLAS, whose matrices are column major: y = op(w) op(x).
	d.product(true, false, n, m, k, at(w, n*k), k, at(x, m*k), k, at(y, m*n), n)
	if b != nil || relu {
		d.launch("mm_bias", elements(m*n), ptr(y, m*n), optional(b, n), num(m), num(n), flag(relu))
	}
}

// linear is Linear by cuBLASLt; it reports whether the library does that, or failed.
func (d *Device) linear(y, x, w, b kernel.Buffer, m, n, k int, relu bool) (done bool) {
	if d.err != nil || m == 0 || n == 0 || k == 0 {
		return d.err != nil
	}
	d.do("multiplying", func() error {
		var err error
		done, err = d.lt.linear(d.lane, at(y, m*n), at(x, m*k), at(w, n*k), cu.DevicePtr(optional(b, n)), m, n, k, relu)
		return err
	})
	return done || d.err != nil
}

// LinearGradWeight writes dw = dyᵀ x.
func (d *Device) LinearGradWeight(dw, dy, x kernel.Buffer, m, n, k int) {
	if d.blas == nil {
		name, g := d.tiled("mm_linear_grad_weight", k, n)
		d.launch(name, g, ptr(dw, n*k), ptr(dy, m*n), ptr(x, m*k), num(m), num(n), num(k))
		return
	}
	d.product(false, true, k, n, m, at(x, m*k), k, at(dy, m*n), n, at(dw, n*k), k)
}

// LinearGradInput writes dx = dy w.
func (d *Device) LinearGradInput(dx, dy, w kernel.Buffer, m, n, k int) {
	if d.blas == nil {
		name, g := d.tiled("mm_linear_grad_input", k, m)
		d.launch(name, g, ptr(dx, m*k), ptr(dy, m*n), ptr(w, n*k), num(m), num(n), num(k))
		return
	}
	d.product(false, false, k, m, n, at(w, n*k), k, at(dy, m*n), n, at(dx, m*k), k)
}

// product multiplies by cuBLAS: c (m,n) = op(a) (m,k) op(b) (k,n), all column major.
func (d *Device) product(transA, transB bool, m, n, k int, a cu.DevicePtr, lda int, b cu.DevicePtr, ldb int, c cu.DevicePtr, ldc int) {
	d.do("multiplying", func() error { return d.blas.multiply(transA, transB, m, n, k, a, lda, b, ldb, c, ldc) })
}

// SumRows writes the column sums of x, (M,N), to y, (N).
func (d *Device) SumRows(y, x kernel.Buffer, m, n int) {
	d.launch("mm_sum_rows", grid{ceil(n, 32), 1, 1}, ptr(y, n), ptr(x, m*n), num(m), num(n))
}

// ReLUGrad writes dx = dy where y > 0, else 0.
func (d *Device) ReLUGrad(dx, dy, y kernel.Buffer, n int) { d.three("mm_relu_grad", dx, dy, y, n) }

// Standardize writes y = (x - mean) * scale.
func (d *Device) Standardize(y, x, mean, scale kernel.Buffer, m, n, pixels int) {
	size := m * n * pixels
	d.launch("mm_standardize", elements(size), ptr(y, size), ptr(x, size), ptr(mean, n), ptr(scale, n), num(m), num(n), num(pixels))
}

// Add writes y = a + b.
func (d *Device) Add(y, a, b kernel.Buffer, n int) { d.three("mm_add", y, a, b, n) }

// Copy writes y = x.
func (d *Device) Copy(y, x kernel.Buffer, n int) {
	if n == 0 {
		return
	}
	to, from := at(y, n), at(x, n)
	if to == from {
		return
	}
	d.do("copying", func() error { return cu.MemcpyDtoDAsync(to, from, int64(4*n), d.stream) })
}

// Mul writes y = a * b.
func (d *Device) Mul(y, a, b kernel.Buffer, n int) { d.three("mm_mul", y, a, b, n) }

// Scale writes y = factor * x.
func (d *Device) Scale(y, x kernel.Buffer, n int, factor float32) {
	d.launch("mm_scale", elements(n), ptr(y, n), ptr(x, n), num(n), real(float64(factor)))
}

// Tanh writes y = tanh(x).
func (d *Device) Tanh(y, x kernel.Buffer, n int) {
	d.launch("mm_tanh", elements(n), ptr(y, n), ptr(x, n), num(n))
}

// TanhGrad writes dx = dy (1 - y²).
func (d *Device) TanhGrad(dx, dy, y kernel.Buffer, n int) { d.three("mm_tanh_grad", dx, dy, y, n) }

// Sigmoid writes y = 1 / (1 + exp(-x)).
func (d *Device) Sigmoid(y, x kernel.Buffer, n int) {
	d.launch("mm_sigmoid", elements(n), ptr(y, n), ptr(x, n), num(n))
}

// SigmoidGrad writes dx = dy y (1 - y).
func (d *Device) SigmoidGrad(dx, dy, y kernel.Buffer, n int) {
	d.three("mm_sigmoid_grad", dx, dy, y, n)
}

// three launches a kernel of three buffers, n elements each.
func (d *Device) three(name string, y, a, b kernel.Buffer, n int) {
	d.launch(name, elements(n), ptr(y, n), ptr(a, n), ptr(b, n), num(n))
}

// Gather writes y_r = table_index[r].
func (d *Device) Gather(y, table, index kernel.Buffer, rows, size int) {
	d.launch("mm_gather", elements(rows*size), ptr(y, rows*size), ptr(table, size), ptr(index, 2*rows), num(rows), num(size))
}

// Scatter writes table_index[r] = x_r.
func (d *Device) Scatter(table, x, index kernel.Buffer, rows, size int) {
	d.launch("mm_scatter", elements(rows*size), ptr(table, size), ptr(x, rows*size), ptr(index, 2*rows), num(rows), num(size))
}
