// Package kernel defines the numeric kernels that a device offers: dense linear algebra, convolution networks, masked
// fusion, the loss and the optimizer steps, all on float32.
//
// Matrices are row major. M is the number of rows in use of a minibatch, which may be fewer than were planned for.
// Kernels do not allocate, do not check sizes beyond what a bug would break, and run in the order they are called.
// Implementations: kernel/cpu, kernel/cuda.
package kernel

import "math"

// Buffer is a run of float32 in a device's memory.
type Buffer interface {
	// Len returns the number of elements.
	Len() int
	// Slice returns elements from (inclusive) to to (exclusive), sharing memory.
	Slice(from, to int) Buffer
}

// Shared is a Buffer in memory that the host shares: what is written there needs no Upload.
type Shared interface {
	Buffer
	// Host returns the buffer's elements themselves.
	Host() []float32
}

// Device runs kernels. A Device is used by one goroutine at a time.
type Device interface {
	// Name returns the device's name as --device takes it, such as "cpu".
	Name() string
	// Alloc returns n zeros, aligned to 64 bytes.
	Alloc(n int) (Buffer, error)
	// Upload copies src into the first len(src) elements of dst.
	Upload(dst Buffer, src []float32)
	// Download copies the first len(dst) elements of src into dst; what was queued before is finished first.
	Download(dst []float32, src Buffer)
	// Err returns the first failure of the device itself, such as a lost card, or nil. What it computed since is not to be
	// used. Whoever downloads a result asks for it.
	Err() error
	// Close frees the device and all its buffers.
	Close() error

	Dense
	Convolution
	Elementwise
	Fusion
	Modulation
	Tokens
	Loss
	Update
}

// Dense is the linear layers' algebra.
type Dense interface {
	// Linear writes y = x wᵀ + b, and max(0, y) where relu is set. x (M,K), w (N,K) as PyTorch stores it, b (N), y (M,N).
	// b may be nil where relu is not set.
	Linear(y, x, w, b Buffer, m, n, k int, relu bool)
	// LinearGradWeight writes dw = dyᵀ x. dy (M,N), x (M,K), dw (N,K).
	LinearGradWeight(dw, dy, x Buffer, m, n, k int)
	// LinearGradInput writes dx = dy w. dy (M,N), w (N,K), dx (M,K).
	LinearGradInput(dx, dy, w Buffer, m, n, k int)
	// SumRows writes the column sums of x, (M,N), to y, (N), adding in row order.
	SumRows(y, x Buffer, m, n int)
	// ReLUGrad writes dx = dy where y > 0, else 0, over n elements; dx may be dy.
	ReLUGrad(dx, dy, y Buffer, n int)
	// Standardize writes y = (x - mean) * scale. x, y (M,N,pixels); mean, scale (N), each for its pixels; y may be x.
	Standardize(y, x, mean, scale Buffer, m, n, pixels int)
	// Add writes y = a + b over n elements; y may be a or b.
	Add(y, a, b Buffer, n int)
	// Copy writes y = x over n elements.
	Copy(y, x Buffer, n int)
}

// Fusion joins the features of modalities under the mask keep, (M,P), 1 where modality p of a row is present and 0 where
// it is masked. A masked feature is exactly zero, even where the feature is not finite.
type Fusion interface {
	// MaskedConcat writes y = [keep_0 x_0, keep_1 x_1, ...]. x[p] (M,widths[p]), y (M, sum of widths).
	// A width of 0 leaves a modality out.
	MaskedConcat(y Buffer, x []Buffer, widths []int, keep Buffer, m int)
	// MaskedSum writes y = sum over p of keep_p x_p. x[p] and y (M,N).
	MaskedSum(y Buffer, x []Buffer, keep Buffer, m, n int)
	// MaskedSlice writes dx = keep_p dy[:, from:from+n], and 0 where y, which may be nil, is not above 0. dy (M,total), dx and y (M,n), keep
	// (M,players). It is the gradient of both fusions, and of a ReLU before them, whose result is y.
	MaskedSlice(dx, dy, keep, y Buffer, m, total, from, n, p, players int)
}

// Loss is the weighted softmax cross-entropy
//
//	loss = 1/M * sum over rows of weight_m * (log sum_c exp(logits_mc) - logits_m,label_m).
//
// Labels are class indices held as float32. Sums are in float64, in row order.
type Loss interface {
	// SoftmaxCrossEntropy writes the loss to loss[0]. logits (M,C), label (M), weight (M).
	SoftmaxCrossEntropy(loss, logits, label, weight Buffer, m, c int)
	// SoftmaxCrossEntropyGrad writes dlogits = upstream[0] * weight_m / M * (softmax(logits_m) - onehot(label_m)).
	SoftmaxCrossEntropyGrad(dlogits, logits, label, weight, upstream Buffer, m, c int)
}

// Update is the optimizer step, over n parameters held in one run.
type Update interface {
	// ClipScale writes min(1, maxNorm / (‖g‖ + 1e-6)) to scale[0] (torch.nn.utils.clip_grad_norm_), ‖g‖ summed in float64.
	ClipScale(scale, g Buffer, n int, maxNorm float32)
	// Adam takes one step of Adam or AdamW, the one whose o.Rates are in rates; the gradient is first multiplied by scale[0] where
	// scale is not nil.
	Adam(p, g, m, v, scale, rates Buffer, n int, o Adam)
	// SGD takes one step of SGD with momentum, the one whose o.Rates are in rates; buf is unused where Momentum is 0.
	SGD(p, g, buf, scale, rates Buffer, n int, o SGD)
}

// RateCount is the number of scalars that change from step to step: the device reads them from memory, so that one recording serves
// all steps.
const RateCount = 3

// Adam is Adam or AdamW as torch.optim defines them. The step numbered t, 1 for the first, with learning rate LR is
//
//	g += WeightDecay p           (Adam)      p *= 1 - LR WeightDecay   (AdamW, Decoupled)
//	m = Beta1 m + (1-Beta1) g    v = Beta2 v + (1-Beta2) g²
//	p -= LR / (1-Beta1^t) * m / (sqrt(v) / sqrt(1-Beta2^t) + Epsilon)
type Adam struct {
	Beta1, Beta2, Epsilon, WeightDecay float64
	Decoupled                          bool
}

// Rates returns what changes from step to step, taken in float64 and rounded once, as PyTorch does: what p is multiplied by,
// 1 / sqrt(1-Beta2^t), and LR / (1-Beta1^t).
func (o Adam) Rates(t int64, lr float64) [RateCount]float32 {
	shrink := 1.0
	if o.Decoupled {
		shrink -= lr * o.WeightDecay
	}
	correction1, correction2 := 1-math.Pow(o.Beta1, float64(t)), 1-math.Pow(o.Beta2, float64(t))
	return [RateCount]float32{float32(shrink), float32(1 / math.Sqrt(correction2)), float32(lr / correction1)}
}

// SGD is SGD as torch.optim defines it, without dampening or Nesterov. A step with learning rate LR is
//
//	g += WeightDecay p;  buf = g in the first step, else Momentum buf + g;  p -= LR buf.
type SGD struct {
	Momentum, WeightDecay float64
}

// Rates returns what changes from step to step: LR, and what buf, which has to be finite, is multiplied by.
func (o SGD) Rates(t int64, lr float64) [RateCount]float32 {
	if t == 1 {
		return [RateCount]float32{float32(lr)}
	}
	return [RateCount]float32{float32(lr), float32(o.Momentum)}
}
