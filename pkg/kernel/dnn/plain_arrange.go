package dnn

import "mmtools/pkg/kernel"

// Arrange is kernel.Convolution's.
func (p *Plain) Arrange(y, x []float32, n int, i kernel.Image) {
	if !i.Blocked() {
		copy(y[:n*i.Size()], x)
		return
	}
	p.call = call{y: y, x: x, n: n, image: i}
	p.split(n, arrangePart)
}

func arrangePart(p *Plain, part, parts int) {
	a := &p.call
	pixels := a.image.H * a.image.W
	from, to := share(a.n, part, parts)
	for n := from; n < to; n++ {
		for c := range a.image.C {
			at, step := plane(a.image, n, c)
			for _, v := range a.x[n*a.image.Size()+c*pixels:][:pixels] {
				a.y[at] = v
				at += step
			}
		}
	}
}

// ArrangePlain is kernel.Convolution's.
func (p *Plain) ArrangePlain(y, x []float32, n int, i kernel.Image) {
	if !i.Blocked() {
		copy(y[:n*i.Size()], x)
		return
	}
	p.call = call{y: y, x: x, n: n, image: i}
	p.split(n, arrangePlainPart)
}

func arrangePlainPart(p *Plain, part, parts int) {
	a := &p.call
	pixels := a.image.H * a.image.W
	from, to := share(a.n, part, parts)
	for n := from; n < to; n++ {
		for c := range a.image.C {
			at, step := plane(a.image, n, c)
			row := a.y[n*a.image.Size()+c*pixels:][:pixels]
			for j := range row {
				row[j] = a.x[at]
				at += step
			}
		}
	}
}
