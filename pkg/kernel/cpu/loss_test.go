package cpu

import (
	"fmt"
	"math"
	"testing"

	"mmtools/pkg/rng"
)

func TestSoftmaxCrossEntropy(t *testing.T) {
	for _, threads := range threadCounts {
		d := open(t, threads)
		for _, m := range []int{1, 2, 9, 64, 1000, 4097, 9000} {
			for _, c := range []int{1, 2, 5, 16, 31, 33, 256, 300, 1000} {
				if m*c > 300000 {
					continue
				}
				// 1000 is far outside of exp's range in both directions.
				for _, spread := range []float32{1, 30, 1000} {
					t.Run(fmt.Sprintf("threads %d M%d C%d spread %g", threads, m, c, spread), func(t *testing.T) {
						testLoss(t, d, m, c, spread)
					})
				}
			}
		}
	}
}

func testLoss(t *testing.T, d *Device, m, c int, spread float32) {
	r := rng.Stream(1, "loss", m, c)
	logits, label, weight := uniform(r, m*c), make([]float32, m), uniform(r, m)
	for i := range logits {
		logits[i] *= spread
	}
	size := 0.0
	for i := range label {
		label[i], weight[i] = float32(r.IntN(c)), 1.5+weight[i]
		size += (float64(spread) + math.Log(float64(c))) * float64(weight[i]) / float64(m)
	}
	const upstream = 0.75
	wantLoss, wantGrad := refLoss(logits, label, weight, upstream, m, c)
	loss, grad, in := output(t, d, 1), output(t, d, m*c), upload(t, d, logits)
	l, w, up := upload(t, d, label), upload(t, d, weight), upload(t, d, []float32{upstream})
	d.SoftmaxCrossEntropy(loss, in, l, w, m, c)
	near(t, "loss", download(d, loss), []float64{wantLoss}, []float64{size}, 1e-7)
	d.SoftmaxCrossEntropyGrad(grad, in, l, w, up, m, c)
	sizes := make([]float64, m*c)
	for i := range sizes {
		sizes[i] = math.Abs(wantGrad[i]) + 1e-7/float64(m)
	}
	near(t, "grad", download(d, grad), wantGrad, sizes, 1e-6)
	got := download(d, grad)
	d.SoftmaxCrossEntropyGrad(in, in, l, w, up, m, c)
	same(t, "grad in place", download(d, in), got)
}

// The loss of a certain answer is 0, of a hopeless one the difference of the logits, and of C equal ones log C.
func TestSoftmaxCrossEntropyValues(t *testing.T) {
	d := open(t, 2)
	for _, test := range []struct {
		name   string
		logits []float32
		label  float32
		want   float64
	}{
		{"certain", []float32{1e4, 0, -1e4}, 0, 0},
		{"hopeless", []float32{1e4, 0, -1e4}, 2, 2e4},
		{"equal", []float32{-7, -7, -7}, 1, math.Log(3)},
		{"one class", []float32{3}, 0, 0},
	} {
		loss := output(t, d, 1)
		d.SoftmaxCrossEntropy(loss, upload(t, d, test.logits), upload(t, d, []float32{test.label}), upload(t, d, []float32{1}), 1, len(test.logits))
		near(t, test.name, download(d, loss), []float64{test.want}, []float64{1 + test.want}, 1e-7)
	}
}

func TestSoftmaxCrossEntropyIsNaN(t *testing.T) {
	d := open(t, 2)
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	for _, test := range []struct {
		name   string
		logits []float32
		label  float32
	}{
		{"no class below", []float32{1, 2}, -1},
		{"no class above", []float32{1, 2}, 2},
		{"label NaN", []float32{1, 2}, nan},
		{"first logit NaN", []float32{nan, 2}, 1},
		{"last logit NaN", []float32{1, nan}, 0},
		{"logit infinite", []float32{1, inf}, 0},
	} {
		loss, grad := output(t, d, 1), output(t, d, 2)
		in, label, one := upload(t, d, test.logits), upload(t, d, []float32{test.label}), upload(t, d, []float32{1})
		d.SoftmaxCrossEntropy(loss, in, label, one, 1, 2)
		d.SoftmaxCrossEntropyGrad(grad, in, label, one, one, 1, 2)
		for _, x := range append(download(d, loss), download(d, grad)...) {
			if !math.IsNaN(float64(x)) && !math.IsInf(float64(x), 0) && test.name != "logit infinite" {
				t.Errorf("%s: %v, want NaN", test.name, x)
			}
		}
		if x := download(d, loss)[0]; !math.IsNaN(float64(x)) {
			t.Errorf("%s: loss %v, want NaN", test.name, x)
		}
	}
}
