package dnn

import (
	"math"

	"mmtools/pkg/kernel"
)

// BatchNorm is kernel.Convolution's.
func (p *Plain) BatchNorm(y, x, residual []float32, norm Norm, n int, i kernel.Image, s kernel.NormStep, relu bool) {
	p.call = call{y: y, x: x, residual: residual, norm: norm, step: s, n: n, image: i, relu: relu}
	p.split(i.C, batchNormPart)
}

func batchNormPart(p *Plain, part, parts int) {
	a := &p.call
	from, to := share(a.image.C, part, parts)
	for c := from; c < to; c++ {
		mean, variance := a.moments(c)
		a.norm.keep(c, mean, variance, a.n*a.image.H*a.image.W, a.step)
		scale, shift := a.norm.affine(c)
		for n := range a.n {
			a.affine(n, c, scale, shift)
		}
	}
}

// moments returns the mean and the biased variance of channel c.
func (a *call) moments(c int) (mean, variance float64) {
	pixels := a.image.H * a.image.W
	for n := range a.n {
		at, step := plane(a.image, n, c)
		for range pixels {
			mean += float64(a.x[at])
			at += step
		}
	}
	mean /= float64(a.n * pixels)
	for n := range a.n {
		at, step := plane(a.image, n, c)
		for range pixels {
			d := float64(a.x[at]) - mean
			variance += d * d
			at += step
		}
	}
	return mean, variance / float64(a.n*pixels)
}

// keep writes the statistics of channel c over count elements. One element has no unbiased variance: the biased one, 0,
// is taken.
func (p Norm) keep(c int, mean, variance float64, count int, s kernel.NormStep) {
	p.Mean[c] = float32(mean)
	p.InvStd[c] = float32(1 / math.Sqrt(variance+float64(s.Epsilon)))
	unbiased := variance * float64(count) / float64(max(1, count-1))
	m := float64(s.Momentum)
	p.RunningMean[c] = float32((1-m)*float64(p.RunningMean[c]) + m*mean)
	p.RunningVar[c] = float32((1-m)*float64(p.RunningVar[c]) + m*unbiased)
}

// affine returns the normalisation of channel c as y = scale x + shift.
func (p Norm) affine(c int) (scale, shift float32) {
	scale = p.Gamma[c] * p.InvStd[c]
	return scale, p.Beta[c] - p.Mean[c]*scale
}

// FoldNorm is kernel.Convolution's.
func (p *Plain) FoldNorm(scale, shift []float32, norm Norm, c int, s kernel.NormStep) {
	FoldNorm(scale, shift, norm, c, s)
}

// FoldNorm is kernel.Convolution's, and needs no engine.
func FoldNorm(scale, shift []float32, p Norm, c int, s kernel.NormStep) {
	for i := range c {
		f := float64(p.Gamma[i]) / math.Sqrt(float64(p.RunningVar[i])+float64(s.Epsilon))
		scale[i], shift[i] = float32(f), float32(float64(p.Beta[i])-f*float64(p.RunningMean[i]))
	}
}

// Affine is kernel.Convolution's.
func (p *Plain) Affine(y, x, scale, shift, residual []float32, n int, i kernel.Image, relu bool) {
	p.call = call{y: y, x: x, scale: scale, shift: shift, residual: residual, n: n, image: i, relu: relu}
	p.split(n, affinePart)
}

func affinePart(p *Plain, part, parts int) {
	a := &p.call
	from, to := share(a.n, part, parts)
	for n := from; n < to; n++ {
		for c := range a.image.C {
			a.affine(n, c, a.scale[c], a.shift[c])
		}
	}
}

// affine writes channel c of image n. A value that is not a number stays one: max(0, NaN) would hide it.
func (a *call) affine(n, c int, scale, shift float32) {
	at, step := plane(a.image, n, c)
	for range a.image.H * a.image.W {
		v := float32(a.x[at]*scale) + shift
		if a.residual != nil {
			v += a.residual[at]
		}
		if a.relu && v < 0 {
			v = 0
		}
		a.y[at] = v
		at += step
	}
}

// BatchNormGrad is kernel.Convolution's.
func (p *Plain) BatchNormGrad(dx, dresidual, dgamma, dbeta, dy, x, y []float32, norm Norm, n int, i kernel.Image, relu bool) {
	if dresidual == nil {
		y = nil // x tells
	}
	p.call = call{w: dx, residual: dresidual, dgamma: dgamma, dbeta: dbeta, dy: dy, x: x, y: y, norm: norm, n: n, image: i, relu: relu}
	p.split(i.C, batchNormGradPart)
}

// With g = dy where the activation let it through, and x^ the normalised input,
//
//	dbeta = sum g,  dgamma = sum g x^,  dx = gamma / std * (g - dbeta / count - x^ dgamma / count).
func batchNormGradPart(p *Plain, part, parts int) {
	a := &p.call
	from, to := share(a.image.C, part, parts)
	pixels := a.image.H * a.image.W
	for c := from; c < to; c++ {
		mean, invStd := float64(a.norm.Mean[c]), float64(a.norm.InvStd[c])
		scale, shift := a.norm.affine(c)
		var sum, dot float64
		for n := range a.n {
			at, step := plane(a.image, n, c)
			for range pixels {
				g := a.through(at, scale, shift)
				sum += g
				dot += g * (float64(a.x[at]) - mean) * invStd
				at += step
			}
		}
		a.dbeta[c], a.dgamma[c] = float32(sum), float32(dot)
		factor, count := float64(a.norm.Gamma[c])*invStd, float64(a.n*pixels)
		for n := range a.n {
			at, step := plane(a.image, n, c)
			for range pixels {
				g := a.through(at, scale, shift)
				d := factor * (g - sum/count - (float64(a.x[at])-mean)*invStd*dot/count)
				if a.residual != nil {
					a.residual[at] = float32(g)
				}
				a.w[at] = float32(d)
				at += step
			}
		}
	}
}

// through is dy where the activation let it through. Without y, x tells: the conversions keep compilers from fusing what
// affine did not.
func (a *call) through(at int, scale, shift float32) float64 {
	if a.relu && a.y == nil && !(float32(a.x[at]*scale)+shift > 0) {
		return 0
	}
	if a.relu && a.y != nil && !(a.y[at] > 0) {
		return 0
	}
	return float64(a.dy[at])
}
