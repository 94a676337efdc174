//go:build openblas && cgo && linux

// Elementwise products and activations, cut at cache lines so that no two threads write one.

#include <math.h>

#include "device.h"
#include "exponential.h"

enum {
	LINE = 16,
	COST = 8, // of a function, in the elements of MM_GRAIN
};

typedef struct operands {
	float *y;
	const float *a, *b;
	float factor;
	size_t n;
	void (*run)(const struct operands *o, size_t from, size_t to);
} operands;

static void part_of(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to;
	(void)d;
	mm_range(o->n, LINE, part, parts, &from, &to);
	o->run(o, from, to);
}

MM_CLONES static void mul(const operands *o, size_t from, size_t to) {
	for (size_t i = from; i < to; i++) o->y[i] = o->a[i] * o->b[i];
}

MM_CLONES static void scale(const operands *o, size_t from, size_t to) {
	for (size_t i = from; i < to; i++) o->y[i] = o->factor * o->a[i];
}

// tanh x = (1 - e) / (1 + e), e = exp(-2|x|), which loses digits near 0, where tanh x is x to float's last.
MM_CLONES static void hyperbolic(const operands *o, size_t from, size_t to) {
	for (size_t i = from; i < to; i++) {
		double x = o->a[i], e = exponential(-2 * fabs(x)), y = (1 - e) / (1 + e);
		o->y[i] = (float)(fabs(x) < 1e-4 ? x : copysign(y, x));
	}
}

MM_CLONES static void hyperbolic_grad(const operands *o, size_t from, size_t to) {
	for (size_t i = from; i < to; i++) o->y[i] = o->a[i] * (1 - o->b[i] * o->b[i]);
}

// The exponential is of -|x|, which cannot overflow: e / (1 + e) left of 0, 1 / (1 + e) right of it.
MM_CLONES static void logistic(const operands *o, size_t from, size_t to) {
	for (size_t i = from; i < to; i++) {
		double x = o->a[i], e = exponential(-fabs(x));
		o->y[i] = (float)((x < 0 ? e : 1) / (1 + e));
	}
}

MM_CLONES static void logistic_grad(const operands *o, size_t from, size_t to) {
	for (size_t i = from; i < to; i++) o->y[i] = o->a[i] * (o->b[i] * (1 - o->b[i]));
}

void mm_mul(mm_device *d, float *y, const float *a, const float *b, size_t n) {
	mm_run(d, part_of, &(operands){.y = y, .a = a, .b = b, .n = n, .run = mul}, mm_parts(d, n));
}

void mm_scale(mm_device *d, float *y, const float *x, size_t n, float factor) {
	mm_run(d, part_of, &(operands){.y = y, .a = x, .factor = factor, .n = n, .run = scale}, mm_parts(d, n));
}

void mm_tanh(mm_device *d, float *y, const float *x, size_t n) {
	mm_run(d, part_of, &(operands){.y = y, .a = x, .n = n, .run = hyperbolic}, mm_parts(d, n * COST));
}

void mm_tanh_grad(mm_device *d, float *dx, const float *dy, const float *y, size_t n) {
	mm_run(d, part_of, &(operands){.y = dx, .a = dy, .b = y, .n = n, .run = hyperbolic_grad}, mm_parts(d, n));
}

void mm_sigmoid(mm_device *d, float *y, const float *x, size_t n) {
	mm_run(d, part_of, &(operands){.y = y, .a = x, .n = n, .run = logistic}, mm_parts(d, n * COST));
}

void mm_sigmoid_grad(mm_device *d, float *dx, const float *dy, const float *y, size_t n) {
	mm_run(d, part_of, &(operands){.y = dx, .a = dy, .b = y, .n = n, .run = logistic_grad}, mm_parts(d, n));
}
