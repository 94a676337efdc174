package onnx

import (
	"fmt"
	"slices"
)

// Pool is how a sample's output becomes its embedding.
type Pool string

// The ways to pool. A sequence is an output of (positions, D) a sample; a map is one of (D, ...), channels first.
const (
	NoPool  Pool = ""      // the output as it is
	Mean    Pool = "mean"  // the mean over a sequence's positions, those that the mask leaves out not counted
	First   Pool = "first" // the first position of a sequence: [CLS]
	Spatial Pool = "space" // the mean over all axes of a map but the first
)

// shape returns what pooling an output of that shape, without its batch axis, gives.
func (p Pool) shape(output []int) ([]int, error) {
	switch {
	case p == NoPool && len(output) == 0:
		return []int{1}, nil
	case p == NoPool:
		return output, nil
	case (p == Mean || p == First) && len(output) == 2:
		return output[1:], nil
	case p == Mean || p == First:
		return nil, fmt.Errorf("pooling %s wants an output of (positions, width) a sample, got %v", p, output)
	case p == Spatial && len(output) > 1:
		return output[:1], nil
	case p == Spatial:
		return nil, fmt.Errorf("pooling %s wants an output of channels and at least one more axis a sample, got %v", p, output)
	}
	return nil, fmt.Errorf("pooling %q: want one of %v", p, []Pool{Mean, First, Spatial})
}

// pool writes x, a sample's output of that shape, to dst. mask is of a sequence's positions, nil for all of them. Sums are float64, in
// the order of the positions.
func (p Pool) pool(dst, x []float32, shape []int, mask []float32) {
	switch p {
	case NoPool:
		copy(dst, x)
	case First:
		copy(dst, x[:len(dst)])
	case Mean:
		sums, count := make([]float64, len(dst)), 0
		for t := range shape[0] {
			if mask != nil && mask[t] == 0 {
				continue
			}
			count++
			for j, v := range x[t*len(dst) : (t+1)*len(dst)] {
				sums[j] += float64(v)
			}
		}
		for j, sum := range sums {
			dst[j] = float32(sum / float64(max(count, 1)))
		}
	case Spatial:
		each := len(x) / len(dst)
		for c := range dst {
			sum := 0.0
			for _, v := range x[c*each : (c+1)*each] {
				sum += float64(v)
			}
			dst[c] = float32(sum / float64(each))
		}
	}
}

// checkMask says whether the mask of a plan fits an output.
func (p Plan) checkMask(inputs []bound, output []int) error {
	if p.Pool != Mean || p.Mask < 0 {
		return nil
	}
	if p.Mask >= len(inputs) {
		return fmt.Errorf("mask is input %d of %d", p.Mask, len(inputs))
	}
	if got := inputs[p.Mask].shape[1:]; !slices.Equal(got, output[:1]) {
		return fmt.Errorf("a mask of %v, and an output of %v a sample", got, output)
	}
	return nil
}
