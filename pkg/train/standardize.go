package train

import (
	"math"

	"mmtools/pkg/augment"
	"mmtools/pkg/network"
)

// standardization fills the buffers of the model's standardized modalities from the samples trained on: mean, and scale =
// 1 / (deviation + 1e-6), the deviation over n, of every element over the samples that have the modality, or of every
// channel over all its pixels too. What never varied in training gets scale 0: its weights stay as they were drawn, so
// that it could only add noise. Sums are in float64, in row order.
func standardization(spec network.Spec, l network.Layout, s *Samples, buffers []float32) error {
	for p, c := range spec.Modalities {
		if !c.Standardize {
			continue
		}
		mean, scale, pixels, err := l.StandardizeSlots(c)
		if err != nil {
			return err
		}
		seen, err := c.Seen()
		if err != nil {
			return err
		}
		read, err := s.reader(p, c)
		if err != nil {
			return err
		}
		trained := func(row int, dst []float32) bool { return !s.isLeftOut(row) && read(row, dst) }
		moments(s.Rows(), trained, seen.Size(), pixels, mean.In(buffers), scale.In(buffers))
	}
	return nil
}

// reader returns a function that copies modality p of a row, prepared as in an evaluation, to dst, and reports whether the
// sample has it.
func (s *Samples) reader(p int, c network.Channel) (func(row int, dst []float32) bool, error) {
	t, err := c.Transform()
	if err != nil || t == (augment.Transform{}) {
		return func(row int, dst []float32) bool { return s.copyRow(p, row, dst) }, err
	}
	w, err := t.NewWorker(c.Shape)
	if err != nil {
		return nil, err
	}
	raw := make([]float32, c.Size())
	return func(row int, dst []float32) bool {
		if !s.copyRow(p, row, raw) {
			return false
		}
		w.Evaluate(dst, raw)
		return true
	}, nil
}

// moments computes the mean and scale of what read gives of each of rows samples: size elements, pixels consecutive ones a
// mean.
func moments(samples int, read func(row int, dst []float32) bool, size, pixels int, mean, scale []float32) {
	row := make([]float32, size)
	// each calls f with every run of elements that share a mean.
	each := func(f func(k int, values []float32)) (rows int) {
		for r := range samples {
			if !read(r, row) {
				continue
			}
			rows++
			for at, k := 0, 0; at < size; at, k = at+pixels, (k+1)%len(mean) {
				f(k, row[at:at+pixels])
			}
		}
		return rows
	}
	sum, squares := make([]float64, len(mean)), make([]float64, len(mean))
	count := float64(size/len(mean)) * float64(each(func(k int, values []float32) {
		for _, v := range values {
			sum[k] += float64(v)
		}
	}))
	if count == 0 {
		return
	}
	for k := range sum {
		sum[k] /= count
		mean[k] = float32(sum[k])
	}
	each(func(k int, values []float32) {
		for _, v := range values {
			d := float64(v) - sum[k]
			squares[k] += d * d
		}
	})
	for k, q := range squares {
		if q > 0 {
			scale[k] = float32(1 / (math.Sqrt(q/count) + 1e-6))
		}
	}
}
