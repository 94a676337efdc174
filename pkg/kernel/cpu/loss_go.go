//go:build !(openblas && cgo && linux)

package cpu

import (
	"math"

	"mmtools/pkg/kernel"
)

// expCost is the cost of an exponential in elements of split.
const expCost = 32

// SoftmaxCrossEntropy writes the loss to loss[0], NaN where a label is no class. logits (M,C), label (M), weight (M).
func (d *Device) SoftmaxCrossEntropy(loss, logits, label, weight kernel.Buffer, m, c int) {
	x, l, w := at(logits, m*c), at(label, m), at(weight, m)
	sum := 0.0
	for from := 0; from < m; from += partials {
		rows := min(partials, m-from)
		a := &d.call
		a.a, a.b, a.c, a.m, a.n = x[from*c:(from+rows)*c], l[from:from+rows], w[from:from+rows], rows, c
		d.split(rows*c*expCost, crossEntropy)
		for _, s := range d.sums[:rows] {
			sum += s
		}
	}
	at(loss, 1)[0] = float32(sum / float64(m))
}

// SoftmaxCrossEntropyGrad writes the loss's gradient times upstream[0] to dlogits, which may be logits.
func (d *Device) SoftmaxCrossEntropyGrad(dlogits, logits, label, weight, upstream kernel.Buffer, m, c int) {
	a := &d.call
	a.y, a.a, a.b, a.c, a.m, a.n = at(dlogits, m*c), at(logits, m*c), at(label, m), at(weight, m), m, c
	a.factor = float64(at(upstream, 1)[0]) / float64(m)
	d.split(m*c*expCost, crossEntropyGrad)
}

// sumExp returns the largest logit of a row and the sum of exp(x - largest).
func sumExp(row []float32) (most, sum float64) {
	largest := row[0]
	for _, x := range row {
		if x > largest {
			largest = x
		}
	}
	most = float64(largest)
	for _, x := range row {
		sum += math.Exp(float64(x) - most)
	}
	return most, sum
}

// classOf returns the row's label, or false where it is no class.
func classOf(label float32, c int) (int, bool) {
	if !(label >= 0 && label < float32(c)) {
		return 0, false
	}
	return int(label), true
}

// crossEntropy writes the rows' losses to the partial sums, at most as many as there are.
func crossEntropy(d *Device, part, parts int) {
	c := &d.call
	first, end := share(c.m, 8, part, parts)
	for i := first; i < end; i++ {
		row := c.a[i*c.n : (i+1)*c.n]
		label, ok := classOf(c.b[i], c.n)
		if !ok {
			d.sums[i] = math.NaN()
			continue
		}
		most, sum := sumExp(row)
		d.sums[i] = float64(c.c[i]) * (math.Log(sum) + most - float64(row[label]))
	}
}

func crossEntropyGrad(d *Device, part, parts int) {
	c := &d.call
	first, end := share(c.m, 8, part, parts)
	for i := first; i < end; i++ {
		row, y := c.a[i*c.n:(i+1)*c.n], c.y[i*c.n:(i+1)*c.n]
		label, ok := classOf(c.b[i], c.n)
		factor := c.factor * float64(c.c[i])
		if !ok {
			factor = math.NaN()
		}
		most, sum := sumExp(row)
		for j, x := range row {
			p := math.Exp(float64(x)-most) / sum
			if ok && j == label {
				p--
			}
			y[j] = float32(p * factor)
		}
	}
}
