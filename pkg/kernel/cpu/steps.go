package cpu

import "mmtools/pkg/kernel"

// adamScalars are a step's scalars as the kernels use them: taken in float64, rounded once, as PyTorch does.
//
//	q = shrink p;  g = scale g + decay q;  m = beta1 m + rest1 g;  v = beta2 v + rest2 g²
//	p = q - step * m / (correction sqrt(v) + epsilon)
type adamScalars struct {
	shrink, decay, beta1, rest1, beta2, rest2, correction, epsilon, step float32
}

func newAdamScalars(o kernel.Adam, rates []float32) adamScalars {
	a := adamScalars{
		shrink: rates[0], decay: float32(o.WeightDecay),
		beta1: float32(o.Beta1), rest1: float32(1 - o.Beta1),
		beta2: float32(o.Beta2), rest2: float32(1 - o.Beta2),
		correction: rates[1],
		epsilon:    float32(o.Epsilon),
		step:       rates[2],
	}
	if o.Decoupled {
		a.decay = 0
	}
	return a
}

// sgdScalars are those of SGD:
//
//	g = scale g + decay p;  buf = keep buf + g;  p -= lr buf
type sgdScalars struct{ lr, keep, decay float32 }

func newSGDScalars(o kernel.SGD, rates []float32) sgdScalars {
	return sgdScalars{lr: rates[0], keep: rates[1], decay: float32(o.WeightDecay)}
}
