package valuation

import (
	"math"

	"mmtools/pkg/modality"
)

// sweeper finds which coalitions of one sample are right, from the additive parts of its logits. It is used by one
// goroutine.
type sweeper struct {
	classes int
	sums    []float32 // (n,C): the sums along one path of the prefix tree
	parts   [][]float32
	label   int
	whole   []float32
	right   []bool
}

func newSweeper(n, classes int) *sweeper {
	return &sweeper{classes: classes, sums: make([]float32, n*classes), parts: make([][]float32, 0, n)}
}

// sweep writes right, (2^m) by coalition of the m parts, each (C), and the logits of them all to whole, (C). It reports
// whether the logits of every coalition are finite; the outputs are of no use where they are not.
func (s *sweeper) sweep(bias []float32, label int, whole []float32, right []bool) (finite bool) {
	if !s.small(bias) && !s.finite(bias) {
		return false
	}
	s.label, s.whole, s.right = label, whole, right
	right[0] = isRight(bias, label)
	if len(s.parts) == 0 {
		copy(whole, bias)
		return true
	}
	s.visit(bias, 0, 0, 0)
	right[len(right)-1] = isRight(whole, label)
	return true
}

// sum writes the logits of all parts to whole, (C), added in modality order as sweep does.
func (s *sweeper) sum(bias, whole []float32) {
	copy(whole, bias)
	for _, part := range s.parts {
		add(whole, whole, part)
	}
}

// visit extends coalition c of the logits sum, at depth level of the prefix tree, by each part from first on.
func (s *sweeper) visit(sum []float32, c, level, first int) {
	last := len(s.parts) - 1
	for i := first; i < last; i++ {
		next := s.sums[level*s.classes:][:s.classes]
		add(next, sum, s.parts[i])
		s.right[c|1<<i] = isRight(next, s.label)
		s.visit(next, c|1<<i, level+1, i+1)
	}
	if level == last { // every part is in
		add(s.whole, sum, s.parts[last])
		return
	}
	s.right[c|1<<last] = sumIsRight(sum, s.parts[last], s.label) // half of all coalitions; nothing extends them
}

// add writes a + b to dst.
func add(dst, a, b []float32) {
	b, dst = b[:len(a)], dst[:len(a)]
	for k, x := range a {
		dst[k] = x + b[k]
	}
}

// isRight reports whether the first maximum of logits is at label.
func isRight(logits []float32, label int) bool {
	top := logits[label]
	for _, x := range logits[:label] {
		if x >= top {
			return false
		}
	}
	for _, x := range logits[label+1:] {
		if x > top {
			return false
		}
	}
	return true
}

// sumIsRight is isRight of a + b, which is not stored.
func sumIsRight(a, b []float32, label int) bool {
	b = b[:len(a)]
	top := a[label] + b[label]
	for k, x := range a[:label] {
		if x+b[k] >= top {
			return false
		}
	}
	for k := label + 1; k < len(a); k++ {
		if a[k]+b[k] > top {
			return false
		}
	}
	return true
}

// argmax returns the first maximum's index.
func argmax(logits []float32) int32 {
	at := 0
	for k, x := range logits {
		if x > logits[at] {
			at = k
		}
	}
	return int32(at)
}

// small reports whether every number is finite and so small that no sum of them can overflow: the one check that is
// made of every sample.
func (s *sweeper) small(bias []float32) bool {
	limit := math.Float32bits(float32(math.MaxFloat32 / float64(2*len(s.parts)+2)))
	largest := largestBits(bias)
	for _, part := range s.parts {
		largest = max(largest, largestBits(part))
	}
	return largest <= limit
}

// largestBits returns the largest absolute value's bits, which are ordered as the numbers are; infinities and NaN are
// larger than every number.
func largestBits(x []float32) uint32 {
	largest := uint32(0)
	for _, v := range x {
		largest = max(largest, math.Float32bits(v)&^(1<<31))
	}
	return largest
}

// finite reports, the slow way, whether the logits of every coalition are finite.
func (s *sweeper) finite(bias []float32) bool {
	for c := range modality.All(len(s.parts)) + 1 {
		for k := range s.classes {
			sum := bias[k]
			for i := range c.Members() {
				sum += s.parts[i][k]
			}
			if !isFinite(sum) {
				return false
			}
		}
	}
	return true
}

// infinityBits are the bits of infinity; the absolute values of finite numbers have smaller ones, NaN larger.
const infinityBits = 0xff << 23

// isFinite reports whether x is neither infinite nor NaN.
func isFinite(x float32) bool { return math.Float32bits(x)&^(1<<31) < infinityBits }
