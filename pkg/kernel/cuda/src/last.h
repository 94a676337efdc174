// Feature maps channels last, (rows,C), a row being a pixel of an image: float32 or bfloat16 in memory, float32 in registers. C is a
// multiple of 16 and maps begin at a multiple of 16 bytes, so that a thread takes channels by 16 bytes.
#ifndef MM_LAST_H
#define MM_LAST_H

#include "numbers.h"

// bf16 is a bfloat16 in memory.
struct bf16 {
	unsigned short bits;
};

// across is how many channels of T are 16 bytes.
template <class T>
constexpr int across = 16 / (int)sizeof(T);

template <int N>
struct __attribute__((may_alias, aligned(4 * N))) Packed {
	unsigned w[N];
};

__device__ __forceinline__ float of_bits(unsigned bits) {
	union {
		unsigned bits;
		float f;
	} u;
	u.bits = bits;
	return u.f;
}

__device__ __forceinline__ void load(float (&v)[4], const float *p) {
	Quad q = quad(p);
	v[0] = q.x, v[1] = q.y, v[2] = q.z, v[3] = q.w;
}
__device__ __forceinline__ void store(float *p, const float (&v)[4]) { quad(p) = Quad{v[0], v[1], v[2], v[3]}; }

template <int N>
__device__ __forceinline__ void load(float (&v)[N], const bf16 *p) {
	Packed<N / 2> q = *(const Packed<N / 2> *)p;
#pragma unroll
	for (int e = 0; e < N; e += 2) {
		v[e] = of_bits(q.w[e / 2] << 16);
		v[e + 1] = of_bits(q.w[e / 2] & 0xffff0000u);
	}
}
template <int N>
__device__ __forceinline__ void store(bf16 *p, const float (&v)[N]) {
	Packed<N / 2> q;
#pragma unroll
	for (int e = 0; e < N; e += 2) q.w[e / 2] = round7(v[e], v[e + 1]);
	*(Packed<N / 2> *)p = q;
}

// A single element.
__device__ __forceinline__ float one(const float *p) { return *p; }
__device__ __forceinline__ float one(const bf16 *p) { return of_bits((unsigned)p->bits << 16); }
__device__ __forceinline__ void one(float *p, float v) { *p = v; }
__device__ __forceinline__ void one(bf16 *p, float v) { p->bits = (unsigned short)round7(v, 0); }

// numbers reads N numbers, one a channel, that may lie anywhere.
template <int N>
__device__ __forceinline__ void numbers(float (&v)[N], const float *p) {
	if (aligned(p)) {
#pragma unroll
		for (int e = 0; e < N; e += 4) {
			Quad q = read(p + e);
			v[e] = q.x, v[e + 1] = q.y, v[e + 2] = q.z, v[e + 3] = q.w;
		}
		return;
	}
#pragma unroll
	for (int e = 0; e < N; e++) v[e] = p[e];
}

// Strips divides maps (rows,C) among blocks: the rows into runs, the channels into groups of up to 32 threads of N channels; the
// threads of a block that are left over take further rows of the run. Which thread takes what depends on the shape and the number of runs.
template <int N>
struct Strips {
	long long rows, c, runs, wide, groups, deep;

	__device__ __forceinline__ Strips(long long rows, long long c, long long runs) : rows(rows), c(c), runs(runs) {
		wide = c / N < 32 ? c / N : 32;
		groups = (c / N + wide - 1) / wide;
		deep = (unsigned)blockDim.x / (unsigned)wide;
	}
	__device__ __forceinline__ long long items() const { return groups * runs; }
};

// Strip is a thread's part of an item: N channels from channel on, and each deep-th row from row to end. There may be none.
template <int N>
struct Strip {
	long long run, first, channel, row, end; // first channel of the group

	__device__ __forceinline__ Strip(const Strips<N> &s, long long item) {
		long long group, x, y = divide(threadIdx.x, s.wide, x), each = (s.rows + s.runs - 1) / s.runs;
		run = divide(item, s.groups, group);
		first = group * s.wide * N;
		channel = first + x * N;
		row = run * each + y;
		end = (run + 1) * each < s.rows ? (run + 1) * each : s.rows;
		if (y >= s.deep || channel >= s.c) row = end;
	}
};

// STRIPS(s, strips) strides over the items with all blocks of the grid.
#define STRIPS(item, strips) for (long long item = blockIdx.x; item < (strips).items(); item += gridDim.x)

// sum_columns adds what add(i, sums) adds to sums[KINDS][N] for N channels of a row, the first at element i, over the rows of each run,
// after start(channel), and gives emit(run, channel, kind, sum) each. In shared, (KINDS,N,blockDim.x) so that the threads of a warp write side by
// side, threads leave their sums, which are added in order.
template <int KINDS, int N, class Start, class Add, class Emit>
__device__ __forceinline__ void sum_columns(const Strips<N> &s, double *shared, Start start, Add add, Emit emit) {
	STRIPS(item, s) {
		Strip<N> t(s, item);
		double sums[KINDS][N];
#pragma unroll
		for (int k = 0; k < KINDS; k++)
#pragma unroll
			for (int e = 0; e < N; e++) sums[k][e] = 0;
		long long row = t.row;
		if (row < t.end) start(t.channel);
		for (; row + 3 * s.deep < t.end; row += 4 * s.deep)
#pragma unroll
			for (int ahead = 0; ahead < 4; ahead++) add((row + ahead * s.deep) * s.c + t.channel, sums);
		for (; row < t.end; row += s.deep) add(row * s.c + t.channel, sums);

		int wide = (int)s.wide;
		__syncthreads(); // the last item's may still be read
#pragma unroll
		for (int k = 0; k < KINDS; k++)
#pragma unroll
			for (int e = 0; e < N; e++) shared[(k * N + e) * blockDim.x + threadIdx.x] = sums[k][e];
		__syncthreads();
		for (int at = threadIdx.x; at < wide * KINDS * N; at += blockDim.x) {
			int rest = at / wide, x = at % wide;
			const double *from = shared + rest * blockDim.x + x;
			double sum = 0;
			for (int y = 0; y < (int)s.deep; y++) sum += from[y * wide];
			long long channel = t.first + x * N + rest % N;
			if (channel < s.c) emit(t.run, channel, rest / N, sum);
		}
	}
}

// each_row calls f(i) for N channels of every row, the first at element i, after start(channel).
template <int N, class Start, class F>
__device__ __forceinline__ void each_row(const Strips<N> &s, Start start, F f) {
	STRIPS(item, s) {
		Strip<N> t(s, item);
		if (t.row >= t.end) continue;
		start(t.channel);
		for (long long row = t.row; row < t.end; row += s.deep) f(row * s.c + t.channel);
	}
}

#endif
