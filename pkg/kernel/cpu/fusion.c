//go:build openblas && cgo && linux

// Masked fusion. A masked feature is selected away, not multiplied by zero: 0 * NaN is NaN.

#include <string.h>

#include "device.h"

typedef struct {
	float *y;
	const float *x, *keep, *relu; // relu: null for none
	size_t m, n, total, from, p, players;
} operands;

MM_CLONES static void add(float *restrict y, const float *restrict x, size_t n) {
	for (size_t i = 0; i < n; i++) y[i] += x[i];
}

static void copy_masked(float *y, const float *x, float keep, size_t n) {
	if (keep != 0)
		memcpy(y, x, n * sizeof *y);
	else
		memset(y, 0, n * sizeof *y);
}

MM_CLONES static void copy_positive(float *restrict y, const float *restrict x, const float *restrict relu, size_t n) {
	for (size_t i = 0; i < n; i++) y[i] = relu[i] > 0 ? x[i] : 0;
}

static void concat_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end;
	mm_range(o->m, 1, part, parts, &first, &end);
	for (size_t i = first; i < end; i++) {
		float *y = o->y + i * o->total;
		for (size_t p = 0; p < o->players; y += d->widths[p], p++)
			copy_masked(y, d->views[p] + i * d->widths[p], o->keep[i * o->players + p], d->widths[p]);
	}
}

static void sum_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end;
	mm_range(o->m, 1, part, parts, &first, &end);
	for (size_t i = first; i < end; i++) {
		float *y = o->y + i * o->n;
		memset(y, 0, o->n * sizeof *y);
		for (size_t p = 0; p < o->players; p++)
			if (o->keep[i * o->players + p] != 0) add(y, d->views[p] + i * o->n, o->n);
	}
}

static void slice_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end;
	(void)d;
	mm_range(o->m, 1, part, parts, &first, &end);
	for (size_t i = first; i < end; i++) {
		float *y = o->y + i * o->n, keep = o->keep[i * o->players + o->p];
		const float *x = o->x + i * o->total + o->from;
		if (o->relu && keep != 0)
			copy_positive(y, x, o->relu + i * o->n, o->n);
		else
			copy_masked(y, x, keep, o->n);
	}
}

void mm_masked_concat(mm_device *d, float *y, const float *keep, size_t m, size_t players) {
	size_t total = 0;
	for (size_t p = 0; p < players; p++) total += d->widths[p];
	mm_run(d, concat_part, &(operands){.y = y, .keep = keep, .m = m, .total = total, .players = players}, mm_parts(d, m * total));
}

void mm_masked_sum(mm_device *d, float *y, const float *keep, size_t m, size_t n, size_t players) {
	mm_run(d, sum_part, &(operands){.y = y, .keep = keep, .m = m, .n = n, .players = players}, mm_parts(d, m * n * players));
}

void mm_masked_slice(mm_device *d, float *dx, const float *dy, const float *keep, const float *relu, size_t m, size_t total, size_t from,
	size_t n, size_t p, size_t players) {
	mm_run(d, slice_part, &(operands){dx, dy, keep, relu, m, n, total, from, p, players}, mm_parts(d, m * n));
}
