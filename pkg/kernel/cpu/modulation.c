//go:build openblas && cgo && linux

// Feature-wise linear modulation, a row at a time.

#include <string.h>

#include "device.h"

typedef struct {
	float *y;
	const float *a, *modulator; // of the gradient of the modulator, a is dy and modulator x
	size_t m, n;
} operands;

MM_CLONES static void modulate(float *y, const float *x, const float *modulator, size_t n) {
	for (size_t j = 0; j < n; j++) y[j] = modulator[j] * x[j] + modulator[n + j];
}

MM_CLONES static void multiply(float *y, const float *a, const float *b, size_t n) {
	for (size_t j = 0; j < n; j++) y[j] = a[j] * b[j];
}

static void modulate_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end, n = o->n;
	(void)d;
	mm_range(o->m, 1, part, parts, &first, &end);
	for (size_t i = first; i < end; i++) modulate(o->y + i * n, o->a + i * n, o->modulator + 2 * i * n, n);
}

static void grad_input_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end, n = o->n;
	(void)d;
	mm_range(o->m, 1, part, parts, &first, &end);
	for (size_t i = first; i < end; i++) multiply(o->y + i * n, o->a + i * n, o->modulator + 2 * i * n, n);
}

static void grad_modulator_part(mm_device *d, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end, n = o->n;
	(void)d;
	mm_range(o->m, 1, part, parts, &first, &end);
	for (size_t i = first; i < end; i++) {
		multiply(o->y + 2 * i * n, o->a + i * n, o->modulator + i * n, n);
		memcpy(o->y + (2 * i + 1) * n, o->a + i * n, n * sizeof *o->y);
	}
}

void mm_modulate(mm_device *d, float *y, const float *modulator, const float *x, size_t m, size_t n) {
	mm_run(d, modulate_part, &(operands){y, x, modulator, m, n}, mm_parts(d, m * n));
}

void mm_modulate_grad_input(mm_device *d, float *dx, const float *dy, const float *modulator, size_t m, size_t n) {
	mm_run(d, grad_input_part, &(operands){dx, dy, modulator, m, n}, mm_parts(d, m * n));
}

void mm_modulate_grad_modulator(mm_device *d, float *dmodulator, const float *dy, const float *x, size_t m, size_t n) {
	mm_run(d, grad_modulator_part, &(operands){dmodulator, dy, x, m, n}, mm_parts(d, m * n));
}
