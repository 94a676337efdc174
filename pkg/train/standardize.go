package train

import (
	"math"

	"mmtools/pkg/network"
)

// standardization fills the buffers of the model's standardized modalities from the training samples: the mean of every
// element over the samples that have the modality, and scale = 1 / (deviation + 1e-6), the deviation over n. An element
// that never varied in training gets scale 0: its weights stay as they were drawn, so that it could only add noise.
// Sums are in float64, in row order.
func standardization(spec network.Spec, l network.Layout, s *Samples) []float32 {
	buffers := make([]float32, l.BufferSize)
	at := 0
	for p, c := range spec.Modalities {
		if !c.Standardize {
			continue
		}
		mean, scale := l.Buffers[at].In(buffers), l.Buffers[at+1].In(buffers)
		at += 2
		moments(p, s, mean, scale)
	}
	return buffers
}

func moments(p int, s *Samples, mean, scale []float32) {
	size := len(mean)
	row, sum, squares := make([]float32, size), make([]float64, size), make([]float64, size)
	count := 0.0
	for r := range s.Rows() {
		if !s.copyRow(p, r, row) {
			continue
		}
		count++
		for i, v := range row {
			sum[i] += float64(v)
		}
	}
	if count == 0 {
		return
	}
	for i := range sum {
		sum[i] /= count
		mean[i] = float32(sum[i])
	}
	for r := range s.Rows() {
		if !s.copyRow(p, r, row) {
			continue
		}
		for i, v := range row {
			d := float64(v) - sum[i]
			squares[i] += d * d
		}
	}
	for i, q := range squares {
		if q > 0 {
			scale[i] = float32(1 / (math.Sqrt(q/count) + 1e-6))
		}
	}
}
