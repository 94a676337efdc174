//go:build dnnl && cgo && linux

// Batch normalisation of blocked maps. Sums are taken in float32 over DN_RUN pixels of an image and in float64 over those, image
// after image: the result does not depend on the threads. Where each thread can have channels of its own, it normalises a block
// of 16 right after summing it, from its cache.

#include <math.h>

#include "native_half.h"
#include "native_library.h"
#include "native_norm.h"

// Maps of at least STREAM elements are too large for a core's cache to keep until they are read.
enum { STREAM = 1 << 20 };

typedef struct {
	void *y, *dresidual;
	const void *x, *residual, *dy, *out;
	float *dgamma, *dbeta;
	const float *gamma, *beta, *scale, *shift;
	float *mean, *inv_std, *running_mean, *running_var;
	double *sums; // (C/16, N, 2, 16)
	size_t n, blocks, pixels;
	float momentum, epsilon;
	int relu, narrow;
	const dn_planes *planes;
	void (*transform)(void *y, const void *x, const void *r, const dn_channels *c, size_t pixels, int relu, int narrow);
} operands;

// plane returns a block of an image's maps, 0 of no maps.
static const void *plane(const operands *o, const void *maps, size_t n, size_t block) {
	return maps ? (const char *)maps + (n * o->blocks + block) * o->pixels * DN_LANE * (o->narrow ? sizeof(uint16_t) : sizeof(float)) : 0;
}
static void *plane_of(const operands *o, void *maps, size_t n, size_t block) { return (void *)plane(o, maps, n, block); }

// rectify is max(0, v), and leaves what is not a number as it is.
static inline __attribute__((always_inline)) dn_half rectify(dn_half v) { return dn_where(~(v < 0), v); }

// settle adds a run's sums.
static inline __attribute__((always_inline)) void settle(double *sums, const dn_half *a, const dn_half *b) {
	for (int l = 0; l < DN_LANE; l++) {
		sums[l] += a[l / DN_HALF][l % DN_HALF];
		sums[DN_LANE + l] += b[l / DN_HALF][l % DN_HALF];
	}
}

// HALVES declares name to be the 16 values at from.
#define HALVES(name, from) const dn_half name[] = {((const dn_half *)(from))[0], ((const dn_half *)(from))[1]}

// INLINE functions are compiled for maps of either kind: narrow is a constant in each.
#define INLINE static inline __attribute__((always_inline))

INLINE void moments_of(double *sums, const void *x, const float *pivot, size_t pixels, int narrow) {
	HALVES(at, pivot);
	for (int l = 0; l < 2 * DN_LANE; l++) sums[l] = 0;
	for (size_t from = 0; from < pixels; from += DN_RUN) {
		size_t to = pixels - from < DN_RUN ? pixels : from + DN_RUN;
		dn_half sum[DN_HALVES] = {0}, square[DN_HALVES] = {0};
		for (size_t i = from; i < to; i++)
			for (int h = 0; h < DN_HALVES; h++) {
				dn_half d = dn_get(x, i * DN_HALVES + h, narrow) - at[h];
				sum[h] += d, square[h] += d * d;
			}
		settle(sums, sum, square);
	}
}

DN_CLONES static void moments(double *sums, const void *x, const float *pivot, size_t pixels, int is_narrow) {
	DN_EITHER(is_narrow, moments_of(sums, x, pivot, pixels, narrow);)
}

// pivot_of reads a block's first pixel.
static void pivot_of(const operands *o, size_t block, float *pivot) {
	for (int h = 0; h < DN_HALVES; h++) ((dn_half *)pivot)[h] = dn_get(plane(o, o->x, 0, block), h, o->narrow);
}

// EACH computes every half of every pixel.
#define EACH(to, result)                             \
	for (size_t i = 0; i < pixels; i++)              \
		for (int h = 0; h < DN_HALVES; h++) {        \
			size_t j = i * DN_HALVES + h;            \
			dn_put(to, j, (result), narrow);         \
		}
#define AT(maps) dn_get(maps, j, narrow)

INLINE void transform_of(void *y, const void *x, const void *r, const dn_channels *c, size_t pixels, int relu, int narrow) {
	HALVES(a, c->scale);
	HALVES(b, c->shift);
	if (r && relu) {
		EACH(y, rectify(AT(x) * a[h] + b[h] + AT(r)))
	} else if (r) {
		EACH(y, AT(x) * a[h] + b[h] + AT(r))
	} else if (relu) {
		EACH(y, rectify(AT(x) * a[h] + b[h]))
	} else {
		EACH(y, AT(x) * a[h] + b[h])
	}
}

DN_CLONES static void transform(void *y, const void *x, const void *r, const dn_channels *c, size_t pixels, int relu, int is_narrow) {
	DN_EITHER(is_narrow, transform_of(y, x, r, c, pixels, relu, narrow);)
}

static void sum_plane(const operands *o, size_t n, size_t block) {
	float pivot[DN_LANE];
	pivot_of(o, block, pivot);
	o->planes->moments(o->sums + (block * o->n + n) * 2 * DN_LANE, plane(o, o->x, n, block), pivot, o->pixels, o->narrow);
}

// gather adds a block's sums, image after image.
static void gather(const operands *o, size_t block, double *sums) {
	for (int l = 0; l < 2 * DN_LANE; l++) sums[l] = 0;
	for (size_t n = 0; n < o->n; n++)
		for (int l = 0; l < 2 * DN_LANE; l++) sums[l] += o->sums[(block * o->n + n) * 2 * DN_LANE + l];
}

// statistics writes what the sums say of a block's channels.
static void statistics(const operands *o, size_t block) {
	double sums[2 * DN_LANE], count = (double)o->n * o->pixels, m = o->momentum;
	float pivot[DN_LANE];
	pivot_of(o, block, pivot);
	gather(o, block, sums);
	for (int l = 0; l < DN_LANE; l++) {
		size_t c = block * DN_LANE + l;
		double off = sums[l] / count, var = sums[DN_LANE + l] / count - off * off;
		if (var < 0) var = 0;
		o->mean[c] = (float)(pivot[l] + off);
		o->inv_std[c] = (float)(1 / sqrt(var + o->epsilon));
		o->running_mean[c] = (float)((1 - m) * o->running_mean[c] + m * (pivot[l] + off));
		o->running_var[c] = (float)((1 - m) * o->running_var[c] + m * var * count / (count > 1 ? count - 1 : 1));
	}
}

// folded gives a block's normalisation as scale x + shift: forward and backward must agree on its sign to the bit.
static void folded(const operands *o, size_t block, float *scale, float *shift) {
	for (int l = 0; l < DN_LANE; l++) {
		size_t c = block * DN_LANE + l;
		scale[l] = o->gamma[c] * o->inv_std[c];
		shift[l] = o->beta[c] - o->mean[c] * scale[l];
	}
}

static void normalise(const operands *o, size_t n, size_t block, const float *scale, const float *shift) {
	o->transform(plane_of(o, o->y, n, block), plane(o, o->x, n, block), plane(o, o->residual, n, block), &(dn_channels){scale, shift, 0, 0, 0},
		o->pixels, o->relu, o->narrow);
}

// Each step of both directions runs over items, an image's block each, numbered block after block.
typedef void (*step)(const operands *o, size_t n, size_t block);

static void normalise_step(const operands *o, size_t n, size_t block) {
	float scale[DN_LANE], shift[DN_LANE];
	folded(o, block, scale, shift);
	normalise(o, n, block, scale, shift);
}

typedef struct {
	const operands *o;
	step sum, write;
	void (*between)(const operands *o, size_t block);
} pass;

static void whole_blocks(const void *args, int part, int parts) {
	const pass *p = args;
	size_t from, to;
	dn_range(p->o->blocks, part, parts, &from, &to);
	for (size_t b = from; b < to; b++) {
		for (size_t n = 0; n < p->o->n; n++) p->sum(p->o, n, b);
		p->between(p->o, b);
		for (size_t n = p->o->n; n-- > 0;) p->write(p->o, n, b); // backwards: what was summed last is in the cache
	}
}

static void items(const pass *p, step f, int part, int parts) {
	size_t from, to;
	dn_range(p->o->blocks * p->o->n, part, parts, &from, &to);
	for (size_t i = from; i < to; i++) f(p->o, i % p->o->n, i / p->o->n);
}
static void sum_items(const void *args, int part, int parts) { items(args, ((const pass *)args)->sum, part, parts); }
static void write_items(const void *args, int part, int parts) { items(args, ((const pass *)args)->write, part, parts); }

// run_pass gives each thread whole blocks where that shares the work evenly, else images of blocks.
static void run_pass(dn_engine *e, const pass *p) {
	size_t blocks = p->o->blocks;
	int parts = dn_parts(e, blocks * p->o->n * p->o->pixels * DN_LANE);
	if (blocks % parts == 0 || blocks >= 4 * (size_t)parts) {
		dn_run(e, whole_blocks, p, parts);
		return;
	}
	dn_run(e, sum_items, p, parts);
	for (size_t b = 0; b < blocks; b++) p->between(p->o, b);
	dn_run(e, write_items, p, parts);
}

static const dn_planes *planes_of(const dn_engine *e);

int dn_batch_norm(dn_engine *e, void *y, const void *x, const void *residual, const float *gamma, const float *beta, float *mean,
	float *inv_std, float *running_mean, float *running_var, size_t n, size_t c, size_t pixels, float momentum, float epsilon, int relu) {
	operands o = {.y = y, .x = x, .residual = residual, .gamma = gamma, .beta = beta, .mean = mean, .inv_std = inv_std,
		.running_mean = running_mean, .running_var = running_var, .n = n, .blocks = c / DN_LANE, .pixels = pixels, .momentum = momentum,
		.epsilon = epsilon, .relu = relu, .narrow = e->narrow, .sums = dn_sums(e, n * c * 2), .planes = planes_of(e)};
	int past = e->wide && y != x && y != residual && n * c * pixels >= STREAM && (uintptr_t)y % 64 == 0;
	o.transform = past ? dn_transform_past : o.planes->transform;
	if (!o.sums) return 1;
	run_pass(e, &(pass){&o, sum_plane, normalise_step, statistics});
	return 0;
}

// LET is dy where the activation let it through: where scale x + shift is positive.
#define LET dn_where(AT(x) * a[h] + b[h] > 0, AT(dy))

INLINE void gradient_sums_of(double *sums, void *dresidual, const void *dy, const void *x, const void *out, const dn_channels *c, size_t pixels, int relu,
	int narrow) {
	HALVES(a, c->scale);
	HALVES(b, c->shift);
	HALVES(m, c->mean);
	for (int l = 0; l < 2 * DN_LANE; l++) sums[l] = 0;
	for (size_t from = 0; from < pixels; from += DN_RUN) {
		size_t to = pixels - from < DN_RUN ? pixels : from + DN_RUN;
		dn_half sum[DN_HALVES] = {0}, dot[DN_HALVES] = {0};
#define SUM(value)                                          \
	for (size_t i = from; i < to; i++)                      \
		for (int h = 0; h < DN_HALVES; h++) {               \
			size_t j = i * DN_HALVES + h;                   \
			dn_half g = (value);                            \
			if (dresidual) dn_put(dresidual, j, g, narrow); \
			sum[h] += g, dot[h] += g * (AT(x) - m[h]);      \
		}
		if (dresidual && relu) {
			SUM(dn_where(AT(out) > 0, AT(dy)))
		} else if (dresidual) {
			SUM(AT(dy))
		} else if (relu) {
			SUM(LET)
		} else {
			SUM(AT(dy))
		}
		settle(sums, sum, dot);
	}
}

DN_CLONES static void gradient_sums(double *sums, void *dresidual, const void *dy, const void *x, const void *out, const dn_channels *c,
	size_t pixels, int relu, int is_narrow) {
	DN_EITHER(is_narrow, gradient_sums_of(sums, dresidual, dy, x, out, c, pixels, relu, narrow);)
}

INLINE void gradient_of(void *dx, const void *dy, const void *x, const dn_channels *c, size_t pixels, int relu, int narrow) {
	HALVES(a, c->scale);
	HALVES(b, c->shift);
	HALVES(m, c->mean);
	HALVES(k, c->slope);
	HALVES(z, c->offset);
	if (relu) {
		EACH(dx, a[h] * LET - k[h] * (AT(x) - m[h]) - z[h])
	} else {
		EACH(dx, a[h] * AT(dy) - k[h] * (AT(x) - m[h]) - z[h])
	}
}

DN_CLONES static void gradient(void *dx, const void *dy, const void *x, const dn_channels *c, size_t pixels, int relu, int is_narrow) {
	DN_EITHER(is_narrow, gradient_of(dx, dy, x, c, pixels, relu, narrow);)
}

static const dn_planes planes = {moments, transform, gradient_sums, gradient};
static const dn_planes *planes_of(const dn_engine *e) { return e->wide ? &dn_planes_wide : &planes; }

static void gradient_sums_step(const operands *o, size_t n, size_t block) {
	float scale[DN_LANE], shift[DN_LANE];
	folded(o, block, scale, shift);
	o->planes->gradient_sums(o->sums + (block * o->n + n) * 2 * DN_LANE, plane_of(o, o->dresidual, n, block), plane(o, o->dy, n, block),
		plane(o, o->x, n, block), plane(o, o->out, n, block), &(dn_channels){scale, shift, o->mean + block * DN_LANE, 0, 0}, o->pixels, o->relu,
		o->narrow);
}

static void parameters(const operands *o, size_t block) {
	double sums[2 * DN_LANE];
	gather(o, block, sums);
	for (int l = 0; l < DN_LANE; l++) {
		size_t c = block * DN_LANE + l;
		o->dbeta[c] = (float)sums[l];
		o->dgamma[c] = (float)(sums[DN_LANE + l] * o->inv_std[c]);
	}
}

static void gradient_step(const operands *o, size_t n, size_t block) {
	float scale[DN_LANE], shift[DN_LANE], slope[DN_LANE], offset[DN_LANE];
	double count = (double)o->n * o->pixels;
	folded(o, block, scale, shift);
	for (int l = 0; l < DN_LANE; l++) {
		size_t c = block * DN_LANE + l;
		slope[l] = (float)(scale[l] * (double)o->inv_std[c] * o->dgamma[c] / count);
		offset[l] = (float)(scale[l] * (double)o->dbeta[c] / count);
	}
	// Where there was a residual, its gradient is g already.
	o->planes->gradient(plane_of(o, o->y, n, block), plane(o, o->dresidual ? o->dresidual : o->dy, n, block), plane(o, o->x, n, block),
		&(dn_channels){scale, shift, o->mean + block * DN_LANE, slope, offset}, o->pixels, o->relu && !o->dresidual, o->narrow);
}

int dn_batch_norm_grad(dn_engine *e, void *dx, void *dresidual, float *dgamma, float *dbeta, const void *dy, const void *x,
	const void *y, const float *gamma, const float *beta, const float *mean, const float *inv_std, size_t n, size_t c, size_t pixels,
	int relu) {
	operands o = {.y = dx, .dresidual = dresidual, .dgamma = dgamma, .dbeta = dbeta, .dy = dy, .x = x, .out = y, .gamma = gamma,
		.beta = beta, .mean = (float *)mean, .inv_std = (float *)inv_std, .n = n, .blocks = c / DN_LANE, .pixels = pixels, .relu = relu,
		.narrow = e->narrow, .planes = planes_of(e), .sums = dn_sums(e, n * c * 2)};
	if (!o.sums) return 1;
	run_pass(e, &(pass){&o, gradient_sums_step, gradient_step, parameters});
	return 0;
}

static void affine_part(const void *args, int part, int parts) {
	const operands *o = args;
	size_t from, to;
	dn_range(o->n * o->blocks, part, parts, &from, &to);
	for (size_t i = from; i < to; i++) {
		size_t block = i % o->blocks;
		normalise(o, i / o->blocks, block, o->scale + block * DN_LANE, o->shift + block * DN_LANE);
	}
}

void dn_affine(dn_engine *e, void *y, const void *x, const float *scale, const float *shift, const void *residual, size_t n, size_t c,
	size_t pixels, int relu) {
	operands o = {.y = y, .x = x, .residual = residual, .scale = scale, .shift = shift, .n = n, .blocks = c / DN_LANE, .pixels = pixels,
		.relu = relu, .narrow = e->narrow, .transform = planes_of(e)->transform};
	dn_run(e, affine_part, &o, dn_parts(e, n * c * pixels));
}
