// Pooling of feature maps (N,C,H,W): a few comparisons or additions an element, limited by memory.
#include "numbers.h"

// y = the maximum of each window, index its place in it, a byte. Of equal pixels the first is taken; one that is not a number is.
// Bytes 4 n c h w + 5 n c oh ow.
extern "C" __global__ void __launch_bounds__(256) mm_max_pool(float *y, unsigned char *index, const float *x, long long n, long long c, long long h,
	long long w, long long kh, long long kw, long long stride_h, long long stride_w, long long pad_h, long long pad_w) {
	long long oh = (h + 2 * pad_h - kh) / stride_h + 1, ow = (w + 2 * pad_w - kw) / stride_w + 1;
	ELEMENTS(i, n * c * oh * ow) {
		long long row, column, plane = divide(divide(i, ow, column), oh, row);
		const float *p = x + plane * h * w;
		long long top = row * stride_h - pad_h, left = column * stride_w - pad_w;
		float best = -__builtin_inff();
		int place = -1;
		for (long long a = 0; a < kh; a++)
			for (long long b = 0; b < kw; b++) {
				long long s = top + a, t = left + b;
				if (s < 0 || s >= h || t < 0 || t >= w) continue;
				float v = p[s * w + t];
				if (place >= 0 && !(v > best) && v == v) continue;
				best = v;
				place = (int)(a * kw + b);
			}
		y[i] = best;
		index[i] = (unsigned char)place;
	}
}

// dx: each pixel gathers the gradients of the windows that took it, in their order. Bytes 4 n c h w + 5 n c oh ow.
extern "C" __global__ void __launch_bounds__(256) mm_max_pool_grad(float *dx, const float *dy, const unsigned char *index, long long n, long long c,
	long long h, long long w, long long kh, long long kw, long long stride_h, long long stride_w, long long pad_h, long long pad_w) {
	long long oh = (h + 2 * pad_h - kh) / stride_h + 1, ow = (w + 2 * pad_w - kw) / stride_w + 1;
	ELEMENTS(i, n * c * h * w) {
		long long s, t, plane = divide(divide(i, w, t), h, s);
		s += pad_h;
		t += pad_w;
		long long from_a = s < kh ? 0 : (s - kh) / stride_h + 1, to_a = s / stride_h < oh ? s / stride_h : oh - 1;
		long long from_b = t < kw ? 0 : (t - kw) / stride_w + 1, to_b = t / stride_w < ow ? t / stride_w : ow - 1;
		float sum = 0;
		for (long long a = from_a; a <= to_a; a++)
			for (long long b = from_b; b <= to_b; b++) {
				long long at = (plane * oh + a) * ow + b;
				if (index[at] == (s - a * stride_h) * kw + (t - b * stride_w)) sum += dy[at];
			}
		dx[i] = sum;
	}
}

// y = the mean over the pixels of frames images, a warp a channel of a row, in float64. x (N*frames,C,pixels), y (N,C). Any number
// of blocks. Bytes 4 n frames c pixels.
extern "C" __global__ void __launch_bounds__(256) mm_average_pool(float *y, const float *x, long long n, long long frames, long long c, long long pixels) {
	long long warps = blockDim.x / 32;
	for (long long item = blockIdx.x * warps + threadIdx.x / 32; item < n * c; item += gridDim.x * warps) {
		long long channel, row = divide(item, c, channel);
		double sum = 0;
		for (long long t = 0; t < frames; t++) {
			const float *p = x + ((row * frames + t) * c + channel) * pixels;
			for (long long i = threadIdx.x % 32; i < pixels; i += 32) sum += (double)p[i];
		}
		sum = warp_sum(sum);
		if (threadIdx.x % 32 == 0) y[item] = (float)(sum / (double)(frames * pixels));
	}
}

// dy (N,C), dx (N*frames,C,pixels). Bytes 4 n frames c pixels.
extern "C" __global__ void __launch_bounds__(256) mm_average_pool_grad(float *dx, const float *dy, long long n, long long frames, long long c,
	long long pixels) {
	float factor = (float)(1 / (double)(frames * pixels));
	ELEMENTS(i, n * frames * c * pixels) {
		long long rest, channel, image = divide(divide(i, pixels, rest), c, channel);
		dx[i] = dy[divide(image, frames, rest) * c + channel] * factor;
	}
}
