// Convolutions as matrix products whose one operand is gathered from the feature maps, (N,C,H,W), as the tiles need it. Exact in
// float32. FLOPs 2 n k c kh kw oh ow in each direction; bytes at least 4 (n c h w + k c kh kw + n k oh ow), and the gathered operand
// again for each tile of output channels, mostly from the cache. 3 x 3 with 64 channels and more is limited by arithmetic, 1 x 1 with
// few channels by memory.
//
// Any grid: the blocks stride over the tiles, which are of 64 x 128 (Flat), or of 32 x 32 in the narrow kernels, for the small maps of
// small minibatches. The choice changes the order of the sums and has to depend on the shape alone.
#include "convolve.h"

// y = x * w. x (N,C,H,W), w (K,C,KH,KW), y (N,K,OH,OW).
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv(float *y, const float *x, const float *w, long long n, CONV) {
	CONVOLVE(Flat, nullptr, nullptr, nullptr, false);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_narrow(float *y, const float *x, const float *w, long long n, CONV) {
	CONVOLVE(Narrow, nullptr, nullptr, nullptr, false);
}

// y = scale_k (x * w) + shift_k + residual, and max(0, y) where relu is set. residual may be null, or y.
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_affine(float *y, const float *x, const float *w, const float *scale,
	const float *shift, const float *residual, long long n, CONV, long long relu) {
	CONVOLVE(Flat, scale, shift, residual, relu != 0);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_affine_narrow(float *y, const float *x, const float *w, const float *scale,
	const float *shift, const float *residual, long long n, CONV, long long relu) {
	CONVOLVE(Narrow, scale, shift, residual, relu != 0);
}

// The gradient of x. dy (N,K,OH,OW), w (K,C,KH,KW), dx (N,C,H,W). With strides, each pixel sums over the pixels of the window that
// saw it, none over zeros.
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_grad_input(float *dx, const float *dy, const float *w, long long n, CONV) {
	CONVOLVE_BACK(Flat);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_grad_input_narrow(float *dx, const float *dy, const float *w, long long n, CONV) {
	CONVOLVE_BACK(Narrow);
}

// partial (splits,K,C,KH,KW): run s of the gradient of w sums places [s P/splits, (s+1) P/splits) of all P = n oh ow. mm_sum_splits
// adds the runs. The grid's z strides over the runs.
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_grad_weight(float *partial, const float *dy, const float *x, long long n, CONV,
	long long splits) {
	CONVOLVE_WEIGHT(Flat);
}

// dw[i] = sum over the runs of partial[run][i], in order and float64. Bytes 4 n (splits + 1).
extern "C" __global__ void __launch_bounds__(256) mm_sum_splits(float *dw, const float *partial, long long n, long long splits) {
	ELEMENTS(i, n) {
		double sum = 0;
		for (long long s = 0; s < splits; s++) sum += (double)partial[s * n + i];
		dw[i] = (float)sum;
	}
}
