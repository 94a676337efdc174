//go:build openblas && cgo && linux

#ifndef MM_GEMM_H
#define MM_GEMM_H

#include <stddef.h>

#include "device.h"

enum {
	MM_TILE_ROWS = 14, // with 2 vectors a row: 28 of the 32 registers accumulate
	MM_TILE_COLUMNS = 32,
	MM_BLOCK_DEPTH = 512,   // terms of the sum taken at once: a tile's rows of A, 28 KiB, stay in the first cache
	MM_BLOCK_COLUMNS = 512, // a block of B, 1 MiB, stays in half of the second cache
	MM_PACK = MM_BLOCK_DEPTH * (MM_BLOCK_COLUMNS + MM_TILE_ROWS),
};

// mm_product is c = a b, plus a bias, and max(0, c) where relu is set. a (I,L), b (L,J), c (I,J).
typedef struct {
	size_t i, j, l;
	const float *a; // a(i,l) = a[i * a_stride + l], or where a_turned a[l * a_stride + i]
	size_t a_stride;
	int a_turned;
	const float *b; // b(l,j) = b[l * b_stride + j], or where b_turned b[j * b_stride + l]
	size_t b_stride;
	int b_turned;
	float *c; // c(i,j) = c[i * c_stride + j], or where c_turned c[j * c_stride + i]
	size_t c_stride;
	int c_turned;
	const float *bias; // along j, or where c_turned along i; 0 for none
	int relu;
} mm_product;

// mm_gemm_supported says whether this processor runs mm_gemm.
int mm_gemm_supported(void);
// mm_gemm computes a product on every thread of the device. Each element is one chain of fused multiply-adds in the
// order of l, so that it does not depend on the number of threads or on the other rows.
void mm_gemm(mm_device *d, const mm_product *p);

#endif
