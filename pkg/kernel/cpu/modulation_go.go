//go:build !(openblas && cgo && linux)

package cpu

import "mmtools/pkg/kernel"

// Modulate writes y = gamma * x + beta. modulator (M,2N), x and y (M,N); y may be x.
func (d *Device) Modulate(y, modulator, x kernel.Buffer, m, n int) {
	c := &d.call
	c.y, c.a, c.b, c.m, c.n = at(y, m*n), at(x, m*n), at(modulator, 2*m*n), m, n
	d.split(m*n, modulate)
}

func modulate(d *Device, part, parts int) {
	c := &d.call
	first, end := share(c.m, 1, part, parts)
	for i := first; i < end; i++ {
		y, x := c.y[i*c.n:][:c.n], c.a[i*c.n:][:c.n]
		gamma, beta := c.b[2*i*c.n:][:c.n], c.b[(2*i+1)*c.n:][:c.n]
		for j, v := range x {
			y[j] = gamma[j]*v + beta[j]
		}
	}
}

// ModulateGradInput writes dx = dy * gamma. dy and dx (M,N), modulator (M,2N); dx may be dy.
func (d *Device) ModulateGradInput(dx, dy, modulator kernel.Buffer, m, n int) {
	c := &d.call
	c.y, c.a, c.b, c.m, c.n = at(dx, m*n), at(dy, m*n), at(modulator, 2*m*n), m, n
	d.split(m*n, modulateGradInput)
}

func modulateGradInput(d *Device, part, parts int) {
	c := &d.call
	first, end := share(c.m, 1, part, parts)
	for i := first; i < end; i++ {
		multiply(c.y[i*c.n:][:c.n], c.a[i*c.n:][:c.n], c.b[2*i*c.n:][:c.n])
	}
}

// ModulateGradModulator writes [dy * x, dy]. dy and x (M,N), dmodulator (M,2N).
func (d *Device) ModulateGradModulator(dmodulator, dy, x kernel.Buffer, m, n int) {
	c := &d.call
	c.y, c.a, c.b, c.m, c.n = at(dmodulator, 2*m*n), at(dy, m*n), at(x, m*n), m, n
	d.split(m*n, modulateGradModulator)
}

func modulateGradModulator(d *Device, part, parts int) {
	c := &d.call
	first, end := share(c.m, 1, part, parts)
	for i := first; i < end; i++ {
		dy := c.a[i*c.n:][:c.n]
		multiply(c.y[2*i*c.n:][:c.n], dy, c.b[i*c.n:][:c.n])
		copy(c.y[(2*i+1)*c.n:][:c.n], dy)
	}
}

func multiply(y, a, b []float32) {
	for j, v := range a {
		y[j] = v * b[j]
	}
}
