package cpu

import (
	"math"

	"mmtools/pkg/kernel"
)

// adamScalars are a step's scalars as the kernels use them: taken in float64, rounded once, as PyTorch does.
//
//	q = shrink p;  g = scale g + decay q;  m = beta1 m + rest1 g;  v = beta2 v + rest2 g²
//	p = q - step * m / (correction sqrt(v) + epsilon)
type adamScalars struct {
	shrink, decay, beta1, rest1, beta2, rest2, correction, epsilon, step float32
}

func newAdamScalars(s kernel.AdamStep) adamScalars {
	a := adamScalars{
		shrink: 1, decay: float32(s.WeightDecay),
		beta1: float32(s.Beta1), rest1: float32(1 - s.Beta1),
		beta2: float32(s.Beta2), rest2: float32(1 - s.Beta2),
		correction: float32(1 / math.Sqrt(s.Correction2)),
		epsilon:    float32(s.Epsilon),
		step:       float32(s.LR / s.Correction1),
	}
	if s.Decoupled {
		a.shrink, a.decay = float32(1-s.LR*s.WeightDecay), 0
	}
	return a
}
