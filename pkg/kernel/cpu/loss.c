//go:build openblas && cgo && linux

// The weighted softmax cross-entropy and its gradient, in float64 from the logits on.

#include <math.h>

#include "device.h"
#include "exponential.h"

enum {
	LANES = 16,
	CHUNK = 256, // classes whose exponentials are held at once
	COST = 16,   // of an exponential, in the elements of MM_GRAIN
};

typedef struct {
	float *y;
	const float *logits, *label, *weight;
	double factor; // of the gradient
	size_t m, c;
} operands;

// row holds the exponentials of one chunk of a row's logits, in whole lines of LANES.
typedef double row[CHUNK];

// largest returns the largest of n logits, NaN only where the first is.
MM_CLONES static float largest(const float *x, size_t n) {
	float lanes[LANES], most = x[0];
	size_t i = 0;
	for (size_t j = 0; j < LANES; j++) lanes[j] = most;
	for (; i + LANES <= n; i += LANES)
		for (size_t j = 0; j < LANES; j++) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
	for (size_t j = 0; i + j < n; j++) lanes[j] = x[i + j] > lanes[j] ? x[i + j] : lanes[j];
	for (size_t j = 0; j < LANES; j++) most = lanes[j] > most ? lanes[j] : most;
	return most;
}

// exponentials writes exp(x - most) of n <= CHUNK logits and returns their sum, in LANES chains whatever the vectors.
MM_CLONES static double exponentials(row e, const float *x, double most, size_t n) {
	double lanes[LANES] = {0}, sum = 0;
	size_t whole = (n + LANES - 1) / LANES * LANES;
	for (size_t i = 0; i < n; i++) e[i] = x[i] - most;
	for (size_t i = n; i < whole; i++) e[i] = -INFINITY;
	for (size_t i = 0; i < whole; i += LANES)
		for (size_t j = 0; j < LANES; j++) {
			e[i + j] = exponential(e[i + j]);
			lanes[j] += e[i + j];
		}
	for (size_t j = 0; j < LANES; j++) sum += lanes[j];
	return sum;
}

MM_CLONES static void scale_row(float *restrict y, const double *restrict e, double factor, size_t n) {
	for (size_t i = 0; i < n; i++) y[i] = (float)(e[i] * factor);
}

static size_t chunk(size_t n) { return n < CHUNK ? n : CHUNK; }

static double sum_exponentials(row e, const float *x, double most, size_t n) {
	double sum = 0;
	for (size_t from = 0; from < n; from += CHUNK) sum += exponentials(e, x + from, most, chunk(n - from));
	return sum;
}

// class_of returns the row's label, or c where it is no class, which makes the loss NaN.
static size_t class_of(float label, size_t c) { return label >= 0 && label < (float)c ? (size_t)label : c; }

// loss_part writes the rows' losses to partials, at most MM_PARTIALS of them.
static void loss_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end;
	row e;
	mm_range(o->m, 8, part, parts, &first, &end);
	for (size_t i = first; i < end; i++) {
		const float *x = o->logits + i * o->c;
		double most = largest(x, o->c);
		size_t label = class_of(o->label[i], o->c);
		double z = label < o->c ? x[label] : NAN;
		d->partials[i] = o->weight[i] * (log(sum_exponentials(e, x, most, o->c)) + most - z);
	}
}

static void grad_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end;
	row e;
	(void)d;
	mm_range(o->m, 8, part, parts, &first, &end);
	for (size_t i = first; i < end; i++) {
		const float *x = o->logits + i * o->c;
		float *y = o->y + i * o->c;
		size_t label = class_of(o->label[i], o->c);
		double most = largest(x, o->c), factor = label < o->c ? o->factor * o->weight[i] : NAN;
		double sum = sum_exponentials(e, x, most, o->c), z = label < o->c ? x[label] : NAN;
		for (size_t from = 0; from < o->c; from += CHUNK) {
			if (o->c > CHUNK) exponentials(e, x + from, most, chunk(o->c - from));
			scale_row(y + from, e, factor / sum, chunk(o->c - from));
		}
		if (label < o->c) y[label] = (float)((exponential(z - most) / sum - 1) * factor);
	}
}

void mm_cross_entropy(mm_device *d, float *loss, const float *logits, const float *label, const float *weight, size_t m, size_t c) {
	double sum = 0;
	for (size_t from = 0; from < m; from += MM_PARTIALS) {
		size_t rows = m - from < MM_PARTIALS ? m - from : MM_PARTIALS;
		operands o = {.logits = logits + from * c, .label = label + from, .weight = weight + from, .m = rows, .c = c};
		mm_run(d, loss_part, &o, mm_parts(d, rows * c * COST));
		for (size_t i = 0; i < rows; i++) sum += d->partials[i];
	}
	loss[0] = (float)(sum / m);
}

void mm_cross_entropy_grad(mm_device *d, float *dlogits, const float *logits, const float *label, const float *weight,
	const float *upstream, size_t m, size_t c) {
	operands o = {dlogits, logits, label, weight, (double)upstream[0] / m, m, c};
	mm_run(d, grad_part, &o, mm_parts(d, m * c * COST));
}
