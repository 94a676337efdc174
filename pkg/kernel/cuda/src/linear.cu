// The linear layers' products, exact in float32: FLOPs 2 m n k, bytes 4 (m k + n k + m n) and more where the strips of a tile are
// read again by the next (each operand once a tile across it). The ridge of a card with 60 TFLOP/s of float32 and 4 TB/s is at 15
// FLOP a byte: products of more than some 60 rows and columns are limited by arithmetic, smaller ones by the launch.
//
// Each comes in tiles of 64 x 64, in narrow ones of 32 x 32 for results that would give too few tiles to fill the card, and in wide
// ones of 128 x 128 for large ones. Every choice gives sums of its own order, so the choice has to depend on the shape alone.
// Any grid: the blocks stride over the tiles.
#include "linear.h"

// y = x wT + b, and max(0, y) where relu is set. x (M,K), w (N,K), b (N) or null, y (M,N).
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear(float *y, const float *x, const float *w, const float *b, long long m,
	long long n, long long k, long long relu) {
	LINEAR(Medium);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_narrow(float *y, const float *x, const float *w, const float *b, long long m,
	long long n, long long k, long long relu) {
	LINEAR(Narrow);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_wide(float *y, const float *x, const float *w, const float *b, long long m,
	long long n, long long k, long long relu) {
	LINEAR(Wide);
}

// dw = dyT x. dy (M,N), x (M,K), dw (N,K).
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_grad_weight(float *dw, const float *dy, const float *x, long long m, long long n,
	long long k) {
	LINEAR_GRAD_WEIGHT(Medium);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_grad_weight_narrow(float *dw, const float *dy, const float *x, long long m,
	long long n, long long k) {
	LINEAR_GRAD_WEIGHT(Narrow);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_grad_weight_wide(float *dw, const float *dy, const float *x, long long m,
	long long n, long long k) {
	LINEAR_GRAD_WEIGHT(Wide);
}

// dx = dy w. dy (M,N), w (N,K), dx (M,K).
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_grad_input(float *dx, const float *dy, const float *w, long long m, long long n,
	long long k) {
	LINEAR_GRAD_INPUT(Medium);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_grad_input_narrow(float *dx, const float *dy, const float *w, long long m,
	long long n, long long k) {
	LINEAR_GRAD_INPUT(Narrow);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_grad_input_wide(float *dx, const float *dy, const float *w, long long m,
	long long n, long long k) {
	LINEAR_GRAD_INPUT(Wide);
}

// y += b, and max(0, y) where relu is set: what a product by a library leaves to do. b may be null. Bytes 8 m n, FLOPs 2 m n.
extern "C" __global__ void mm_bias(float *y, const float *b, long long m, long long n, long long relu) {
	if (n % 4 == 0 && aligned(y, b)) {
		ELEMENTS(i, m * (n / 4)) {
			long long j;
			divide(i, n / 4, j);
			Quad v = quad(y + 4 * i), add = b ? quad(b + 4 * j) : Quad{0, 0, 0, 0};
			if (b) v = Quad{v.x + add.x, v.y + add.y, v.z + add.z, v.w + add.w};
			if (relu) v = Quad{v.x < 0 ? 0 : v.x, v.y < 0 ? 0 : v.y, v.z < 0 ? 0 : v.z, v.w < 0 ? 0 : v.w};
			quad(y + 4 * i) = v;
		}
		return;
	}
	ELEMENTS(i, m * n) {
		long long j;
		divide(i, n, j);
		float v = b ? y[i] + b[j] : y[i];
		y[i] = relu && v < 0 ? 0 : v;
	}
}

// y = column sums of x (M,N), in float64: warp w of a block adds rows w, w+8, ... of 32 columns, and the warps' sums are added in
// order. Bytes 4 m n, FLOPs m n. Any number of blocks.
extern "C" __global__ void __launch_bounds__(256) mm_sum_rows(float *y, const float *x, long long m, long long n) {
	__shared__ double sums[8][32];
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32;
	for (long long from = 32LL * blockIdx.x; from < n; from += 32LL * gridDim.x) {
		long long j = from + lane;
		double sum = 0;
		if (j < n)
#pragma unroll 8 // loads on their way; the sum stays in order
			for (long long i = warp; i < m; i += 8) sum += (double)x[i * n + j];
		sums[warp][lane] = sum;
		__syncthreads();
		if (warp == 0 && j < n) {
			for (int w = 1; w < 8; w++) sum += sums[w][lane];
			y[j] = (float)sum;
		}
		__syncthreads();
	}
}
