//go:build mmcuda && cgo && linux

package trial

import (
	"fmt"
	"math"
	"testing"
)

func TestSoftmaxCrossEntropy(t *testing.T) {
	d := host(t)
	nan := float32(math.NaN())
	shifts(t, func(t *testing.T, shift int) {
		for _, s := range []struct {
			m, c   int
			spread float32
			spoil  func(x, label, weight []float32)
		}{
			{1, 1, 1, nil},
			{1, 31, 1, nil},
			{7, 3, 50, nil},
			{64, 31, 4, nil},
			{65, 100, 1000, nil}, // exponentials that vanish
			{9, 4, 1, func(x, label, weight []float32) { label[3] = -1 }},
			{9, 4, 1, func(x, label, weight []float32) { label[8] = 4 }},
			{9, 4, 1, func(x, label, weight []float32) { label[0] = nan }},
			{9, 4, 1, func(x, label, weight []float32) { x[17] = nan }},
			{9, 4, 1, func(x, label, weight []float32) { weight[2], weight[5] = 0, 3 }},
		} {
			r := newRig(t, shift, s.m, s.c)
			x, label, weight := r.uniform(s.m*s.c), make([]float32, s.m), make([]float32, s.m)
			for i := range x {
				x[i] *= s.spread
			}
			for i := range label {
				label[i], weight[i] = float32(r.random.IntN(s.c)), r.random.Float32()
			}
			if s.spoil != nil {
				s.spoil(x, label, weight)
			}
			upstream := []float32{0.75}
			want := on(t, d, make([]float32, 1))
			logits, labels, weights := r.floats(x), r.floats(label), r.floats(weight)
			d.SoftmaxCrossEntropy(want, on(t, d, x), on(t, d, label), on(t, d, weight), s.m, s.c)
			loss := r.output(1)
			losses := r.doubles(s.m)
			r.launch("mm_cross_entropies", elements, losses, logits, labels, weights, s.m, s.c)
			r.launch("mm_mean_loss", blocks(1, 1, 1), loss, losses, s.m)
			near(t, fmt.Sprintf("%dx%d: loss", s.m, s.c), loss.Floats(), values(want), []float64{float64(s.spread)}, 1e-7)

			want = on(t, d, make([]float32, len(x)))
			d.SoftmaxCrossEntropyGrad(want, on(t, d, x), on(t, d, label), on(t, d, weight), on(t, d, upstream), s.m, s.c)
			r.launch("mm_softmax_cross_entropy_grad", elements, logits, logits, labels, weights, r.floats(upstream), s.m, s.c)
			near(t, fmt.Sprintf("%dx%d: gradient", s.m, s.c), logits.Floats(), values(want), nil, 2e-7)
		}
	})
}
