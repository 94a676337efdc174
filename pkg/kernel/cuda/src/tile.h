// Matrix products by tiles (Volkov and Demmel 2008; Kerr et al., CUTLASS, 2017): a block of 256 threads computes I x J elements
// of C = A B, with sums of DEPTH terms, from strips of A and B that it keeps in shared memory. While it computes with one strip it
// has the next on its way. Sums are in float32, a fused multiplication and addition a term, in order of the terms, except that
// GROUPS > 1 cuts each strip among groups of threads, whose sums are added in order at the end.
#ifndef MM_TILE_H
#define MM_TILE_H

#include "numbers.h"

template <int ROWS, int COLUMNS, int STRIP, int GROUPS>
struct Tile {
	static constexpr bool cores = false;
	static constexpr int I = ROWS, J = COLUMNS, depth = STRIP, groups = GROUPS;
	static constexpr int side = GROUPS == 1 ? 16 : 8; // threads of a group along I and along J
	static constexpr int across_i = I / (4 * side), across_j = J / (4 * side); // quads of a thread
	static constexpr int each = STRIP / GROUPS;                                  // terms of a thread and strip
	static constexpr int row_i = I + 4, row_j = J + 4; // padded, so that a column's elements lie in different banks
	static constexpr int strip = STRIP * (row_i + row_j);
	static constexpr int sums = GROUPS == 1 ? 0 : GROUPS * I * J;
	static constexpr int memory = (2 * strip > sums ? 2 * strip : sums) / 4; // quads of shared memory
	static_assert(GROUPS * side * side == 256, "a tile is computed by 256 threads");
};

// Narrow tiles give work to all multiprocessors where the result is small, wide ones read shared memory least.
using Narrow = Tile<32, 32, 32, 4>;
using Medium = Tile<64, 64, 16, 1>;
using Wide = Tile<128, 128, 8, 1>;
using Flat = Tile<64, 128, 8, 1>;

// place gives a thread the quad that it loads: elements row..row+3 at term k, or terms k..k+3 of a row where along is set. It
// returns false where there are more threads than quads.
template <int ROWS, int STRIP>
__device__ __forceinline__ bool place(bool along, int &row, int &k) {
	int t = threadIdx.x;
	if (along) {
		row = t / (STRIP / 4);
		k = t % (STRIP / 4) * 4;
	} else {
		row = t % (ROWS / 4) * 4;
		k = t / (ROWS / 4);
	}
	return t < ROWS * STRIP / 4;
}

// keep writes a quad to the strip in shared memory, (STRIP,ROWS) with rows of width.
__device__ __forceinline__ void keep(float *strip, int width, bool along, int row, int k, Quad v) {
	float *p = strip + k * width + row;
	if (!along) {
		quad(p) = v;
		return;
	}
	p[0] = v.x;
	p[width] = v.y;
	p[2 * width] = v.z;
	p[3 * width] = v.w;
}

// multiply computes a tile and gives it to write(i, j, quad) by quads of four columns. LoadA gives A's elements by rows i, LoadB
// B's by columns j; next returns the thread's quad and moves on by a strip.
template <class T, class LoadA, class LoadB, class Write>
__device__ __forceinline__ void multiply(Quad *memory, LoadA &a, LoadB &b, long long depth, Write &write) {
	float *shared = (float *)memory;
	int row_a, k_a, row_b, k_b;
	bool loads_a = place<T::I, T::depth>(LoadA::along, row_a, k_a), loads_b = place<T::J, T::depth>(LoadB::along, row_b, k_b);
	a.start(row_a, k_a);
	b.start(row_b, k_b);
	int group = threadIdx.x / (T::side * T::side), t = threadIdx.x % (T::side * T::side);
	int i = t / T::side * 4, j = t % T::side * 4;
	float sum[T::across_i * 4][T::across_j * 4] = {};
	long long strips = (depth + T::depth - 1) / T::depth;
	for (long long s = -1; s < strips; s++) {
		Quad next_a, next_b;
		bool more = s + 1 < strips;
		if (more && loads_a) next_a = a.next();
		if (more && loads_b) next_b = b.next();
		if (s >= 0) {
			const float *strip_a = shared + (s & 1) * T::strip, *strip_b = strip_a + T::depth * T::row_i;
#pragma unroll
			for (int k = 0; k < T::each; k++) {
				int term = group * T::each + k;
				Quad u[T::across_i], v[T::across_j];
#pragma unroll
				for (int q = 0; q < T::across_i; q++) u[q] = quad(strip_a + term * T::row_i + i + q * 4 * T::side);
#pragma unroll
				for (int q = 0; q < T::across_j; q++) v[q] = quad(strip_b + term * T::row_j + j + q * 4 * T::side);
#pragma unroll
				for (int q = 0; q < T::across_i; q++)
#pragma unroll
					for (int r = 0; r < T::across_j; r++) {
						const float x[4] = {u[q].x, u[q].y, u[q].z, u[q].w}, y[4] = {v[r].x, v[r].y, v[r].z, v[r].w};
#pragma unroll
						for (int e = 0; e < 4; e++)
#pragma unroll
							for (int f = 0; f < 4; f++) sum[4 * q + e][4 * r + f] = fused(x[e], y[f], sum[4 * q + e][4 * r + f]);
					}
			}
		}
		if (more) {
			float *strip_a = shared + ((s + 1) & 1) * T::strip;
			if (loads_a) keep(strip_a, T::row_i, LoadA::along, row_a, k_a, next_a);
			if (loads_b) keep(strip_a + T::depth * T::row_i, T::row_j, LoadB::along, row_b, k_b, next_b);
		}
		__syncthreads();
	}
	if constexpr (T::groups == 1) {
#pragma unroll
		for (int q = 0; q < T::across_i * 4; q++)
#pragma unroll
			for (int r = 0; r < T::across_j; r++)
				write(i + q / 4 * 4 * T::side + q % 4, j + r * 4 * T::side,
					Quad{sum[q][4 * r], sum[q][4 * r + 1], sum[q][4 * r + 2], sum[q][4 * r + 3]});
	} else {
#pragma unroll
		for (int e = 0; e < 4; e++) quad(shared + (group * T::I + i + e) * T::J + j) = Quad{sum[e][0], sum[e][1], sum[e][2], sum[e][3]};
		__syncthreads();
		static_assert(T::groups == 1 || T::I * T::J == 4 * 256, "a quad a thread");
		int row = threadIdx.x / (T::J / 4), column = threadIdx.x % (T::J / 4) * 4;
		Quad all = quad(shared + row * T::J + column);
		for (int g = 1; g < T::groups; g++) {
			Quad v = quad(shared + (g * T::I + row) * T::J + column);
			all = Quad{all.x + v.x, all.y + v.y, all.z + v.z, all.w + v.w};
		}
		__syncthreads(); // before the next tile's strips
		write(row, column, all);
	}
}

// Along reads a matrix whose rows hold the terms of a sum side by side.
struct Along {
	static constexpr bool along = true;
	const float *p;
	long long stride, rows, depth, at; // rows from the tile's first one on
	int step;
	bool quads;

	__device__ __forceinline__ Along(const float *matrix, long long stride, long long first, long long rows, long long depth, int step)
		: p(matrix + first * stride), stride(stride), rows(rows - first), depth(depth), step(step), quads(stride % 4 == 0 && aligned(matrix)) {}

	__device__ __forceinline__ void start(int row, int k) {
		if (row >= rows) depth = 0;
		p += row * stride + k;
		at = k;
	}

	__device__ __forceinline__ Quad next() {
		Quad v = {0, 0, 0, 0};
		if (quads && at + 3 < depth) {
			v = read(p);
		} else {
			if (at < depth) v.x = p[0];
			if (at + 1 < depth) v.y = p[1];
			if (at + 2 < depth) v.z = p[2];
			if (at + 3 < depth) v.w = p[3];
		}
		p += step;
		at += step;
		return v;
	}
};

// Across reads a matrix in whose rows the terms of a sum lie below each other: element (k, row).
struct Across {
	static constexpr bool along = false;
	const float *p;
	long long stride, rows, depth, at;
	int step;
	bool quads;

	__device__ __forceinline__ Across(const float *matrix, long long stride, long long first, long long rows, long long depth, int step)
		: p(matrix + first), stride(stride), rows(rows - first), depth(depth), step(step), quads(stride % 4 == 0 && aligned(matrix)) {}

	__device__ __forceinline__ void start(int row, int k) {
		rows -= row;
		p += k * stride + row;
		at = k;
	}

	__device__ __forceinline__ Quad next() {
		Quad v = {0, 0, 0, 0};
		if (at < depth) {
			if (quads && rows > 3) {
				v = read(p);
			} else {
				if (rows > 0) v.x = p[0];
				if (rows > 1) v.y = p[1];
				if (rows > 2) v.z = p[2];
				if (rows > 3) v.w = p[3];
			}
		}
		p += step * stride;
		at += step;
		return v;
	}
};

#endif
