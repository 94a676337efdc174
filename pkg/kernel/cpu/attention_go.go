//go:build !(openblas && cgo && linux)

package cpu

import (
	"math"

	"mmtools/pkg/kernel"
)

// weights are one query's, of each token: all that is held of a row, whose gradient computes them again.
type weights [kernel.MaxTokens]float64

// Attend writes attention among the present tokens. qkv (M,T,3,Width), keep (M,T), y (M,T,Width).
func (d *Device) Attend(y, qkv, keep kernel.Buffer, m int, a kernel.Attention) {
	c, n := &d.call, m*a.Tokens*a.Width
	c.y, c.a, c.c, c.m, c.attention = at(y, n), at(qkv, 3*n), at(keep, m*a.Tokens), m, a
	d.split(2*n*a.Tokens, attend)
}

func attend(d *Device, part, parts int) {
	c, a := &d.call, d.call.attention
	first, end := share(c.m, 1, part, parts)
	for r := first; r < end; r++ {
		row := attentionRow{a, c.a[r*a.Tokens*3*a.Width:], c.c[r*a.Tokens:][:a.Tokens]}
		y := c.y[r*a.Tokens*a.Width:][:a.Tokens*a.Width]
		clear(y)
		for h := range a.Heads {
			for i, present := range row.keep {
				if present == 0 {
					continue
				}
				w := row.weights(i, h)
				for j, present := range row.keep {
					if present != 0 {
						accumulate(row.head(y, i, h), row.part(row.qkv, j, 2, h), float32(w[j]))
					}
				}
			}
		}
	}
}

// attentionRow is one row's tokens: qkv (T,3,Width), keep (T).
type attentionRow struct {
	kernel.Attention
	qkv, keep []float32
}

// head returns head h of token i, of y (T,Width).
func (a attentionRow) head(y []float32, i, h int) []float32 {
	width := a.Width / a.Heads
	return y[i*a.Width+h*width:][:width]
}

// part returns head h of token i's query (0), key (1) or value (2), of qkv (T,3,Width).
func (a attentionRow) part(qkv []float32, i, which, h int) []float32 {
	return a.head(qkv, 3*i+which, h)
}

// weights returns the weights of query i over the present tokens: softmax(q k / sqrt(d)). A score that is NaN or infinite
// makes every weight NaN.
func (a attentionRow) weights(i, h int) (w weights) {
	most, sum := math.Inf(-1), 0.0
	q := a.part(a.qkv, i, 0, h)
	root := math.Sqrt(float64(len(q)))
	for j, present := range a.keep {
		if present == 0 {
			continue
		}
		w[j] = dot(q, a.part(a.qkv, j, 1, h)) / root
		if w[j] > most {
			most = w[j]
		}
	}
	for j, present := range a.keep {
		if present == 0 {
			continue
		}
		if z := w[j] - most; z > math.Inf(-1) {
			w[j] = math.Exp(z)
		} else {
			w[j] = math.NaN()
		}
		sum += w[j]
	}
	for j := range a.keep {
		w[j] /= sum
	}
	return w
}

// AttendGrad writes the gradient of qkv. dy (M,T,Width), qkv and dqkv (M,T,3,Width), keep (M,T).
func (d *Device) AttendGrad(dqkv, dy, qkv, keep kernel.Buffer, m int, a kernel.Attention) {
	c, n := &d.call, m*a.Tokens*a.Width
	c.y, c.a, c.b, c.c, c.m, c.attention = at(dqkv, 3*n), at(qkv, 3*n), at(dy, n), at(keep, m*a.Tokens), m, a
	d.split(5*n*a.Tokens, attendGrad)
}

func attendGrad(d *Device, part, parts int) {
	c, a := &d.call, d.call.attention
	first, end := share(c.m, 1, part, parts)
	for r := first; r < end; r++ {
		row := attentionRow{a, c.a[r*a.Tokens*3*a.Width:], c.c[r*a.Tokens:][:a.Tokens]}
		dqkv := c.y[r*a.Tokens*3*a.Width:][:a.Tokens*3*a.Width]
		clear(dqkv)
		for h := range a.Heads {
			for i, present := range row.keep {
				if present != 0 {
					row.queryGrad(dqkv, row.head(c.b[r*a.Tokens*a.Width:], i, h), i, h)
				}
			}
		}
	}
}

// queryGrad adds what query i of head h gives, with a_j its weights and s_j its scores:
//
//	dv_j += a_j dy   da_j = dy v_j   ds_j = a_j (da_j - sum_k a_k da_k)   dq += ds_j k_j / sqrt(d)   dk_j += ds_j q / sqrt(d)
func (a attentionRow) queryGrad(dqkv, dy []float32, i, h int) {
	w := a.weights(i, h)
	q, root := a.part(a.qkv, i, 0, h), math.Sqrt(float64(len(dy)))
	var dw weights
	mean := 0.0
	for j, present := range a.keep {
		if present != 0 {
			dw[j] = dot(dy, a.part(a.qkv, j, 2, h))
			mean += w[j] * dw[j]
		}
	}
	for j, present := range a.keep {
		if present == 0 {
			continue
		}
		ds := float32(w[j] * (dw[j] - mean) / root)
		accumulate(a.part(dqkv, j, 2, h), dy, float32(w[j]))
		accumulate(a.part(dqkv, j, 1, h), q, ds)
		accumulate(a.part(dqkv, i, 0, h), a.part(a.qkv, j, 1, h), ds)
	}
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i, v := range a {
		sum += float64(v) * float64(b[i])
	}
	return sum
}

// accumulate adds factor x to y.
func accumulate(y, x []float32, factor float32) {
	for i, v := range x {
		y[i] += factor * v
	}
}

// MaskedMean writes the mean over the present tokens of each row, zeros where there is none. x (M,T,N), y (M,N).
func (d *Device) MaskedMean(y, x, keep kernel.Buffer, m, tokens, n int) {
	c := &d.call
	c.y, c.a, c.c, c.m, c.k, c.n = at(y, m*n), at(x, m*tokens*n), at(keep, m*tokens), m, tokens, n
	d.split(m*tokens*n, maskedMean)
}

func maskedMean(d *Device, part, parts int) {
	c := &d.call
	first, end := share(c.m, 1, part, parts)
	for r := first; r < end; r++ {
		y, keep := c.y[r*c.n:][:c.n], c.c[r*c.k:][:c.k]
		clear(y)
		for i, present := range keep {
			if present != 0 {
				accumulate(y, c.a[(r*c.k+i)*c.n:][:c.n], shareOf(keep))
			}
		}
	}
}

// MaskedMeanGrad writes the gradient of x. dy (M,N), dx (M,T,N).
func (d *Device) MaskedMeanGrad(dx, dy, keep kernel.Buffer, m, tokens, n int) {
	c := &d.call
	c.y, c.a, c.c, c.m, c.k, c.n = at(dx, m*tokens*n), at(dy, m*n), at(keep, m*tokens), m, tokens, n
	d.split(m*tokens*n, maskedMeanGrad)
}

func maskedMeanGrad(d *Device, part, parts int) {
	c := &d.call
	first, end := share(c.m, 1, part, parts)
	for r := first; r < end; r++ {
		keep := c.c[r*c.k:][:c.k]
		for i, present := range keep {
			dx := c.y[(r*c.k+i)*c.n:][:c.n]
			clear(dx)
			if present != 0 {
				accumulate(dx, c.a[r*c.n:][:c.n], shareOf(keep))
			}
		}
	}
}

// shareOf returns 1 over the number of present tokens, of which there is one at least.
func shareOf(keep []float32) float32 {
	present := 0
	for _, k := range keep {
		if k != 0 {
			present++
		}
	}
	return 1 / float32(present)
}
