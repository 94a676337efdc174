// The convolutions of conv.cu and conv_tensor.cu.
#ifndef MM_CONVOLVE_H
#define MM_CONVOLVE_H

#include "conv.h"

#define BLOCKS ((long long)gridDim.x * gridDim.y)
#define BLOCK (blockIdx.x + (long long)gridDim.x * blockIdx.y)
#define CONV \
	long long c, long long h, long long w_, long long k, long long kh, long long kw, long long stride_h, long long stride_w, long long pad_h, \
		long long pad_w
#define SHAPE Shape s(c, h, w_, k, kh, kw, stride_h, stride_w, pad_h, pad_w)

// The bodies of the kernels, whose tile is T.
#define CONVOLVE(T, scale, shift, residual, relu) \
	__shared__ Quad memory[T::memory];          \
	SHAPE;                                      \
	convolve<T>(memory, y, x, w, scale, shift, residual, n, s, relu)
#define CONVOLVE_BACK(T)               \
	__shared__ Quad memory[T::memory]; \
	SHAPE;                             \
	convolve_back<T>(memory, dx, dy, w, n, s)
#define CONVOLVE_WEIGHT(T)             \
	__shared__ Quad memory[T::memory]; \
	SHAPE;                             \
	convolve_weight<T>(memory, partial, dy, x, n, s, splits)

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
		compute<T>(memory, weights, places, s.depth(), map);
	}
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
			compute<T>(memory, taps, seen, depth, pixels);
		}
		before += tiles;
	}
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

template <class T>
__device__ __forceinline__ void convolve_weight(Quad *memory, float *partial, const float *dy, const float *x, long long n, const Shape &s,
	long long splits) {
	long long across = (s.depth() + T::J - 1) / T::J, tiles = (s.k + T::I - 1) / T::I * across, places = n * s.places();
	for (long long split = blockIdx.z; split < splits; split += gridDim.z) {
		long long from = split * places / splits, to = (split + 1) * places / splits;
		for (long long tile = BLOCK; tile < tiles; tile += BLOCKS) {
			long long column, row = divide(tile, across, column) * T::I;
			column *= T::J;
			Results results(s, dy, row, from, to, T::depth);
			Sights sights(s, x, column, from, to, T::depth);
			Partial part{partial + split * s.k * s.depth(), s.k, s.depth(), row, column};
			compute<T>(memory, results, sights, to - from, part);
		}
	}
}

#endif
