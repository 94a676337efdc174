//go:build openblas && cgo && linux

// Linear layers: their products by mm_gemm where the processor has AVX-512, else by OpenBLAS, whose kernels for the
// other processors are as good as any.

#include "device.h"
#include "gemm.h"

enum { ROW_MAJOR = 101, PLAIN = 111, TRANSPOSED = 112 };
void cblas_sgemm(int order, int ta, int tb, int m, int n, int k, float alpha, const float *a, int lda, const float *b, int ldb,
	float beta, float *c, int ldc);

// blas is one call of cblas_sgemm, c (rows,columns), cut along its longer side.
typedef struct {
	size_t rows, columns, depth;
	const float *a, *b;
	size_t lda, ldb;
	int ta, tb;
	float *c;
	const float *bias; // along the columns; 0 for none
	int relu;
} blas;

MM_CLONES static void finish(float *c, size_t ldc, const float *bias, size_t rows, size_t columns, int relu) {
	for (size_t i = 0; i < rows; i++, c += ldc)
		for (size_t j = 0; j < columns; j++) {
			float y = c[j] + bias[j];
			c[j] = relu && y < 0 ? 0 : y; // keeps a NaN
		}
}

static void blas_part(mm_device *d, const void *args, int part, int parts) {
	const blas *s = args;
	size_t i0 = 0, i1 = s->rows, j0 = 0, j1 = s->columns;
	(void)d;
	if (s->rows > s->columns)
		mm_range(s->rows, 16, part, parts, &i0, &i1);
	else
		mm_range(s->columns, 16, part, parts, &j0, &j1);
	if (i0 == i1 || j0 == j1) return;
	const float *a = s->a + i0 * (s->ta == PLAIN ? s->lda : 1), *b = s->b + j0 * (s->tb == PLAIN ? 1 : s->ldb);
	float *c = s->c + i0 * s->columns + j0;
	cblas_sgemm(ROW_MAJOR, s->ta, s->tb, i1 - i0, j1 - j0, s->depth, 1, a, s->lda, b, s->ldb, 0, c, s->columns);
	if (s->bias) finish(c, s->columns, s->bias + j0, i1 - i0, j1 - j0, s->relu);
}

static void run_blas(mm_device *d, const blas *s) {
	mm_run(d, blas_part, s, s->rows * s->columns * s->depth < 1 << 18 ? 1 : d->threads);
}

void mm_linear(mm_device *d, float *y, const float *x, const float *w, const float *b, size_t m, size_t n, size_t k, int relu) {
	if (!d->avx512) {
		run_blas(d, &(blas){m, n, k, x, w, k, k, PLAIN, TRANSPOSED, y, b, relu});
	} else if (m < n) {
		// yᵀ = w xᵀ: the minibatch is the smaller to pack, and w is read once, as it lies. Of as many rows as columns y is
		// written as it lies: turned, a power of two of them would fall into few sets of the first cache.
		mm_gemm(d, &(mm_product){.i = n, .j = m, .l = k, .a = w, .a_stride = k, .b = x, .b_stride = k, .b_turned = 1,
			.c = y, .c_stride = n, .c_turned = 1, .bias = b, .relu = relu});
	} else {
		mm_gemm(d, &(mm_product){.i = m, .j = n, .l = k, .a = x, .a_stride = k, .b = w, .b_stride = k, .b_turned = 1,
			.c = y, .c_stride = n, .bias = b, .relu = relu});
	}
}

static size_t whole(size_t n) { return (n + MM_TILE_COLUMNS - 1) / MM_TILE_COLUMNS * MM_TILE_COLUMNS; }

void mm_linear_grad_weight(mm_device *d, float *dw, const float *dy, const float *x, size_t m, size_t n, size_t k) {
	if (!d->avx512) {
		run_blas(d, &(blas){n, k, m, dy, x, n, k, TRANSPOSED, PLAIN, dw, 0, 0});
	} else if (n * whole(k) <= k * whole(n)) {
		mm_gemm(d, &(mm_product){.i = n, .j = k, .l = m, .a = dy, .a_stride = n, .a_turned = 1, .b = x, .b_stride = k,
			.c = dw, .c_stride = k});
	} else {
		// Few inputs would leave a panel's columns empty: dwᵀ = xᵀ dy.
		mm_gemm(d, &(mm_product){.i = k, .j = n, .l = m, .a = x, .a_stride = k, .a_turned = 1, .b = dy, .b_stride = n,
			.c = dw, .c_stride = k, .c_turned = 1});
	}
}

void mm_linear_grad_input(mm_device *d, float *dx, const float *dy, const float *w, size_t m, size_t n, size_t k) {
	if (!d->avx512) {
		run_blas(d, &(blas){m, k, n, dy, w, n, k, PLAIN, PLAIN, dx, 0, 0});
	} else {
		mm_gemm(d, &(mm_product){.i = m, .j = k, .l = n, .a = dy, .a_stride = n, .b = w, .b_stride = k, .c = dx, .c_stride = k});
	}
}
