// Convolutions as matrix products whose one operand is gathered from the feature maps, (N,C,H,W), as the tiles need it. Exact in
// float32. FLOPs 2 n k c kh kw oh ow in each direction; bytes at least 4 (n c h w + k c kh kw + n k oh ow), and the gathered operand
// again for each tile of output channels, mostly from the cache. 3 x 3 with 64 channels and more is limited by arithmetic, 1 x 1 with
// few channels by memory.
//
// Any grid: the blocks stride over the tiles, which are of 64 x 128 (Flat), or of 32 x 32 in the narrow kernels, for the small maps of
// small minibatches. The choice changes the order of the sums and has to depend on the shape alone.
#include "conv.h"

#define BLOCKS ((long long)gridDim.x * gridDim.y)
#define BLOCK (blockIdx.x + (long long)gridDim.x * blockIdx.y)
#define CONV \
	long long c, long long h, long long w_, long long k, long long kh, long long kw, long long stride_h, long long stride_w, long long pad_h, \
		long long pad_w
#define SHAPE Shape s(c, h, w_, k, kh, kw, stride_h, stride_w, pad_h, pad_w)

// Map writes four places of an output channel, with what ConvAffine adds: scale, shift, residual, max(0, v), which keeps a NaN.
struct Map {
	float *y;
	const float *scale, *shift, *residual;
	long long channels, places, first_channel, first, count;
	bool relu;

	__device__ __forceinline__ float finish(float v, long long channel, long long at) const {
		if (scale) v = v * scale[channel] + shift[channel];
		if (residual) v += residual[at];
		return relu && v < 0 ? 0 : v;
	}

	__device__ __forceinline__ void operator()(int i, int j, Quad v) const {
		long long channel = first_channel + i, q = first + j;
		if (channel >= channels || q >= count) return;
		long long place, n = divide(q, places, place);
		const float values[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
		for (int e = 0; e < 4; e++) {
			if (q + e >= count) return;
			long long at = (n * channels + channel) * places + place;
			y[at] = finish(values[e], channel, at);
			if (++place == places) {
				place = 0;
				n++;
			}
		}
	}
};

template <class T>
__device__ __forceinline__ void convolve(Quad *memory, float *y, const float *x, const float *w, const float *scale, const float *shift,
	const float *residual, long long n, const Shape &s, bool relu) {
	long long count = n * s.places(), down = (s.k + T::I - 1) / T::I, tiles = (count + T::J - 1) / T::J * down;
	for (long long tile = BLOCK; tile < tiles; tile += BLOCKS) {
		long long row, column = divide(tile, down, row) * T::J;
		row *= T::I;
		Along weights(w, s.depth(), row, s.k, s.depth(), T::depth);
		Places places(s, x, column, count, T::depth);
		Map map{y, scale, shift, residual, s.k, s.places(), row, column, count, relu};
		multiply<T>(memory, weights, places, s.depth(), map);
	}
}

// y = x * w. x (N,C,H,W), w (K,C,KH,KW), y (N,K,OH,OW).
extern "C" __global__ void __launch_bounds__(256) mm_conv(float *y, const float *x, const float *w, long long n, CONV) {
	__shared__ Quad memory[Flat::memory];
	SHAPE;
	convolve<Flat>(memory, y, x, w, nullptr, nullptr, nullptr, n, s, false);
}
extern "C" __global__ void __launch_bounds__(256) mm_conv_narrow(float *y, const float *x, const float *w, long long n, CONV) {
	__shared__ Quad memory[Narrow::memory];
	SHAPE;
	convolve<Narrow>(memory, y, x, w, nullptr, nullptr, nullptr, n, s, false);
}

// y = scale_k (x * w) + shift_k + residual, and max(0, y) where relu is set. residual may be null, or y.
extern "C" __global__ void __launch_bounds__(256) mm_conv_affine(float *y, const float *x, const float *w, const float *scale,
	const float *shift, const float *residual, long long n, CONV, long long relu) {
	__shared__ Quad memory[Flat::memory];
	SHAPE;
	convolve<Flat>(memory, y, x, w, scale, shift, residual, n, s, relu != 0);
}
extern "C" __global__ void __launch_bounds__(256) mm_conv_affine_narrow(float *y, const float *x, const float *w, const float *scale,
	const float *shift, const float *residual, long long n, CONV, long long relu) {
	__shared__ Quad memory[Narrow::memory];
	SHAPE;
	convolve<Narrow>(memory, y, x, w, scale, shift, residual, n, s, relu != 0);
}

// Pixels writes four pixels of a phase of an input channel.
struct Pixels {
	float *dx;
	Shape s;
	Phase p;
	long long first_channel, first, count;

	__device__ __forceinline__ void operator()(int i, int j, Quad v) const {
		long long channel = first_channel + i, q = first + j;
		if (channel >= s.c || q >= count) return;
		long long pixel, column, n = divide(q, p.pixels(), pixel), line = divide(pixel, p.columns, column);
		const float values[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
		for (int e = 0; e < 4; e++) {
			if (q + e >= count) return;
			dx[((n * s.c + channel) * s.h + p.row + line * s.stride_h) * s.w + p.column + column * s.stride_w] = values[e];
			if (++column == p.columns) {
				column = 0;
				if (++line == p.rows) {
					line = 0;
					n++;
				}
			}
		}
	}
};

template <class T>
__device__ __forceinline__ void convolve_back(Quad *memory, float *dx, const float *dy, const float *w, long long n, const Shape &s) {
	long long down = (s.c + T::I - 1) / T::I, before = 0; // tiles of the phases before
	for (int index = 0; index < s.stride_h * s.stride_w; index++) {
		Phase p(s, index);
		long long count = n * p.pixels(), tiles = (count + T::J - 1) / T::J * down, depth = (long long)s.k * p.taps();
		long long tile = BLOCK - before % BLOCKS; // blocks take turns over all phases
		if (tile < 0) tile += BLOCKS;
		for (; tile < tiles; tile += BLOCKS) {
			long long row, column = divide(tile, down, row) * T::J;
			row *= T::I;
			Taps taps(s, p, w, row, T::depth);
			Seen seen(s, p, dy, column, count, T::depth);
			Pixels pixels{dx, s, p, row, column, count};
			multiply<T>(memory, taps, seen, depth, pixels);
		}
		before += tiles;
	}
}

// The gradient of x. dy (N,K,OH,OW), w (K,C,KH,KW), dx (N,C,H,W). With strides, each pixel sums over the pixels of the window that
// saw it, none over zeros.
extern "C" __global__ void __launch_bounds__(256) mm_conv_grad_input(float *dx, const float *dy, const float *w, long long n, CONV) {
	__shared__ Quad memory[Flat::memory];
	SHAPE;
	convolve_back<Flat>(memory, dx, dy, w, n, s);
}
extern "C" __global__ void __launch_bounds__(256) mm_conv_grad_input_narrow(float *dx, const float *dy, const float *w, long long n, CONV) {
	__shared__ Quad memory[Narrow::memory];
	SHAPE;
	convolve_back<Narrow>(memory, dx, dy, w, n, s);
}

// Partial writes a tile of a run's sums.
struct Partial {
	float *dw;
	long long rows, columns, row, column;

	__device__ __forceinline__ void operator()(int i, int j, Quad v) const {
		if (row + i >= rows) return;
		const float values[4] = {v.x, v.y, v.z, v.w};
#pragma unroll
		for (int e = 0; e < 4; e++)
			if (column + j + e < columns) dw[(row + i) * columns + column + j + e] = values[e];
	}
};

// partial (splits,K,C,KH,KW): run s of the gradient of w sums places [s P/splits, (s+1) P/splits) of all P = n oh ow. mm_sum_splits
// adds the runs. The grid's z strides over the runs.
extern "C" __global__ void __launch_bounds__(256) mm_conv_grad_weight(float *partial, const float *dy, const float *x, long long n, CONV,
	long long splits) {
	__shared__ Quad memory[Flat::memory];
	SHAPE;
	long long across = (s.depth() + Flat::J - 1) / Flat::J, tiles = (s.k + Flat::I - 1) / Flat::I * across, places = n * s.places();
	for (long long split = blockIdx.z; split < splits; split += gridDim.z) {
		long long from = split * places / splits, to = (split + 1) * places / splits;
		for (long long tile = BLOCK; tile < tiles; tile += BLOCKS) {
			long long column, row = divide(tile, across, column) * Flat::I;
			column *= Flat::J;
			Results results(s, dy, row, from, to, Flat::depth);
			Sights sights(s, x, column, from, to, Flat::depth);
			Partial part{partial + split * s.k * s.depth(), s.k, s.depth(), row, column};
			multiply<Flat>(memory, results, sights, to - from, part);
		}
	}
}

// dw[i] = sum over the runs of partial[run][i], in order and float64. Bytes 4 n (splits + 1).
extern "C" __global__ void __launch_bounds__(256) mm_sum_splits(float *dw, const float *partial, long long n, long long splits) {
	ELEMENTS(i, n) {
		double sum = 0;
		for (long long s = 0; s < splits; s++) sum += (double)partial[s * n + i];
		dw[i] = (float)sum;
	}
}
