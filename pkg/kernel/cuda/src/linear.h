// The products of linear.cu and linear_tensor.cu.
#ifndef MM_LINEAR_H
#define MM_LINEAR_H

#include "tensor.h"

// Result writes C (rows,columns) from a tile's first row and column on, with a bias a column and max(0, c), which keeps a NaN.
struct Result {
	float *c;
	const float *bias;
	long long stride, rows, columns;
	bool relu, quads;

	__device__ __forceinline__ float finish(float v, long long j) const {
		if (bias) v += bias[j];
		return relu && v < 0 ? 0 : v;
	}

	__device__ __forceinline__ void operator()(int i, int j, Quad v) const {
		if (i >= rows || j >= columns) return;
		float *p = c + i * stride + j;
		v.x = finish(v.x, j);
		if (j + 1 < columns) v.y = finish(v.y, j + 1);
		if (j + 2 < columns) v.z = finish(v.z, j + 2);
		if (j + 3 < columns) v.w = finish(v.w, j + 3);
		if (quads && j + 3 < columns) {
			write(p, v);
			return;
		}
		p[0] = v.x;
		if (j + 1 < columns) p[1] = v.y;
		if (j + 2 < columns) p[2] = v.z;
		if (j + 3 < columns) p[3] = v.w;
	}
};

// product writes c = a b (+ bias), (m,n). A (m,k) and B (k,n) are read by LoadA and LoadB, of rows that far apart.
template <class T, class LoadA, class LoadB>
__device__ __forceinline__ void product(Quad *memory, float *c, const float *a, long long stride_a, const float *b, long long stride_b,
	const float *bias, bool relu, long long m, long long n, long long k) {
	long long across = (n + T::J - 1) / T::J, tiles = (m + T::I - 1) / T::I * across;
	for (long long tile = blockIdx.x + (long long)gridDim.x * blockIdx.y; tile < tiles; tile += (long long)gridDim.x * gridDim.y) {
		long long column, row = divide(tile, across, column);
		row *= T::I;
		column *= T::J;
		LoadA load_a(a, stride_a, row, m, k, T::depth);
		LoadB load_b(b, stride_b, column, n, k, T::depth);
		Result result{c + row * n + column, bias ? bias + column : nullptr, n, m - row, n - column, relu, n % 4 == 0 && aligned(c)};
		compute<T>(memory, load_a, load_b, k, result);
	}
}

#define LINEAR(T) \
	__shared__ Quad memory[T::memory]; \
	product<T, Along, Along>(memory, y, x, k, w, k, b, relu != 0, m, n, k)
#define LINEAR_GRAD_WEIGHT(T) \
	__shared__ Quad memory[T::memory]; \
	product<T, Across, Across>(memory, dw, dy, n, x, k, nullptr, false, n, k, m)
#define LINEAR_GRAD_INPUT(T) \
	__shared__ Quad memory[T::memory]; \
	product<T, Along, Across>(memory, dx, dy, n, w, k, nullptr, false, m, k, n)

#endif
