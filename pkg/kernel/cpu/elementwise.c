//go:build openblas && cgo && linux

// Kernels that touch each element once, cut at cache lines so that no two threads write one.

#include <stdint.h>
#include <string.h>

#include "device.h"

enum { LINE = 16, COLUMNS = 64 };

typedef struct {
	float *y;
	const float *a, *b, *c;
	size_t m, n;
} operands;

MM_CLONES static void relu_grad(float *dx, const float *dy, const float *y, size_t n) {
	for (size_t i = 0; i < n; i++) dx[i] = y[i] > 0 ? dy[i] : 0;
}

MM_CLONES static void add(float *y, const float *a, const float *b, size_t n) {
	for (size_t i = 0; i < n; i++) y[i] = a[i] + b[i];
}

MM_CLONES static void round_bf16(float *y, const float *x, size_t n) {
	for (size_t i = 0; i < n; i++) {
		uint32_t bits;
		memcpy(&bits, x + i, sizeof bits);
		bits = x[i] == x[i] ? bits + 0x7fff + (bits >> 16 & 1) : bits | 1 << 22; // what is not a number must not lose all its bits
		bits &= 0xffff0000;
		memcpy(y + i, &bits, sizeof bits);
	}
}

MM_CLONES static void standardize(float *y, const float *x, const float *mean, const float *scale, size_t n) {
	for (size_t i = 0; i < n; i++) y[i] = (x[i] - mean[i]) * scale[i];
}

// sum_columns sums n <= COLUMNS columns of x, (m,stride), in row order.
MM_CLONES static void sum_columns(float *restrict y, const float *restrict x, size_t stride, size_t m, size_t n) {
	double sum[COLUMNS] = {0};
	if (n == COLUMNS) {
		for (size_t i = 0; i < m; i++, x += stride)
			for (size_t j = 0; j < COLUMNS; j++) sum[j] += x[j];
	} else {
		for (size_t i = 0; i < m; i++, x += stride)
			for (size_t j = 0; j < n; j++) sum[j] += x[j];
	}
	for (size_t j = 0; j < n; j++) y[j] = (float)sum[j];
}

static void relu_grad_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to;
	(void)d;
	mm_range(o->n, LINE, part, parts, &from, &to);
	relu_grad(o->y + from, o->a + from, o->b + from, to - from);
}

static void add_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to;
	(void)d;
	mm_range(o->n, LINE, part, parts, &from, &to);
	add(o->y + from, o->a + from, o->b + from, to - from);
}

static void copy_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to;
	(void)d;
	mm_range(o->n, LINE, part, parts, &from, &to);
	memcpy(o->y + from, o->a + from, (to - from) * sizeof *o->y);
}

static void round_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to;
	(void)d;
	mm_range(o->n, LINE, part, parts, &from, &to);
	round_bf16(o->y + from, o->a + from, to - from);
}

static void standardize_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to;
	(void)d;
	mm_range(o->m, 1, part, parts, &from, &to);
	for (size_t i = from; i < to; i++) standardize(o->y + i * o->n, o->a + i * o->n, o->b, o->c, o->n);
}

static void sum_rows_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to;
	(void)d;
	mm_range(o->n, LINE, part, parts, &from, &to);
	for (size_t j = from; j < to; j += COLUMNS)
		sum_columns(o->y + j, o->a + j, o->n, o->m, to - j < COLUMNS ? to - j : COLUMNS);
}

void mm_relu_grad(mm_device *d, float *dx, const float *dy, const float *y, size_t n) {
	mm_run(d, relu_grad_part, &(operands){.y = dx, .a = dy, .b = y, .n = n}, mm_parts(d, n));
}

void mm_copy(mm_device *d, float *y, const float *x, size_t n) {
	mm_run(d, copy_part, &(operands){.y = y, .a = x, .n = n}, mm_parts(d, n));
}

void mm_add(mm_device *d, float *y, const float *a, const float *b, size_t n) {
	mm_run(d, add_part, &(operands){.y = y, .a = a, .b = b, .n = n}, mm_parts(d, n));
}

void mm_round(mm_device *d, float *y, const float *x, size_t n) {
	mm_run(d, round_part, &(operands){.y = y, .a = x, .n = n}, mm_parts(d, n));
}

void mm_standardize(mm_device *d, float *y, const float *x, const float *mean, const float *scale, size_t m, size_t n) {
	mm_run(d, standardize_part, &(operands){y, x, mean, scale, m, n}, mm_parts(d, m * n));
}

void mm_sum_rows(mm_device *d, float *y, const float *x, size_t m, size_t n) {
	mm_run(d, sum_rows_part, &(operands){.y = y, .a = x, .m = m, .n = n}, mm_parts(d, m * n));
}
