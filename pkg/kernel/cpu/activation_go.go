//go:build !(openblas && cgo && linux)

package cpu

import (
	"math"

	"mmtools/pkg/kernel"
)

// cost is a function's, in the elements of grain.
const cost = 8

// elementwise runs a kernel over n elements of y, a and, where it is not nil, b.
func (d *Device) elementwise(y, a, b kernel.Buffer, n, elements int, run func(d *Device, part, parts int)) {
	c := &d.call
	c.y, c.a, c.b, c.n = at(y, n), at(a, n), optional(b, n), n
	d.split(elements, run)
}

// mine returns part's share of the operands of elementwise.
func (d *Device) mine(part, parts int) (y, a, b []float32) {
	c := &d.call
	from, to := share(c.n, 16, part, parts)
	if c.b != nil {
		b = c.b[from:to]
	}
	return c.y[from:to], c.a[from:to], b
}

// Mul writes y = a * b over n elements; y may be a or b.
func (d *Device) Mul(y, a, b kernel.Buffer, n int) { d.elementwise(y, a, b, n, n, mul) }

func mul(d *Device, part, parts int) {
	y, a, b := d.mine(part, parts)
	for i := range y {
		y[i] = a[i] * b[i]
	}
}

// Scale writes y = factor * x over n elements; y may be x.
func (d *Device) Scale(y, x kernel.Buffer, n int, factor float32) {
	d.call.factor = float64(factor)
	d.elementwise(y, x, nil, n, n, scale)
}

func scale(d *Device, part, parts int) {
	y, x, _ := d.mine(part, parts)
	factor := float32(d.call.factor)
	for i := range y {
		y[i] = factor * x[i]
	}
}

// Tanh writes y = tanh(x) over n elements; y may be x.
func (d *Device) Tanh(y, x kernel.Buffer, n int) { d.elementwise(y, x, nil, n, n*cost, hyperbolic) }

func hyperbolic(d *Device, part, parts int) {
	y, x, _ := d.mine(part, parts)
	for i := range y {
		y[i] = float32(math.Tanh(float64(x[i])))
	}
}

// TanhGrad writes dx = dy (1 - y²) over n elements; dx may be dy.
func (d *Device) TanhGrad(dx, dy, y kernel.Buffer, n int) { d.elementwise(dx, dy, y, n, n, tanhGrad) }

func tanhGrad(d *Device, part, parts int) {
	dx, dy, y := d.mine(part, parts)
	for i, v := range y {
		dx[i] = dy[i] * (1 - v*v)
	}
}

// Sigmoid writes y = 1 / (1 + exp(-x)) over n elements; y may be x.
func (d *Device) Sigmoid(y, x kernel.Buffer, n int) { d.elementwise(y, x, nil, n, n*cost, sigmoid) }

func sigmoid(d *Device, part, parts int) {
	y, x, _ := d.mine(part, parts)
	for i := range y {
		y[i] = float32(1 / (1 + math.Exp(-float64(x[i]))))
	}
}

// SigmoidGrad writes dx = dy y (1 - y) over n elements; dx may be dy.
func (d *Device) SigmoidGrad(dx, dy, y kernel.Buffer, n int) {
	d.elementwise(dx, dy, y, n, n, sigmoidGrad)
}

func sigmoidGrad(d *Device, part, parts int) {
	dx, dy, y := d.mine(part, parts)
	for i, v := range y {
		dx[i] = dy[i] * (v * (1 - v))
	}
}
