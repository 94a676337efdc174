package kernel

import "fmt"

// Lane is what the channels of a blocked feature map are a multiple of: as many lie side by side on the CPU.
const Lane = 16

// Image is the shape of one feature map: C channels of H rows of W pixels. A sequence is an Image with H = 1.
//
// N feature maps lie in memory as (N,C,H,W), plain, or, where C is a multiple of 16, blocked, in a layout of the device's own: on the CPU
// (N,C/16,H,W,16), on a card (N,H,W,C) or as plain ones. All hold N*C*H*W elements, float32; a Narrower may keep blocked ones in bfloat16.
type Image struct{ C, H, W int }

// Size returns the number of elements of one feature map.
func (i Image) Size() int { return i.C * i.H * i.W }

// Blocked reports whether the feature maps are kept in the device's own layout.
func (i Image) Blocked() bool { return i.C%Lane == 0 }

// String returns the shape as C x H x W.
func (i Image) String() string { return fmt.Sprintf("%dx%dx%d", i.C, i.H, i.W) }

// Window is what a convolution or a pooling looks at: KH x KW pixels, moved by strides over an image with a border of
// padding. The padding counts on both sides.
type Window struct{ KH, KW, StrideH, StrideW, PadH, PadW int }

// Square returns the k x k window.
func Square(k, stride, pad int) Window { return Window{k, k, stride, stride, pad, pad} }

// over returns the number of places of the window over h rows of w pixels.
func (w Window) over(h, width int) (int, int) {
	return (h+2*w.PadH-w.KH)/w.StrideH + 1, (width+2*w.PadW-w.KW)/w.StrideW + 1
}

func (w Window) check(in Image) error {
	switch {
	case in.C < 1 || in.H < 1 || in.W < 1:
		return fmt.Errorf("image %v: want at least one of each", in)
	case w.KH < 1 || w.KW < 1 || w.StrideH < 1 || w.StrideW < 1 || w.PadH < 0 || w.PadW < 0:
		return fmt.Errorf("window %+v: want sizes and strides of at least one", w)
	case w.KH > in.H+2*w.PadH || w.KW > in.W+2*w.PadW:
		return fmt.Errorf("window %dx%d does not fit in %v padded by %d and %d", w.KH, w.KW, in, w.PadH, w.PadW)
	case w.PadH >= w.KH || w.PadW >= w.KW:
		return fmt.Errorf("window %dx%d sees nothing but its padding of %d and %d", w.KH, w.KW, w.PadH, w.PadW)
	}
	return nil
}

// Conv is the shape of a convolution from In to K channels, without bias. Its weights are (K,C,KH,KW), as PyTorch
// stores them.
type Conv struct {
	In Image
	K  int
	Window
}

// Out returns the shape of the result.
func (c Conv) Out() Image {
	h, w := c.over(c.In.H, c.In.W)
	return Image{C: c.K, H: h, W: w}
}

// Weights returns the number of weights.
func (c Conv) Weights() int { return c.K * c.In.C * c.KH * c.KW }

// Flops returns the floating-point operations of one direction for n images, a multiplication and an addition counted as
// two, by the definition (a faster algorithm does fewer).
func (c Conv) Flops(n int) float64 {
	out := c.Out()
	return 2 * float64(n) * float64(c.Weights()) * float64(out.H) * float64(out.W)
}

// Check returns an error that tells what no convolution could have.
func (c Conv) Check() error {
	if c.K < 1 {
		return fmt.Errorf("convolution to %d channels: want at least one", c.K)
	}
	return c.check(c.In)
}

// Pool is the shape of a max pooling of at most 256 pixels.
type Pool struct {
	In Image
	Window
}

// Out returns the shape of the result.
func (p Pool) Out() Image {
	h, w := p.over(p.In.H, p.In.W)
	return Image{C: p.In.C, H: h, W: w}
}

// Indices returns the number of float32 that hold the places of the maxima of n images, a byte each.
func (p Pool) Indices(n int) int { return (n*p.Out().Size() + 3) / 4 }

// Check returns an error that tells what no pooling could have.
func (p Pool) Check() error {
	if p.KH*p.KW > 256 {
		return fmt.Errorf("pooling of %dx%d pixels: want at most 256", p.KH, p.KW)
	}
	return p.check(p.In)
}

// Norm is a batch normalisation's vectors, each (C). Mean and InvStd are of the minibatch: BatchNorm writes them for
// BatchNormGrad. RunningMean and RunningVar are the buffers that evaluation uses.
type Norm struct {
	Gamma, Beta             Buffer
	Mean, InvStd            Buffer
	RunningMean, RunningVar Buffer
}

// NormStep holds a batch normalisation's scalars: PyTorch's defaults are 0.1 and 1e-5.
type NormStep struct{ Momentum, Epsilon float32 }

// Preparer is a device that has to open what it runs convolution networks with, and may not find it. Programs with such kernels
// are to call it before the first runs.
type Preparer interface{ PrepareConvolutions() error }

// Pass is one of a convolution's kernels.
type Pass int

// The passes: of Conv and ConvAffine, ConvGradInput, ConvGradWeight.
const (
	ConvForward Pass = iota
	ConvBackInput
	ConvBackWeight
)

// ConvRun is a convolution as a program will ask for it, on N images.
type ConvRun struct {
	Pass     Pass
	N        int
	Conv     Conv
	Residual bool // of ConvAffine, which has one
	Lane     int  // of a Laner
}

// Workspacer is a Device whose convolutions work in memory of its own, beside their operands.
type Workspacer interface {
	Device
	// Workspace returns the bytes that the runs work in, by their lanes: those of a lane one after the other. It takes none.
	Workspace(runs []ConvRun) ([]int64, error)
	// Reserve takes as much, so that the runs find it. Where it does not fit the error is a *MemoryError.
	Reserve(runs []ConvRun) error
}

// Convolution is the kernels of convolution networks. N is the number of images in use: rows, or rows times frames.
// Feature maps lie as Image says, in the same shape in and out unless a comment tells otherwise. Sums over images and
// pixels are in float64, in an order that does not depend on the number of threads, except in ConvGradWeight, where it
// depends on that alone.
type Convolution interface {
	// Conv writes y = x * w. x (N,In), w (K,C,KH,KW), y (N,Out).
	Conv(y, x, w Buffer, n int, c Conv)
	// ConvAffine writes y = scale_k (x * w) + shift_k + residual, and max(0, y) where relu is set: a convolution, a batch
	// normalisation as FoldNorm gives it, a residual and an activation of an evaluation. scale, shift (K); residual
	// (N,Out) may be nil or y.
	ConvAffine(y, x, w, scale, shift, residual Buffer, n int, c Conv, relu bool)
	// ConvGradInput writes the gradient of x. dy (N,Out), dx (N,In).
	ConvGradInput(dx, dy, w Buffer, n int, c Conv)
	// ConvGradWeight writes the gradient of w. dy (N,Out), x (N,In), dw (K,C,KH,KW).
	ConvGradWeight(dw, dy, x Buffer, n int, c Conv)

	// BatchNorm writes y = gamma (x - mean) / sqrt(var + epsilon) + beta + residual, and max(0, y) where relu is set,
	// with the minibatch's mean and biased variance a channel (Ioffe and Szegedy 2015). It keeps mean and
	// 1/sqrt(var + epsilon), and moves the running statistics, the variance unbiased, by the momentum. residual may be
	// nil; y may be x or residual.
	BatchNorm(y, x, residual Buffer, p Norm, n int, i Image, s NormStep, relu bool)
	// BatchNormGrad writes the gradients of x, gamma and beta. Where relu was set, dy counts only where BatchNorm's result was
	// positive; where a residual was, its gradient is written to dresidual (nil where not). y is that result where both are, and
	// not read where not: without a residual x tells its sign, computed as BatchNorm did, to the bit. dx and dresidual may be dy,
	// not each other.
	BatchNormGrad(dx, dresidual, dgamma, dbeta, dy, x, y Buffer, p Norm, n int, i Image, relu bool)
	// FoldNorm writes scale = gamma / sqrt(running variance + epsilon) and shift = beta - scale * running mean. scale,
	// shift (C).
	FoldNorm(scale, shift Buffer, p Norm, c int, s NormStep)
	// Affine writes y = scale_c x + shift_c + residual, and max(0, y) where relu is set. residual may be nil; y may be x
	// or residual.
	Affine(y, x, scale, shift, residual Buffer, n int, i Image, relu bool)

	// MaxPool writes the maximum of each window and its place in it. x (N,In), y (N,Out), index (Indices(N)).
	MaxPool(y, index, x Buffer, n int, p Pool)
	// MaxPoolGrad writes the gradient of x. dy (N,Out), dx (N,In).
	MaxPoolGrad(dx, dy, index Buffer, n int, p Pool)
	// AveragePool writes the mean over the pixels of frames images each. x (N*frames,C,H,W), y (N,C), plain.
	AveragePool(y, x Buffer, n, frames int, i Image)
	// AveragePoolGrad writes the gradient of x. dy (N,C), dx (N*frames,C,H,W).
	AveragePoolGrad(dx, dy Buffer, n, frames int, i Image)

	// Arrange writes (N,C,H,W) as Image says; x and y must differ. ArrangePlain is its inverse, and the gradient of both
	// is the other one.
	Arrange(y, x Buffer, n int, i Image)
	// ArrangePlain writes feature maps as (N,C,H,W).
	ArrangePlain(y, x Buffer, n int, i Image)
}
