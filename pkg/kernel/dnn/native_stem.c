//go:build dnnl && cgo && linux

// The first convolution of a network, 7x7 pixels of few channels, in registers of 16 output channels (AVX-512): the library reaches
// a third of the processor's speed there, and networks spend a tenth of their time in it. The input's rows that an output row needs
// are copied with their padding, so that the inner loops know no borders.
//
//   forward   a tile of PIXELS places x 2 registers of channels stays in registers over all C*7*7 weights
//   gradient  a kernel row of 7 weights x 2 registers of channels stays in registers over a row of places

#include <stdlib.h>
#include <string.h>

#include "native_library.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

#include "native_wide.h"

enum { WIDTH = 7, PAIR = 2, PIXELS = 14 };
typedef float lane __attribute__((vector_size(64), aligned(4), may_alias));

int dn_stem_suits(const dn_engine *e, const dn_shape *s) {
	int out = (s->w + 2 * s->pad_w - s->kw) / s->stride_w + 1;
	return e->wide && s->c < 8 && s->k % (PAIR * DN_LANE) == 0 && s->kh == WIDTH && s->kw == WIDTH &&
		s->stride_w == 2 && out >= PIXELS && !s->residual && s->direction != DN_GRAD_INPUT;
}

// spread returns v 16 times. It is opaque: compilers would keep values for the next weight, more than there are registers.
INLINE lane spread(const float *v) {
	lane r;
	__asm__("vbroadcastss %1, %0" : "=v"(r) : "m"(*v));
	return r;
}

typedef struct {
	dn_shape s;
	size_t out_h, out_w, row, rows; // row: elements of a padded row; rows: C*KH of them are seen at once
	const float *x;
	void *y;
	const void *dy;
	int narrow; // y and dy are bfloat16
	const float *shift;
	char *memory;       // threads times part_size
	size_t part_size;
	const float *packed; // (K/32, C*KH*7, 32)
} stem;

static stem describe(const dn_shape *s) {
	stem t = {.s = *s};
	t.out_h = (s->h + 2 * s->pad_h - s->kh) / s->stride_h + 1;
	t.out_w = (s->w + 2 * s->pad_w - s->kw) / s->stride_w + 1;
	t.row = ((size_t)s->w + 2 * s->pad_w + DN_LANE) / DN_LANE * DN_LANE;
	t.rows = (size_t)s->c * s->kh;
	return t;
}

static size_t weights(const stem *t) { return t->rows * WIDTH * t->s.k; }

// A part's memory: its rows, and for the gradient an image's sums in float32 and those of all its images in float64.
static size_t part_size(const stem *t) {
	size_t size = t->rows * t->row * sizeof(float);
	if (t->s.direction == DN_GRAD_WEIGHT) size += weights(t) * (sizeof(float) + sizeof(double));
	return (size + 63) / 64 * 64;
}

size_t dn_stem_memory(const dn_shape *s, int threads) {
	stem t = describe(s);
	return weights(&t) * sizeof(float) + part_size(&t) * threads;
}

// copy_rows writes the input rows that output row oh of image n sees, (C, KH, row), with zeros around.
static void copy_rows(const stem *t, float *to, size_t n, size_t oh) {
	for (int c = 0; c < t->s.c; c++)
		for (int i = 0; i < t->s.kh; i++, to += t->row) {
			long h = (long)oh * t->s.stride_h - t->s.pad_h + i;
			memset(to, 0, t->row * sizeof *to);
			if (h >= 0 && h < t->s.h)
				memcpy(to + t->s.pad_w, t->x + ((n * t->s.c + c) * t->s.h + h) * t->s.w, t->s.w * sizeof *to);
		}
}

// tile computes PIXELS places from ow on of a pair of channel registers. to is their first row, stride pixels apart.
INLINE void tile(const stem *t, ptrdiff_t to, size_t stride, const float *rows, const float *w, const float *shift, size_t ow) {
	lane sum[PIXELS][PAIR];
	lane first[PAIR] = {{0}};
	if (shift)
		for (int k = 0; k < PAIR; k++) first[k] = ((const lane *)shift)[k];
#pragma GCC unroll 14
	for (int p = 0; p < PIXELS; p++)
		for (int k = 0; k < PAIR; k++) sum[p][k] = first[k];
	for (size_t r = 0; r < t->rows; r++) {
		const float *x = rows + r * t->row + ow * 2;
		for (int j = 0; j < WIDTH; j++, w += PAIR * DN_LANE, x++) {
			lane a = ((const lane *)w)[0], b = ((const lane *)w)[1];
#pragma GCC unroll 14
			for (int p = 0; p < PIXELS; p++) {
				lane v = spread(x + 2 * p);
				sum[p][0] += a * v;
				sum[p][1] += b * v;
			}
		}
	}
	lane zero = {0};
#pragma GCC unroll 14
	for (int p = 0; p < PIXELS; p++)
		for (int k = 0; k < PAIR; k++) {
			lane v = sum[p][k];
			if (t->s.relu) v = (lane)(~(v < zero) & (__typeof__(v < zero))v);
			dn_store(t->y, to + k * stride + ow + p, (__m512)v, t->narrow);
		}
}

V4 static void forward_part(const void *args, int part, int parts) {
	const stem *t = args;
	float *rows = (float *)(t->memory + part * t->part_size);
	size_t from, to, plane = t->out_h * t->out_w, pairs = t->s.k / (PAIR * DN_LANE);
	dn_range(t->s.n * t->out_h, part, parts, &from, &to);
	for (size_t i = from; i < to; i++) {
		size_t n = i / t->out_h, oh = i % t->out_h;
		copy_rows(t, rows, n, oh);
		for (size_t p = 0; p < pairs; p++) {
			size_t y = (n * pairs + p) * PAIR * plane + oh * t->out_w;
			const float *w = t->packed + p * t->rows * WIDTH * PAIR * DN_LANE, *shift = t->shift ? t->shift + p * PAIR * DN_LANE : 0;
			size_t ow = 0;
			for (; ow + PIXELS <= t->out_w; ow += PIXELS) tile(t, y, plane, rows, w, shift, ow);
			if (ow < t->out_w) tile(t, y, plane, rows, w, shift, t->out_w - PIXELS); // some places twice, the same
		}
	}
}

// row_gradient adds to the sums of a kernel row and a pair of channel registers what a row of places gives.
INLINE void row_gradient(float *sums, const void *dy, size_t first, size_t stride, const float *x, size_t places, int narrow) {
	lane *to = (lane *)sums, sum[WIDTH][PAIR];
#pragma GCC unroll 7
	for (int j = 0; j < WIDTH; j++) sum[j][0] = to[j * PAIR], sum[j][1] = to[j * PAIR + 1];
	for (size_t i = 0; i < places; i++, x += 2) {
		lane g = (lane)dn_load(dy, first + i, narrow), h = (lane)dn_load(dy, first + stride + i, narrow);
#pragma GCC unroll 7
		for (int j = 0; j < WIDTH; j++) {
			lane v = spread(x + j);
			sum[j][0] += g * v;
			sum[j][1] += h * v;
		}
	}
#pragma GCC unroll 7
	for (int j = 0; j < WIDTH; j++) to[j * PAIR] = sum[j][0], to[j * PAIR + 1] = sum[j][1];
}

V4 static void gradient_part(const void *args, int part, int parts) {
	const stem *t = args;
	double *total = (double *)(t->memory + part * t->part_size);
	float *image = (float *)(total + weights(t)), *rows = image + weights(t);
	size_t from, to, plane = t->out_h * t->out_w, pairs = t->s.k / (PAIR * DN_LANE);
	memset(total, 0, weights(t) * sizeof *total);
	dn_range(t->s.n * t->out_h, part, parts, &from, &to);
	for (size_t i = from; i < to;) {
		size_t n = i / t->out_h;
		memset(image, 0, weights(t) * sizeof *image);
		for (; i < to && i / t->out_h == n; i++) {
			size_t oh = i % t->out_h;
			copy_rows(t, rows, n, oh);
			for (size_t p = 0; p < pairs; p++) {
				size_t dy = (n * pairs + p) * PAIR * plane + oh * t->out_w;
				for (size_t r = 0; r < t->rows; r++) {
					float *sums = image + (p * t->rows + r) * WIDTH * PAIR * DN_LANE;
					if (t->narrow) {
						row_gradient(sums, t->dy, dy, plane, rows + r * t->row, t->out_w, 1);
					} else {
						row_gradient(sums, t->dy, dy, plane, rows + r * t->row, t->out_w, 0);
					}
				}
			}
		}
		for (size_t j = 0; j < weights(t); j++) total[j] += image[j];
	}
}

// packed_at is the place of weight j of channel k in (K/32, C*KH*7, 32).
static size_t packed_at(const stem *t, size_t k, size_t j) {
	return (k / (PAIR * DN_LANE) * t->rows * WIDTH + j) * PAIR * DN_LANE + k % (PAIR * DN_LANE);
}

void dn_stem_run(dn_engine *e, const dn_shape *s, const float *x, float *w, void *y, const float *scale, const float *shift) {
	stem t = describe(s);
	size_t kernel = t.rows * WIDTH;
	float *packed = e->scratch;
	t.x = x, t.y = y, t.dy = y, t.narrow = e->narrow, t.shift = shift, t.packed = packed;
	t.memory = (char *)(packed + weights(&t));
	t.part_size = part_size(&t);
	if (s->direction != DN_GRAD_WEIGHT) {
		for (size_t k = 0; k < (size_t)s->k; k++)
			for (size_t j = 0; j < kernel; j++) packed[packed_at(&t, k, j)] = w[k * kernel + j] * (scale ? scale[k] : 1);
		dn_run(e, forward_part, &t, e->threads);
		return;
	}
	for (int p = 0; p < e->threads; p++) memset(t.memory + p * t.part_size, 0, weights(&t) * sizeof(double)); // of threads that were not given
	dn_run(e, gradient_part, &t, e->threads);
	for (size_t k = 0; k < (size_t)s->k; k++)
		for (size_t j = 0; j < kernel; j++) {
			double sum = 0;
			for (int p = 0; p < e->threads; p++) sum += ((double *)(t.memory + p * t.part_size))[packed_at(&t, k, j)];
			w[k * kernel + j] = (float)sum;
		}
}

#else

int dn_stem_suits(const dn_engine *e, const dn_shape *s) { return (void)e, (void)s, 0; }
size_t dn_stem_memory(const dn_shape *s, int threads) { return (void)s, (void)threads, 0; }
void dn_stem_run(dn_engine *e, const dn_shape *s, const float *x, float *w, void *y, const float *scale, const float *shift) {
	(void)e, (void)s, (void)x, (void)w, (void)y, (void)scale, (void)shift;
}

#endif
