//go:build dnnl && cgo && linux

// Pooling of blocked maps. A plane is 16 channels of an image.

#include "native_library.h"
#include "native_pool.h"

typedef struct {
	float *y;
	const float *x;
	uint8_t *index;
	size_t n, frames, blocks, pixels;
	dn_window s;
	int wide;
} operands;

// FIRST is a where m is set and b elsewhere.
#define FIRST(m, a, b) ((__typeof__(b))(((m) & (dn_mask)(a)) | (~(m) & (dn_mask)(b))))

// max_plane keeps the first of equal pixels, and one that is not a number.
DN_CLONES static void max_plane(float *y, uint8_t *index, const float *x, const dn_window *s) {
	dn_half *out = (dn_half *)y;
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
						dn_half v = ((const dn_half *)x)[(pixel + j) * DN_HALVES + h];
						dn_mask here = (dn_mask){0} + (i * s->kw + j), larger = v > best, odd = v != v;
						place = FIRST(larger, here, place), best = FIRST(larger, v, best);
						place = FIRST(odd, here, place), best = FIRST(odd, v, best);
					}
				}
				out[h] = best;
				for (int l = 0; l < DN_HALF; l++) index[h * DN_HALF + l] = (uint8_t)place[l];
			}
		}
	}
}

// max_plane_grad asks, for each pixel, the windows that see it whether it was their maximum: each pixel is written once.
DN_CLONES static void max_plane_grad(float *dx, const float *dy, const uint8_t *index, const dn_window *s) {
	const dn_half *g = (const dn_half *)dy;
	dn_half *to = (dn_half *)dx;
	size_t top = 0, bottom = 0;
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
						sum[k] += dn_where(places == row - (int)ow * s->stride_w, g[at]);
					}
			}
			for (int k = 0; k < DN_HALVES; k++) to[k] = sum[k];
		}
	}
}

static void max_part(const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to, in = o->s.h * o->s.w * DN_LANE, out = o->s.out_h * o->s.out_w * DN_LANE;
	dn_range(o->n, part, parts, &from, &to);
	void (*plane)(float *, uint8_t *, const float *, const dn_window *) = o->wide ? dn_max_plane_wide : max_plane;
	for (size_t p = from; p < to; p++) plane(o->y + p * out, o->index + p * out, o->x + p * in, &o->s);
}

static void max_grad_part(const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to, in = o->s.h * o->s.w * DN_LANE, out = o->s.out_h * o->s.out_w * DN_LANE;
	dn_range(o->n, part, parts, &from, &to);
	void (*plane)(float *, const float *, const uint8_t *, const dn_window *) = o->wide ? dn_max_plane_grad_wide : max_plane_grad;
	for (size_t p = from; p < to; p++) plane(o->y + p * in, o->x + p * out, o->index + p * out, &o->s);
}

void dn_max_pool(dn_engine *e, float *y, uint8_t *index, const float *x, size_t planes, dn_window s) {
	operands o = {.y = y, .x = x, .index = index, .n = planes, .s = s, .wide = e->wide};
	dn_run(e, max_part, &o, dn_parts(e, planes * s.h * s.w * DN_LANE));
}

void dn_max_pool_grad(dn_engine *e, float *dx, const float *dy, const uint8_t *index, size_t planes, dn_window s) {
	operands o = {.y = dx, .x = dy, .index = (uint8_t *)index, .n = planes, .s = s, .wide = e->wide};
	dn_run(e, max_grad_part, &o, dn_parts(e, planes * s.h * s.w * DN_LANE));
}

// sum_plane adds a plane's pixels to sums, in float32 over 64 of them.
DN_CLONES static void sum_plane(double *sums, const float *x, size_t pixels) {
	const dn_half *v = (const dn_half *)x;
	for (size_t from = 0; from < pixels; from += 64) {
		size_t to = from + 64 < pixels ? from + 64 : pixels;
		dn_half s[DN_HALVES] = {0};
		for (size_t i = from; i < to; i++, v += DN_HALVES)
			for (int h = 0; h < DN_HALVES; h++) s[h] += v[h];
		for (int l = 0; l < DN_LANE; l++) sums[l] += s[l / DN_HALF][l % DN_HALF];
	}
}

DN_CLONES static void fill(float *y, const float *v, size_t pixels) {
	dn_half *to = (dn_half *)y, a = ((const dn_half *)v)[0], b = ((const dn_half *)v)[1];
	for (size_t i = 0; i < pixels; i++, to += DN_HALVES) to[0] = a, to[1] = b;
}

static void average_part(const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to, plane = o->pixels * DN_LANE;
	dn_range(o->n * o->blocks, part, parts, &from, &to);
	for (size_t i = from; i < to; i++) {
		double sums[DN_LANE] = {0}, count = (double)o->frames * o->pixels;
		size_t n = i / o->blocks, block = i % o->blocks;
		for (size_t t = 0; t < o->frames; t++) sum_plane(sums, o->x + ((n * o->frames + t) * o->blocks + block) * plane, o->pixels);
		for (int l = 0; l < DN_LANE; l++) o->y[i * DN_LANE + l] = (float)(sums[l] / count);
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
		for (int l = 0; l < DN_LANE; l++) v[l] = o->x[i * DN_LANE + l] * factor;
		for (size_t t = 0; t < o->frames; t++) fill(o->y + ((n * o->frames + t) * o->blocks + block) * plane, v, o->pixels);
	}
}

void dn_average_pool(dn_engine *e, float *y, const float *x, size_t n, size_t frames, size_t c, size_t pixels) {
	operands o = {.y = y, .x = x, .n = n, .frames = frames, .blocks = c / DN_LANE, .pixels = pixels};
	dn_run(e, average_part, &o, dn_parts(e, n * frames * c * pixels));
}

void dn_average_pool_grad(dn_engine *e, float *dx, const float *dy, size_t n, size_t frames, size_t c, size_t pixels) {
	operands o = {.y = dx, .x = dy, .n = n, .frames = frames, .blocks = c / DN_LANE, .pixels = pixels};
	dn_run(e, average_grad_part, &o, dn_parts(e, n * frames * c * pixels));
}
