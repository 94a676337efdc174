// Fusions under a mask. A masked feature is selected away, not multiplied by zero: 0 * NaN is NaN.
#include "numbers.h"

// copy_masked writes rows of n elements, where keep (M,players) holds player p, else zeros. Row strides are in elements.
__device__ __forceinline__ void copy_masked(float *y, long long y_stride, const float *x, long long x_stride, const float *keep, long long m,
	long long n, long long p, long long players) {
	if ((n | y_stride | x_stride) % 4 == 0 && aligned(y, x)) {
		ELEMENTS(i, m * (n / 4)) {
			long long j, r = divide(i, n / 4, j);
			Quad v = quad(x + r * x_stride + 4 * j);
			bool here = keep[r * players + p] != 0;
			quad(y + r * y_stride + 4 * j) = Quad{here ? v.x : 0, here ? v.y : 0, here ? v.z : 0, here ? v.w : 0};
		}
		return;
	}
	ELEMENTS(i, m * n) {
		long long j, r = divide(i, n, j);
		y[r * y_stride + j] = keep[r * players + p] != 0 ? x[r * x_stride + j] : 0;
	}
}

// y[:, from:from+n] = keep_p x. x (M,n), y (M,total). Bytes 8 m n.
extern "C" __global__ void mm_masked_concat_part(float *y, const float *x, const float *keep, long long m, long long total, long long from,
	long long n, long long p, long long players) {
	copy_masked(y + from, total, x, n, keep, m, n, p, players);
}

// dx = keep_p dy[:, from:from+n]. dy (M,total), dx (M,n). Bytes 8 m n.
extern "C" __global__ void mm_masked_slice(float *dx, const float *dy, const float *keep, long long m, long long total, long long from,
	long long n, long long p, long long players) {
	copy_masked(dx, n, dy + from, total, keep, m, n, p, players);
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
