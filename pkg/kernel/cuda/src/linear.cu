// The linear layers' products, exact in float32: FLOPs 2 m n k, bytes 4 (m k + n k + m n) and more where the strips of a tile are
// read again by the next (each operand once a tile across it). The ridge of a card with 60 TFLOP/s of float32 and 4 TB/s is at 15
// FLOP a byte: products of more than some 60 rows and columns are limited by arithmetic, smaller ones by the launch.
//
// Each comes in tiles of 64 x 64, in narrow ones of 32 x 32 for results that would give too few tiles to fill the card, and in wide
// ones of 128 x 128 for large ones. Every choice gives sums of its own order, so the choice has to depend on the shape alone.
// Any grid: the blocks stride over the tiles.
#include "tile.h"

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
			quad(p) = v;
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
		multiply<T>(memory, load_a, load_b, k, result);
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

// y = x wT + b, and max(0, y) where relu is set. x (M,K), w (N,K), b (N) or null, y (M,N).
extern "C" __global__ void __launch_bounds__(256) mm_linear(float *y, const float *x, const float *w, const float *b, long long m,
	long long n, long long k, long long relu) {
	LINEAR(Medium);
}
extern "C" __global__ void __launch_bounds__(256) mm_linear_narrow(float *y, const float *x, const float *w, const float *b, long long m,
	long long n, long long k, long long relu) {
	LINEAR(Narrow);
}
extern "C" __global__ void __launch_bounds__(256) mm_linear_wide(float *y, const float *x, const float *w, const float *b, long long m,
	long long n, long long k, long long relu) {
	LINEAR(Wide);
}

// dw = dyT x. dy (M,N), x (M,K), dw (N,K).
extern "C" __global__ void __launch_bounds__(256) mm_linear_grad_weight(float *dw, const float *dy, const float *x, long long m, long long n,
	long long k) {
	LINEAR_GRAD_WEIGHT(Medium);
}
extern "C" __global__ void __launch_bounds__(256) mm_linear_grad_weight_narrow(float *dw, const float *dy, const float *x, long long m,
	long long n, long long k) {
	LINEAR_GRAD_WEIGHT(Narrow);
}
extern "C" __global__ void __launch_bounds__(256) mm_linear_grad_weight_wide(float *dw, const float *dy, const float *x, long long m,
	long long n, long long k) {
	LINEAR_GRAD_WEIGHT(Wide);
}

// dx = dy w. dy (M,N), w (N,K), dx (M,K).
extern "C" __global__ void __launch_bounds__(256) mm_linear_grad_input(float *dx, const float *dy, const float *w, long long m, long long n,
	long long k) {
	LINEAR_GRAD_INPUT(Medium);
}
extern "C" __global__ void __launch_bounds__(256) mm_linear_grad_input_narrow(float *dx, const float *dy, const float *w, long long m,
	long long n, long long k) {
	LINEAR_GRAD_INPUT(Narrow);
}
extern "C" __global__ void __launch_bounds__(256) mm_linear_grad_input_wide(float *dx, const float *dy, const float *w, long long m,
	long long n, long long k) {
	LINEAR_GRAD_INPUT(Wide);
}

// y += b, and max(0, y) where relu is set: what a product by a library leaves to do. b may be null. Bytes 8 m n, FLOPs 2 m n.
extern "C" __global__ void mm_bias(float *y, const float *b, long long m, long long n, long long relu) {
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
