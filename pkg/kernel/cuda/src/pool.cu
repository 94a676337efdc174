// Pooling of feature maps, (N,C,H,W) and channels last: a few comparisons or additions an element, limited by memory.
#include "last.h"

// Best is the maximum of a window so far, and its place in it. Of equal pixels the first is taken; one that is not a number is.
struct Best {
	float value = -__builtin_inff();
	int place = -1;

	__device__ __forceinline__ void see(float v, int at) {
		if (place >= 0 && !(v > value) && v == v) return;
		value = v;
		place = at;
	}
};

// Windows is the windows that see a pixel, along one side: from (inclusive) to (inclusive).
struct Windows {
	long long from, to;

	__device__ __forceinline__ Windows(long long padded, long long k, long long stride, long long out)
		: from(padded < k ? 0 : (padded - k) / stride + 1), to(padded / stride < out ? padded / stride : out - 1) {}
};

// y = the maximum of each window, index its place in it, a byte.
// Bytes 4 n c h w + 5 n c oh ow.
extern "C" __global__ void __launch_bounds__(256) mm_max_pool(float *y, unsigned char *index, const float *x, long long n, long long c, long long h,
	long long w, long long kh, long long kw, long long stride_h, long long stride_w, long long pad_h, long long pad_w) {
	long long oh = (h + 2 * pad_h - kh) / stride_h + 1, ow = (w + 2 * pad_w - kw) / stride_w + 1;
	ELEMENTS(i, n * c * oh * ow) {
		long long row, column, plane = divide(divide(i, ow, column), oh, row);
		const float *p = x + plane * h * w;
		long long top = row * stride_h - pad_h, left = column * stride_w - pad_w;
		Best best;
		for (long long a = 0; a < kh; a++)
			for (long long b = 0; b < kw; b++) {
				long long s = top + a, t = left + b;
				if (s >= 0 && s < h && t >= 0 && t < w) best.see(p[s * w + t], (int)(a * kw + b));
			}
		y[i] = best.value;
		index[i] = (unsigned char)best.place;
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
		Windows high(s, kh, stride_h, oh), wide(t, kw, stride_w, ow);
		float sum = 0;
		for (long long a = high.from; a <= high.to; a++)
			for (long long b = wide.from; b <= wide.to; b++) {
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

// Places is the places of N maxima, a byte each.
template <int N>
struct alignas(N) Places {
	unsigned char at[N];
};

// As mm_max_pool and mm_max_pool_grad, channels last, 16 bytes of channels a thread.
template <class T>
__device__ __forceinline__ void max_pool(T *y, unsigned char *index, const T *x, long long n, long long c, long long h, long long w, long long kh,
	long long kw, long long stride_h, long long stride_w, long long pad_h, long long pad_w) {
	constexpr int N = across<T>;
	long long oh = (h + 2 * pad_h - kh) / stride_h + 1, ow = (w + 2 * pad_w - kw) / stride_w + 1;
	ELEMENTS(i, n * oh * ow * (c / N)) {
		long long group, row, column, image = divide(divide(divide(i, c / N, group), ow, column), oh, row);
		long long top = row * stride_h - pad_h, left = column * stride_w - pad_w;
		Best best[N];
		for (long long a = 0; a < kh; a++)
			for (long long b = 0; b < kw; b++) {
				long long s = top + a, t = left + b;
				if (s < 0 || s >= h || t < 0 || t >= w) continue;
				float v[N];
				load(v, x + ((image * h + s) * w + t) * c + group * N);
#pragma unroll
				for (int e = 0; e < N; e++) best[e].see(v[e], (int)(a * kw + b));
			}
		float v[N];
		Places<N> places;
#pragma unroll
		for (int e = 0; e < N; e++) {
			v[e] = best[e].value;
			places.at[e] = (unsigned char)best[e].place;
		}
		store(y + i * N, v);
		*(Places<N> *)(index + i * N) = places;
	}
}

template <class T>
__device__ __forceinline__ void max_pool_grad(T *dx, const T *dy, const unsigned char *index, long long n, long long c, long long h, long long w,
	long long kh, long long kw, long long stride_h, long long stride_w, long long pad_h, long long pad_w) {
	constexpr int N = across<T>;
	long long oh = (h + 2 * pad_h - kh) / stride_h + 1, ow = (w + 2 * pad_w - kw) / stride_w + 1;
	ELEMENTS(i, n * h * w * (c / N)) {
		long long group, s, t, image = divide(divide(divide(i, c / N, group), w, t), h, s);
		s += pad_h;
		t += pad_w;
		Windows high(s, kh, stride_h, oh), wide(t, kw, stride_w, ow);
		float sum[N] = {};
		for (long long a = high.from; a <= high.to; a++)
			for (long long b = wide.from; b <= wide.to; b++) {
				long long at = ((image * oh + a) * ow + b) * c + group * N, place = (s - a * stride_h) * kw + (t - b * stride_w);
				Places<N> places = *(const Places<N> *)(index + at);
				float g[N];
				load(g, dy + at);
#pragma unroll
				for (int e = 0; e < N; e++)
					if (places.at[e] == place) sum[e] += g[e];
			}
		store(dx + i * N, sum);
	}
}

extern "C" __global__ void __launch_bounds__(256) mm_last_max_pool(float *y, unsigned char *index, const float *x, long long n, long long c, long long h,
	long long w, long long kh, long long kw, long long stride_h, long long stride_w, long long pad_h, long long pad_w) {
	max_pool(y, index, x, n, c, h, w, kh, kw, stride_h, stride_w, pad_h, pad_w);
}
extern "C" __global__ void __launch_bounds__(256) mm_last_max_pool_bf16(bf16 *y, unsigned char *index, const bf16 *x, long long n, long long c, long long h,
	long long w, long long kh, long long kw, long long stride_h, long long stride_w, long long pad_h, long long pad_w) {
	max_pool(y, index, x, n, c, h, w, kh, kw, stride_h, stride_w, pad_h, pad_w);
}

extern "C" __global__ void __launch_bounds__(256) mm_last_max_pool_grad(float *dx, const float *dy, const unsigned char *index, long long n, long long c, long long h,
	long long w, long long kh, long long kw, long long stride_h, long long stride_w, long long pad_h, long long pad_w) {
	max_pool_grad(dx, dy, index, n, c, h, w, kh, kw, stride_h, stride_w, pad_h, pad_w);
}
extern "C" __global__ void __launch_bounds__(256) mm_last_max_pool_grad_bf16(bf16 *dx, const bf16 *dy, const unsigned char *index, long long n, long long c, long long h,
	long long w, long long kh, long long kw, long long stride_h, long long stride_w, long long pad_h, long long pad_w) {
	max_pool_grad(dx, dy, index, n, c, h, w, kh, kw, stride_h, stride_w, pad_h, pad_w);
}

// As mm_average_pool, of x (N,rows,C), rows being the pixels of a row's frames. y (N,C), float32. Bytes sizeof(T) n rows c.
template <class T>
__device__ __forceinline__ void average_pool(float *y, const T *x, long long n, long long rows, long long c, double *shared) {
	constexpr int N = across<T>;
	sum_columns<1, N>(
		Strips<N>(n * rows, c, n), shared, [](long long) {},
		[&](long long i, double(&sums)[1][N]) {
			float v[N];
			load(v, x + i);
#pragma unroll
			for (int e = 0; e < N; e++) sums[0][e] += (double)v[e];
		},
		[&](long long row, long long channel, int, double sum) { y[row * c + channel] = (float)(sum / (double)rows); });
}

extern "C" __global__ void __launch_bounds__(256) mm_last_average_pool(float *y, const float *x, long long n, long long rows, long long c) {
	__shared__ double shared[256 * across<float>];
	average_pool(y, x, n, rows, c, shared);
}
extern "C" __global__ void __launch_bounds__(256) mm_last_average_pool_bf16(float *y, const bf16 *x, long long n, long long rows, long long c) {
	__shared__ double shared[256 * across<bf16>];
	average_pool(y, x, n, rows, c, shared);
}

// dy (N,C), float32, dx (N,rows,C). Bytes sizeof(T) n rows c.
template <class T>
__device__ __forceinline__ void average_pool_grad(T *dx, const float *dy, long long n, long long rows, long long c) {
	constexpr int N = across<T>;
	float factor = (float)(1 / (double)rows);
	ELEMENTS(i, n * rows * (c / N)) {
		long long group, rest, image = divide(divide(i, c / N, group), rows, rest);
		float g[N];
		numbers(g, dy + image * c + group * N);
#pragma unroll
		for (int e = 0; e < N; e++) g[e] *= factor;
		store(dx + i * N, g);
	}
}

extern "C" __global__ void __launch_bounds__(256) mm_last_average_pool_grad(float *dx, const float *dy, long long n, long long rows, long long c) {
	average_pool_grad(dx, dy, n, rows, c);
}
extern "C" __global__ void __launch_bounds__(256) mm_last_average_pool_grad_bf16(bf16 *dx, const float *dy, long long n, long long rows, long long c) {
	average_pool_grad(dx, dy, n, rows, c);
}
