//go:build dnnl && cgo && linux

// Pooling of blocked maps. A plane is 16 channels of an image.

#include "native_half.h"
#include "native_library.h"
#include "native_pool.h"

typedef struct {
	void *y;
	const void *x;
	uint8_t *index;
	size_t n, frames, blocks, pixels;
	dn_window s;
	int wide, narrow;
} operands;

// FIRST is a where m is set and b elsewhere.
#define FIRST(m, a, b) ((__typeof__(b))(((m) & (dn_mask)(a)) | (~(m) & (dn_mask)(b))))

// max_plane keeps the first of equal pixels, and one that is not a number.
DN_CLONES static void max_plane(void *y, uint8_t *index, const void *x, const dn_window *s, int narrow) {
	size_t out = 0;
	for (size_t oh = 0; oh < s->out_h; oh++) {
		int top, bottom;
		dn_bounds(oh, s->kh, s->stride_h, s->pad_h, s->h, &top, &bottom);
		for (size_t ow = 0; ow < s->out_w; ow++, out += DN_HALVES, index += DN_LANE) {
			int left, right;
			dn_bounds(ow, s->kw, s->stride_w, s->pad_w, s->w, &left, &right);
			for (int h = 0; h < DN_HALVES; h++) {
				dn_half best = (dn_half){0} - __builtin_inff();
				dn_mask place = (dn_mask){0} + (top * s->kw + left);
				for (int i = top; i < bottom; i++) {
					long pixel = ((long)oh * s->stride_h - s->pad_h + i) * (long)s->w + (long)ow * s->stride_w - s->pad_w;
					for (int j = left; j < right; j++) {
						dn_half v = dn_get(x, (pixel + j) * DN_HALVES + h, narrow);
						dn_mask here = (dn_mask){0} + (i * s->kw + j), larger = v > best, odd = v != v;
						place = FIRST(larger, here, place), best = FIRST(larger, v, best);
						place = FIRST(odd, here, place), best = FIRST(odd, v, best);
					}
				}
				dn_put(y, out + h, best, narrow);
				for (int l = 0; l < DN_HALF; l++) index[h * DN_HALF + l] = (uint8_t)place[l];
			}
		}
	}
}

// max_plane_grad asks, for each pixel, the windows that see it whether it was their maximum: each pixel is written once.
DN_CLONES static void max_plane_grad(void *dx, const void *dy, const uint8_t *index, const dn_window *s, int narrow) {
	size_t to = 0, top = 0, bottom = 0;
	for (size_t h = 0; h < s->h; h++) {
		dn_reach(h, s->kh, s->stride_h, s->pad_h, s->out_h, &top, &bottom);
		size_t left = 0, right = 0;
		for (size_t w = 0; w < s->w; w++, to += DN_HALVES) {
			dn_reach(w, s->kw, s->stride_w, s->pad_w, s->out_w, &left, &right);
			dn_half sum[DN_HALVES] = {0};
			for (size_t oh = top; oh < bottom; oh++) {
				int row = ((int)h + s->pad_h - (int)oh * s->stride_h) * s->kw + (int)w + s->pad_w;
				for (size_t ow = left; ow < right; ow++)
					for (int k = 0; k < DN_HALVES; k++) {
						size_t at = (oh * s->out_w + ow) * DN_HALVES + k;
						dn_mask places;
						for (int l = 0; l < DN_HALF; l++) places[l] = index[at * DN_HALF + l];
						sum[k] += dn_where(places == row - (int)ow * s->stride_w, dn_get(dy, at, narrow));
					}
			}
			for (int k = 0; k < DN_HALVES; k++) dn_put(dx, to + k, sum[k], narrow);
		}
	}
}

// from_element returns maps from an element on.
static const void *from_element(const operands *o, const void *maps, size_t element) {
	return (const char *)maps + element * (o->narrow ? sizeof(uint16_t) : sizeof(float));
}
static void *to_element(const operands *o, size_t element) { return (void *)from_element(o, o->y, element); }

static void max_part(const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to, in = o->s.h * o->s.w * DN_LANE, out = o->s.out_h * o->s.out_w * DN_LANE;
	dn_range(o->n, part, parts, &from, &to);
	for (size_t p = from; p < to; p++)
		(o->wide ? dn_max_plane_wide : max_plane)(to_element(o, p * out), o->index + p * out, from_element(o, o->x, p * in), &o->s, o->narrow);
}

static void max_grad_part(const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to, in = o->s.h * o->s.w * DN_LANE, out = o->s.out_h * o->s.out_w * DN_LANE;
	dn_range(o->n, part, parts, &from, &to);
	for (size_t p = from; p < to; p++)
		(o->wide ? dn_max_plane_grad_wide : max_plane_grad)(to_element(o, p * in), from_element(o, o->x, p * out), o->index + p * out, &o->s, o->narrow);
}

void dn_max_pool(dn_engine *e, void *y, uint8_t *index, const void *x, size_t planes, dn_window s) {
	operands o = {.y = y, .x = x, .index = index, .n = planes, .s = s, .wide = e->wide, .narrow = e->narrow};
	dn_run(e, max_part, &o, dn_parts(e, planes * s.h * s.w * DN_LANE));
}

void dn_max_pool_grad(dn_engine *e, void *dx, const void *dy, const uint8_t *index, size_t planes, dn_window s) {
	operands o = {.y = dx, .x = dy, .index = (uint8_t *)index, .n = planes, .s = s, .wide = e->wide, .narrow = e->narrow};
	dn_run(e, max_grad_part, &o, dn_parts(e, planes * s.h * s.w * DN_LANE));
}

// sum_plane adds a plane's pixels to sums, in float32 over 64 of them.
DN_CLONES static void sum_plane(double *sums, const void *x, size_t pixels, int narrow) {
	for (size_t from = 0; from < pixels; from += 64) {
		size_t to = from + 64 < pixels ? from + 64 : pixels;
		dn_half s[DN_HALVES] = {0};
		for (size_t i = from; i < to; i++)
			for (int h = 0; h < DN_HALVES; h++) s[h] += dn_get(x, i * DN_HALVES + h, narrow);
		for (int l = 0; l < DN_LANE; l++) sums[l] += s[l / DN_HALF][l % DN_HALF];
	}
}

DN_CLONES static void fill(void *y, const float *v, size_t pixels, int narrow) {
	for (size_t i = 0; i < pixels * DN_HALVES; i++) dn_put(y, i, ((const dn_half *)v)[i % DN_HALVES], narrow);
}

static void average_part(const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to, plane = o->pixels * DN_LANE;
	dn_range(o->n * o->blocks, part, parts, &from, &to);
	for (size_t i = from; i < to; i++) {
		double sums[DN_LANE] = {0}, count = (double)o->frames * o->pixels;
		size_t n = i / o->blocks, block = i % o->blocks;
		for (size_t t = 0; t < o->frames; t++) sum_plane(sums, from_element(o, o->x, ((n * o->frames + t) * o->blocks + block) * plane), o->pixels, o->narrow);
		for (int l = 0; l < DN_LANE; l++) ((float *)o->y)[i * DN_LANE + l] = (float)(sums[l] / count);
	}
}

static void average_grad_part(const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to, plane = o->pixels * DN_LANE;
	float factor = (float)(1.0 / ((double)o->frames * o->pixels));
	dn_range(o->n * o->blocks, part, parts, &from, &to);
	for (size_t i = from; i < to; i++) {
		float v[DN_LANE];
		size_t n = i / o->blocks, block = i % o->blocks;
		for (int l = 0; l < DN_LANE; l++) v[l] = ((const float *)o->x)[i * DN_LANE + l] * factor;
		for (size_t t = 0; t < o->frames; t++) fill(to_element(o, ((n * o->frames + t) * o->blocks + block) * plane), v, o->pixels, o->narrow);
	}
}

void dn_average_pool(dn_engine *e, float *y, const void *x, size_t n, size_t frames, size_t c, size_t pixels) {
	operands o = {.y = y, .x = x, .n = n, .frames = frames, .blocks = c / DN_LANE, .pixels = pixels, .narrow = e->narrow};
	dn_run(e, average_part, &o, dn_parts(e, n * frames * c * pixels));
}

void dn_average_pool_grad(dn_engine *e, void *dx, const float *dy, size_t n, size_t frames, size_t c, size_t pixels) {
	operands o = {.y = dx, .x = dy, .n = n, .frames = frames, .blocks = c / DN_LANE, .pixels = pixels, .narrow = e->narrow};
	dn_run(e, average_grad_part, &o, dn_parts(e, n * frames * c * pixels));
}
