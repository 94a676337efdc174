package cpu

import (
	"math"

	"mmtools/pkg/kernel"
)

// The slow plain reference: the formulas of package kernel in float64, a loop an index. Each returns, beside the result,
// what its rounding is measured by: the sum of the terms' magnitudes.

// refLinear is y = x wᵀ + b. x (M,K), w (N,K), b (N), y (M,N).
func refLinear(x, w, b []float32, m, n, k int, relu bool) (y, size []float64) {
	y, size = make([]float64, m*n), make([]float64, m*n)
	for i := range m {
		for j := range n {
			sum, abs := float64(b[j]), math.Abs(float64(b[j]))
			for l := range k {
				term := float64(x[i*k+l]) * float64(w[j*k+l])
				sum += term
				abs += math.Abs(term)
			}
			if relu && sum < 0 {
				sum = 0
			}
			y[i*n+j], size[i*n+j] = sum, abs
		}
	}
	return y, size
}

// refGradWeight is dw = dyᵀ x. dy (M,N), x (M,K), dw (N,K).
func refGradWeight(dy, x []float32, m, n, k int) (dw, size []float64) {
	dw, size = make([]float64, n*k), make([]float64, n*k)
	for i := range m {
		for j := range n {
			for l := range k {
				term := float64(dy[i*n+j]) * float64(x[i*k+l])
				dw[j*k+l] += term
				size[j*k+l] += math.Abs(term)
			}
		}
	}
	return dw, size
}

// refGradInput is dx = dy w. dy (M,N), w (N,K), dx (M,K).
func refGradInput(dy, w []float32, m, n, k int) (dx, size []float64) {
	dx, size = make([]float64, m*k), make([]float64, m*k)
	for i := range m {
		for j := range n {
			for l := range k {
				term := float64(dy[i*n+j]) * float64(w[j*k+l])
				dx[i*k+l] += term
				size[i*k+l] += math.Abs(term)
			}
		}
	}
	return dx, size
}

// refSumRows is the column sums of x, (M,N).
func refSumRows(x []float32, m, n int) (y, size []float64) {
	y, size = make([]float64, n), make([]float64, n)
	for i := range m {
		for j := range n {
			y[j] += float64(x[i*n+j])
			size[j] += math.Abs(float64(x[i*n+j]))
		}
	}
	return y, size
}

// refLoss is the weighted softmax cross-entropy and its gradient times upstream, with the sums taken over p, not log p.
func refLoss(logits, label, weight []float32, upstream float64, m, c int) (loss float64, grad []float64) {
	grad = make([]float64, m*c)
	for i := range m {
		row, w := logits[i*c:(i+1)*c], float64(weight[i])
		most := math.Inf(-1)
		for _, x := range row {
			most = max(most, float64(x))
		}
		sum := 0.0
		for _, x := range row {
			sum += math.Exp(float64(x) - most)
		}
		for j, x := range row {
			grad[i*c+j] = math.Exp(float64(x)-most) / sum * w * upstream / float64(m)
		}
		grad[i*c+int(label[i])] -= w * upstream / float64(m)
		loss += w * (math.Log(sum) + most - float64(row[int(label[i])])) / float64(m)
	}
	return loss, grad
}

// refAdam takes step t of kernel.Adam on p, m and v.
func refAdam(p, g, m, v []float64, scale float64, o kernel.Adam, t int64, lr float64) {
	for i := range p {
		d := g[i] * scale
		if o.Decoupled {
			p[i] *= 1 - lr*o.WeightDecay
		} else {
			d += o.WeightDecay * p[i]
		}
		m[i] = o.Beta1*m[i] + (1-o.Beta1)*d
		v[i] = o.Beta2*v[i] + (1-o.Beta2)*d*d
		correction1, correction2 := 1-math.Pow(o.Beta1, float64(t)), 1-math.Pow(o.Beta2, float64(t))
		p[i] -= lr / correction1 * m[i] / (math.Sqrt(v[i])/math.Sqrt(correction2) + o.Epsilon)
	}
}

// refSGD takes step t of kernel.SGD on p and buf.
func refSGD(p, g, buf []float64, scale float64, o kernel.SGD, t int64, lr float64) {
	for i := range p {
		d := g[i]*scale + o.WeightDecay*p[i]
		if o.Momentum != 0 {
			if t > 1 {
				d += o.Momentum * buf[i]
			}
			buf[i] = d
		}
		p[i] -= lr * d
	}
}

// refNorm is ‖g‖.
func refNorm(g []float32) float64 {
	sum := 0.0
	for _, x := range g {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}
