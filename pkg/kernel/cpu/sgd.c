//go:build openblas && cgo && linux

// The step of SGD with momentum as torch.optim rounds it, and the scale that clips a gradient by its norm.

#include <math.h>

#include "device.h"

enum { LINE = 16, BLOCK = 8192 }; // BLOCK: elements of a partial sum, whatever the number of threads

typedef struct {
	float *p, *buf;
	const float *g, *scale;
	size_t n;
	mm_sgd_step step;
} operands;

MM_CLONES static void momentum(float *restrict p, const float *restrict g, float *restrict buf, size_t n, float scale, mm_sgd_step s) {
	for (size_t i = 0; i < n; i++) {
		float d = g[i] * scale + s.decay * p[i];
		float b = s.keep * buf[i] + d;
		buf[i] = b;
		p[i] -= s.lr * b;
	}
}

MM_CLONES static void plain(float *restrict p, const float *restrict g, size_t n, float scale, mm_sgd_step s) {
	for (size_t i = 0; i < n; i++) p[i] -= s.lr * (g[i] * scale + s.decay * p[i]);
}

typedef double chains __attribute__((vector_size(8 * LINE)));
typedef float line __attribute__((vector_size(4 * LINE), aligned(4)));

// squares returns the sum of g² in float64, in sixteen chains whatever the processor's vectors.
MM_CLONES static double squares(const float *g, size_t n) {
	chains c = {0};
	double sum = 0;
	size_t i = 0;
	for (; i + LINE <= n; i += LINE) {
		chains x = __builtin_convertvector(*(const line *)(g + i), chains);
		c += x * x;
	}
	for (; i < n; i++) c[i % LINE] += (double)g[i] * g[i];
	for (size_t j = 0; j < LINE; j++) sum += c[j];
	return sum;
}

static void sgd_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	const float scale = o->scale ? o->scale[0] : 1;
	size_t from, to;
	(void)d;
	mm_range(o->n, LINE, part, parts, &from, &to);
	if (!o->buf)
		plain(o->p + from, o->g + from, to - from, scale, o->step);
	else
		momentum(o->p + from, o->g + from, o->buf + from, to - from, scale, o->step);
}

// squares_part writes the sum of squares of each block to partials, at most MM_PARTIALS of them.
static void squares_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to;
	mm_range(o->n, BLOCK, part, parts, &from, &to);
	for (size_t i = from; i < to; i += BLOCK) d->partials[i / BLOCK] = squares(o->g + i, to - i < BLOCK ? to - i : BLOCK);
}

void mm_sgd(mm_device *d, float *p, const float *g, float *buf, const float *scale, size_t n, mm_sgd_step s) {
	mm_run(d, sgd_part, &(operands){p, buf, g, scale, n, s}, mm_parts(d, n));
}

void mm_clip_scale(mm_device *d, float *scale, const float *g, size_t n, float max_norm) {
	const size_t most = (size_t)MM_PARTIALS * BLOCK;
	double sum = 0;
	for (size_t from = 0; from < n; from += most) {
		size_t count = n - from < most ? n - from : most;
		mm_run(d, squares_part, &(operands){.g = g + from, .n = count}, mm_parts(d, count));
		for (size_t i = 0; i < (count + BLOCK - 1) / BLOCK; i++) sum += d->partials[i];
	}
	double factor = max_norm / (sqrt(sum) + 1e-6);
	scale[0] = factor > 1 ? 1 : (float)factor; // keeps a NaN
}
