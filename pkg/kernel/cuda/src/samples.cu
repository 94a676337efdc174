// The samples of a minibatch, taken by row number from where all of them lie, in the type in which they were stored.
#include "numbers.h"

__device__ __forceinline__ float as_float(float v) { return v; }
__device__ __forceinline__ float as_float(unsigned char v) { return v; }

// as_float of a float16, given by its bits.
__device__ __forceinline__ float as_float(unsigned short v) {
	union {
		unsigned bits;
		float f;
	} u;
	unsigned magnitude = v & 0x7fff, sign = (unsigned)(v & 0x8000) << 16;
	if (magnitude >= 0x7c00) { // infinite, or no number
		u.bits = sign | 0x7f800000 | (magnitude & 0x3ff) << 13;
		return u.f;
	}
	u.bits = magnitude << 13;
	u.f *= 0x1p112f; // the exponents' biases differ by 112; small numbers become normal
	u.bits |= sign;
	return u.f;
}

// take writes y (rows,size) from the rows of table that index names, or from its first ones where index is null.
template <class T>
__device__ __forceinline__ void take(float *y, const T *table, const long long *index, long long rows, long long size) {
	ELEMENTS(i, rows * size) {
		long long column, row = divide(i, size, column);
		y[i] = as_float(table[(index ? index[row] : row) * size + column]);
	}
}

// Bytes 8 rows (size + 1).
extern "C" __global__ void mm_gather(float *y, const float *table, const long long *index, long long rows, long long size) {
	if (size % 4 || !aligned(y, table)) {
		take(y, table, index, rows, size);
		return;
	}
	long long quads = size / 4;
	ELEMENTS(i, rows * quads) {
		long long column, row = divide(i, quads, column);
		write(y + 4 * i, read(table + (index ? index[row] : row) * size + 4 * column));
	}
}

// Bytes rows (5 size + 8).
extern "C" __global__ void mm_gather_bytes(float *y, const unsigned char *table, const long long *index, long long rows, long long size) {
	take(y, table, index, rows, size);
}

// Bytes rows (6 size + 8).
extern "C" __global__ void mm_gather_halves(float *y, const unsigned short *table, const long long *index, long long rows, long long size) {
	take(y, table, index, rows, size);
}

// Writes the rows of x (rows,size) to those of table that index names. Bytes 8 rows (size + 1).
extern "C" __global__ void mm_scatter(float *table, const float *x, const long long *index, long long rows, long long size) {
	ELEMENTS(i, rows * size) {
		long long column, row = divide(i, size, column);
		table[index[row] * size + column] = x[i];
	}
}
