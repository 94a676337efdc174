package dnn

import "mmtools/pkg/kernel"

// Arrange is kernel.Convolution's.
func (p *Plain) Arrange(y, x []float32, n int, i kernel.Image) { p.rearrange(y, x, n, i, arrangePart) }

// ArrangePlain is kernel.Convolution's.
func (p *Plain) ArrangePlain(y, x []float32, n int, i kernel.Image) {
	p.rearrange(y, x, n, i, arrangePlainPart)
}

func (p *Plain) rearrange(y, x []float32, n int, i kernel.Image, part func(p *Plain, part, parts int)) {
	if !i.Blocked() {
		copy(y[:n*i.Size()], x)
		return
	}
	p.call = call{y: y, x: x, n: n, image: i}
	p.split(n, part)
}

func arrangePart(p *Plain, part, parts int) {
	p.eachChannel(p.call.x, part, parts, func(plain []float32, at, step int) {
		for _, v := range plain {
			p.call.y[at] = v
			at += step
		}
	})
}

func arrangePlainPart(p *Plain, part, parts int) {
	p.eachChannel(p.call.y, part, parts, func(plain []float32, at, step int) {
		for i := range plain {
			plain[i] = p.call.x[at]
			at += step
		}
	})
}

// eachChannel calls f with the pixels of every channel of a part's images in plain maps, and where the blocked ones begin and how far
// apart they are.
func (p *Plain) eachChannel(plain []float32, part, parts int, f func(plain []float32, at, step int)) {
	i := p.call.image
	pixels := i.H * i.W
	from, to := share(p.call.n, part, parts)
	for n := from; n < to; n++ {
		for c := range i.C {
			at, step := plane(i, n, c)
			f(plain[n*i.Size()+c*pixels:][:pixels], at, step)
		}
	}
}
