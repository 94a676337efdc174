// Package dnn computes convolution networks on the processor: the kernels of kernel.Convolution on plain memory.
//
//	y[n,k,h,w] = sum over c, i, j of w[k,c,i,j] x[n,c, h*strideH - padH + i, w*strideW - padW + j]
//
// Feature maps stay in the blocked layout (N,C/16,H,W,16) from layer to layer, in which a vector register holds 16 channels
// of a pixel; weights stay as PyTorch stores them and are rearranged at each call, which costs about 1% of it.
//
// Built with the tag dnnl (and cgo, on Linux), what is bound by memory (batch normalisation, pooling, sums) runs in C of this package,
// and so do, with AVX-512, 3x3 convolutions and first layers of few channels; other convolutions run in oneDNN
// (https://github.com/oneapi-src/oneDNN), on whose threads all of it runs, and which is opened when the first engine is, so that a tool
// that computes no convolution does not pay for loading it. On processors without AVX-512 it takes no blocks of 16 channels: maps are moved
// to a layout that it does take, and back. 3x3 convolutions use Winograd's algorithm F(4x4, 3x3) (Lavin
// and Gray, 2016, "Fast Algorithms for Convolutional Neural Networks") with points chosen for their error (Barabasz et al., 2020, "Error
// Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural Networks"), and F(3x3, 3x3) at the edges that tiles of 4
// do not fill; those of stride 2 are split by even and odd pixels, of which the odd use F(4x4, 2x2). With stride 1 it needs a quarter to a
// third of the multiplications, with stride 2 little more than half; its results are off by 1e-6 to 3e-6 of the largest, a direct
// convolution's by 3e-7, and a whole ResNet-18's gradients by what summing in another order changes them. Without the tag all is in Go,
// products by gonum.
//
// Limits: one group, dilation 1, float32. Results depend on the number of threads only in ConvGradWeight, where oneDNN computes it or it is
// a first layer's, and, without AVX-512, where it computes one of few channels or of one pixel as a matrix product.
package dnn
