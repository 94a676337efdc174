// Fusions under a mask. A masked feature is selected away, not multiplied by zero: 0 * NaN is NaN.
#include "numbers.h"

// copy_masked writes rows of n elements, where keep (M,players) holds player p and relu, (M,n) or null, is above 0, else zeros. Row strides
// are in elements.
__device__ __forceinline__ void copy_masked(float *y, long long y_stride, const float *x, long long x_stride, const float *keep, const float *relu,
	long long m, long long n, long long p, long long players) {
	if ((n | y_stride | x_stride) % 4 == 0 && aligned(y, x, relu)) {
		ELEMENTS(i, m * (n / 4)) {
			long long j, r = divide(i, n / 4, j);
			Quad v = quad(x + r * x_stride + 4 * j), gate = {1, 1, 1, 1};
			if (relu) gate = quad(relu + r * n + 4 * j);
			bool here = keep[r * players + p] != 0;
			quad(y + r * y_stride + 4 * j) =
				Quad{here && gate.x > 0 ? v.x : 0, here && gate.y > 0 ? v.y : 0, here && gate.z > 0 ? v.z : 0, here && gate.w > 0 ? v.w : 0};
		}
		return;
	}
	ELEMENTS(i, m * n) {
		long long j, r = divide(i, n, j);
		bool here = keep[r * players + p] != 0 && (!relu || relu[i] > 0);
		y[r * y_stride + j] = here ? x[r * x_stride + j] : 0;
	}
}

// y[:, from:from+n] = keep_p x for up to four parts (x, from, n, p), one for each blockIdx.y. x (M,n), y (M,total), keep (M,players). Bytes 8 m n
// of each.
extern "C" __global__ void mm_masked_concat(float *y, const float *keep, long long m, long long total, long long players, const float *x0,
	long long from0, long long n0, long long p0, const float *x1, long long from1, long long n1, long long p1, const float *x2, long long from2,
	long long n2, long long p2, const float *x3, long long from3, long long n3, long long p3) {
	unsigned part = blockIdx.y;
	const float *x = part == 0 ? x0 : part == 1 ? x1 : part == 2 ? x2 : x3;
	long long from = part == 0 ? from0 : part == 1 ? from1 : part == 2 ? from2 : from3;
	long long n = part == 0 ? n0 : part == 1 ? n1 : part == 2 ? n2 : n3;
	long long p = part == 0 ? p0 : part == 1 ? p1 : part == 2 ? p2 : p3;
	copy_masked(y + from, total, x, n, keep, nullptr, m, n, p, players);
}

// dx = keep_p dy[:, from:from+n], and 0 where y, which may be null, is not above 0. dy (M,total), dx and y (M,n). Bytes 8 m n, with y 12 m n.
extern "C" __global__ void mm_masked_slice(float *dx, const float *dy, const float *keep, const float *y, long long m, long long total,
	long long from, long long n, long long p, long long players) {
	copy_masked(dx, n, dy + from, total, keep, y, m, n, p, players);
}

// y = keep_p x on the first, else y += keep_p x. x, y (M,N). Bytes 12 m n, FLOPs m n.
extern "C" __global__ void mm_masked_sum_part(float *y, const float *x, const float *keep, long long m, long long n, long long p,
	long long players, long long first) {
	ELEMENTS(i, m * n) {
		long long j, r = divide(i, n, j);
		float v = first ? 0 : y[i];
		if (keep[r * players + p] != 0) v += x[i];
		y[i] = v;
	}
}

// y = gamma x + beta; modulator (M,2N) is [gamma, beta]. Bytes 16 m n, FLOPs 2 m n.
extern "C" __global__ void mm_modulate(float *y, const float *modulator, const float *x, long long m, long long n) {
	ELEMENTS(i, m * n) {
		long long j, r = divide(i, n, j);
		const float *gamma = modulator + 2 * r * n + j;
		y[i] = gamma[0] * x[i] + gamma[n];
	}
}

// dx = dy gamma. Bytes 12 m n, FLOPs m n.
extern "C" __global__ void mm_modulate_grad_input(float *dx, const float *dy, const float *modulator, long long m, long long n) {
	ELEMENTS(i, m * n) {
		long long j, r = divide(i, n, j);
		dx[i] = dy[i] * modulator[2 * r * n + j];
	}
}

// dmodulator = [dy x, dy]. Bytes 16 m n, FLOPs m n.
extern "C" __global__ void mm_modulate_grad_modulator(float *dmodulator, const float *dy, const float *x, long long m, long long n) {
	ELEMENTS(i, m * n) {
		long long j, r = divide(i, n, j);
		float *gamma = dmodulator + 2 * r * n + j, g = dy[i];
		gamma[0] = g * x[i];
		gamma[n] = g;
	}
}
