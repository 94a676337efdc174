// Feature maps, weights and their gradients from (N,C,pixels) to channels last, and back.
#include "last.h"

// transpose writes y (n,b,a) from x (n,a,b), by tiles of 32 x 32 through shared memory; where a side is short, an element a thread.
// Any number of blocks. Bytes sizeof(To) + sizeof(From) an element.
template <class To, class From>
__device__ __forceinline__ void transpose(To *y, const From *x, long long n, long long a, long long b, float (*tile)[33]) {
	if (a <= 8 || b <= 16) {
		ELEMENTS(i, n * a * b) {
			long long p, q, image = divide(divide(i, a, p), b, q);
			one(y + i, one(x + (image * a + p) * b + q));
		}
		return;
	}
	long long high = (a + 31) / 32, wide = (b + 31) / 32, x_at = threadIdx.x % 32, y_at = threadIdx.x / 32;
	for (long long item = blockIdx.x; item < n * high * wide; item += gridDim.x) {
		long long p, q, image = divide(divide(item, wide, q), high, p);
		const From *from = x + image * a * b;
		To *to = y + image * a * b;
		p *= 32;
		q *= 32;
		__syncthreads(); // the last tile may still be read
		for (long long r = y_at; r < 32; r += blockDim.x / 32)
			if (p + r < a && q + x_at < b) tile[r][x_at] = one(from + (p + r) * b + q + x_at);
		__syncthreads();
		for (long long r = y_at; r < 32; r += blockDim.x / 32)
			if (q + r < b && p + x_at < a) one(to + (q + r) * a + p + x_at, tile[x_at][r]);
	}
}

extern "C" __global__ void __launch_bounds__(256) mm_transpose(float *y, const float *x, long long n, long long a, long long b) {
	__shared__ float tile[32][33];
	transpose(y, x, n, a, b, tile);
}

// To bfloat16, rounded to even.
extern "C" __global__ void __launch_bounds__(256) mm_transpose_narrow(bf16 *y, const float *x, long long n, long long a, long long b) {
	__shared__ float tile[32][33];
	transpose(y, x, n, a, b, tile);
}

// From bfloat16.
extern "C" __global__ void __launch_bounds__(256) mm_transpose_wide(float *y, const bf16 *x, long long n, long long a, long long b) {
	__shared__ float tile[32][33];
	transpose(y, x, n, a, b, tile);
}
