//go:build dnnl && cgo && linux

// Winograd's convolution of 3x3 pixels: the weights are transformed, then chunk after chunk of tiles: the pixels transformed, multiplied
// a frequency at a time, and transformed to results, all of it by one thread and in its cache. Chunks are cut so that their
// transformed maps take as much memory as the transformed weights, which are read for each: what is read most is then least.
//
// The gradient of the weights adds over chunks. Where it is small, in SEGMENTS sums, each of chunks that one thread transforms and multiplies in
// its cache. Where it is large, in one: all threads transform a chunk, then multiply it, each the frequencies of its own. Neither depends on
// the number of threads.

#include <stdlib.h>
#include <string.h>

#include "native_winograd.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

// A chunk holds tiles first to first + ends[DN_SHAPES - 1], those of shape s before ends[s].
typedef struct {
	size_t first, ends[DN_SHAPES];
} chunk;

struct dn_winograd {
	dn_shape s;
	int kind, points;               // points a side of transformed maps
	int narrow;                     // maps are bfloat16
	size_t in, out;                 // channels of what is convolved, and of the result; of the gradient of the weights, of x and dy
	size_t tiles, chunks, longest;  // longest is the tiles of the largest chunk
	size_t segments;                // sums that the gradient of the weights is added up in
	size_t u_step, v_step, m_step;  // elements between frequencies
	dn_tile *tile;
	chunk *chunk;
};

enum { SMALL = 512 << 10, LARGE = 16 << 20 }; // bounds of a chunk's transformed maps, bytes: a part of a thread's cache, and memory
enum { SEGMENTS = 16, SEGMENT = 3 << 19 };    // of gradients of no more bytes: that and much of a chunk of its fit in a thread's cache

static size_t frequencies(const dn_winograd *g) { return (size_t)g->points * g->points; } // of maps
static size_t blocks(size_t channels) { return channels / DN_LANE; }
static size_t pairs(size_t channels) { return (channels + DN_PAIR - 1) / DN_PAIR; }

// tiles_along gives the tiles along a side of n results; the last short of them have 3.
static int tiles_along(int n, int *brief) {
	int m = (n + DN_SIDE - 1) / DN_SIDE, missing = DN_SIDE * m - n;
	*brief = missing < m ? missing : m;
	return m;
}

// results gives the results of a side of n pixels.
static int results(const dn_shape *s, int n) { return (n - 1) / s->stride_h + 1; }

int dn_winograd_suits(const dn_engine *e, const dn_shape *s) {
	if (!e->wide || s->kh != 3 || s->kw != 3 || s->stride_h > 2 || s->stride_w != s->stride_h || s->pad_h != 1 || s->pad_w != 1 ||
		s->c % DN_LANE || s->k % DN_LANE || s->c < DN_PAIR || s->k < DN_PAIR || s->h > UINT16_MAX || s->w > UINT16_MAX)
		return 0;
	int brief[2], h = results(s, s->h), w = results(s, s->w), m = tiles_along(h, &brief[0]), l = tiles_along(w, &brief[1]);
	int strided = s->stride_h == 2, points = strided ? DN_STRIDED_POINTS : DN_POINTS, left_out = strided ? 2 : 1;
	long products = (long)(points * m - left_out * brief[0]) * (points * l - left_out * brief[1]), direct = (long)DN_WINDOW * h * w;
	return products * (strided ? 3 : 4) <= direct * 2 && (long)s->n * m * l >= DN_PAIR; // few tiles do not pay for the weights' transform
}

static size_t bounded(size_t bytes) { return bytes < SMALL ? SMALL : bytes > LARGE ? LARGE : bytes; }

// cut lists the tiles chunk after chunk, each sorted by shape.
static void cut(dn_winograd *g) {
	int brief_h, brief_w, th = tiles_along(results(&g->s, g->s.h), &brief_h), tw = tiles_along(results(&g->s, g->s.w), &brief_w);
	size_t long_h = th - brief_h, long_w = tw - brief_w, at = 0;
	for (size_t q = 0; q < g->chunks; q++) {
		size_t from = g->tiles * q / g->chunks, to = g->tiles * (q + 1) / g->chunks;
		if (to - from > g->longest) g->longest = to - from;
		g->chunk[q].first = from;
		for (int shape = 0; shape < DN_SHAPES; shape++) {
			for (size_t t = from; t < to; t++) {
				size_t i = t / tw % th, j = t % tw;
				if (dn_rows(shape) != (i < long_h ? 4 : 3) || dn_columns(shape) != (j < long_w ? 4 : 3)) continue;
				g->tile[at++] = (dn_tile){(uint32_t)(t / tw / th), (uint16_t)(i < long_h ? 4 * i : long_h + 3 * i),
					(uint16_t)(j < long_w ? 4 * j : long_w + 3 * j)};
			}
			g->chunk[q].ends[shape] = at - from;
		}
	}
}

dn_winograd *dn_winograd_plan(const dn_engine *e, const dn_shape *s) {
	dn_winograd *g = calloc(1, sizeof *g);
	if (!g) return 0;
	int brief, back = s->direction == DN_GRAD_INPUT, sums = s->direction == DN_GRAD_WEIGHT;
	g->s = *s;
	g->narrow = e->narrow;
	g->kind = s->stride_h == 1 ? DN_PLAIN : back ? DN_STRIDED_BACK : DN_STRIDED;
	g->points = g->kind == DN_PLAIN ? DN_POINTS : DN_STRIDED_POINTS;
	g->in = back ? s->k : s->c, g->out = back ? s->c : s->k;
	g->tiles = (size_t)s->n * tiles_along(results(s, s->h), &brief) * tiles_along(results(s, s->w), &brief);
	size_t weights = DN_FREQUENCIES * sizeof(float) * g->in * g->out, tile = frequencies(g) * sizeof(float) * (g->in + g->out);
	int small = weights <= SEGMENT;
	size_t longest = bounded(!sums ? weights : small ? 2 * weights : 4 * weights) / tile; // sums are read and written for each chunk
	if (longest < DN_GROUP) longest = DN_GROUP;
	g->chunks = (g->tiles + longest - 1) / longest;
	g->segments = sums && small && g->chunks >= SEGMENTS ? SEGMENTS : 1;
	size_t threads = e->threads;
	if (!sums) g->chunks = (g->chunks + threads - 1) / threads * threads; // all threads have as much to do
	if (g->chunks > g->tiles) g->chunks = g->tiles;
	g->tile = malloc(g->tiles * sizeof *g->tile);
	g->chunk = malloc(g->chunks * sizeof *g->chunk);
	if (!g->tile || !g->chunk) {
		dn_winograd_free(g);
		return 0;
	}
	cut(g);
	g->u_step = g->in * DN_PAIR + DN_LANE;
	g->v_step = g->in * g->longest + DN_LANE;
	g->m_step = pairs(g->out) * DN_PAIR * g->longest + DN_LANE;
	return g;
}

void dn_winograd_free(dn_winograd *g) {
	if (!g) return;
	free(g->tile);
	free(g->chunk);
	free(g);
}

// Elements of the transformed weights, and of a chunk's transformed maps.
static size_t weights_size(const dn_winograd *g) { return DN_FREQUENCIES * pairs(g->out) * g->u_step; }
static size_t maps_size(const dn_winograd *g) { return frequencies(g) * (g->v_step + g->m_step); }

size_t dn_winograd_memory(const dn_winograd *g, int threads) {
	size_t parts = g->s.direction == DN_GRAD_WEIGHT && g->segments == 1 ? 1 : threads;
	return (g->segments * weights_size(g) + parts * maps_size(g)) * sizeof(float);
}

// A field is blocked maps, and which of their pixels belong to a tile: those before its first result, times the stride, and those behind its
// results, each of which has as many.
typedef struct {
	char *maps;
	size_t channels;
	int h, w, stride, before, behind;
} field;

static field pixels(const dn_winograd *g, const void *maps, size_t channels) {
	return (field){(char *)maps, channels, g->s.h, g->s.w, g->s.stride_h, 0, 0};
}

// seen is the pixels that the results are computed of.
static field seen(const dn_winograd *g, const void *maps, size_t channels) {
	field f = pixels(g, maps, channels);
	f.before = 1, f.behind = g->kind == DN_PLAIN;
	return f;
}

static field produced(const dn_winograd *g, const void *maps, size_t channels) {
	return (field){(char *)maps, channels, results(&g->s, g->s.h), results(&g->s, g->s.w), 1, 0, 0};
}

// run is the arguments of what the threads do.
typedef struct {
	const dn_winograd *g;
	field x, y; // what is transformed, and what results or, of the gradient of the weights, its gradient
	const char *residual;
	const float *scale, *shift;
	float *w;
	float *u, *maps; // transformed weights, of each segment; transformed maps, v and m, of each part
	size_t chunk;    // of all threads
} run;

static void weights_part(const void *args, int part, int parts) {
	const run *r = args;
	const dn_winograd *g = r->g;
	int turned = g->s.direction == DN_GRAD_INPUT;
	size_t from, to, next = (size_t)g->s.c * DN_WINDOW; // between kernels of one input channel
	dn_range(pairs(g->out) * g->in, part, parts, &from, &to);
	for (size_t i = from; i < to; i++) {
		size_t pair = i / g->in, c = i % g->in;
		for (size_t h = 0; h < 2; h++) {
			size_t block = 2 * pair + h;
			float *u = r->u + pair * DN_FREQUENCIES * g->u_step + c * DN_PAIR + h * DN_LANE;
			if (block == blocks(g->out)) {
				for (int f = 0; f < DN_FREQUENCIES; f++) memset(u + f * g->u_step, 0, DN_LANE * sizeof *u);
				continue;
			}
			dn_kernels k = {turned ? DN_WINDOW : next, r->scale ? r->scale + block * DN_LANE : 0, turned, g->s.bf16};
			dn_kernel_weights(g->kind, u, g->u_step, r->w + block * DN_LANE * k.lane + c * (turned ? next : DN_WINDOW), &k);
		}
	}
}

// bits sets a bit for each of count places from i on that lies within n.
static unsigned bits(long i, int count, long n) {
	unsigned all = (1u << count) - 1;
	if (i < 0) all = all >> -i << -i;
	return i + count > n ? all & ((1u << (n - i)) - 1) : all;
}

// view is a tile's pixels, of a block of channels.
static dn_view view(const dn_winograd *g, const field *f, dn_tile t, int shape, size_t block) {
	ptrdiff_t size = DN_LANE * (g->narrow ? sizeof(uint16_t) : sizeof(float));
	long h = (long)f->stride * t.h - f->before, w = (long)f->stride * t.w - f->before;
	int rows = f->stride * dn_rows(shape) + f->before + f->behind, columns = f->stride * dn_columns(shape) + f->before + f->behind;
	ptrdiff_t at = ((long)(t.n * f->channels / DN_LANE + block) * f->h + h) * f->w + w;
	return (dn_view){f->maps + at * size, f->w, bits(h, rows, f->h), bits(w, columns, f->w)};
}

// transform_input writes the points of tiles from to to of a chunk, of a block of channels.
static void transform_input(const run *r, float *v, const chunk *q, size_t block, size_t from, size_t to) {
	const dn_winograd *g = r->g;
	size_t t = from;
	for (int shape = 0; shape < DN_SHAPES; shape++)
		for (; t < to && t < q->ends[shape]; t++) {
			dn_view x = view(g, &r->x, g->tile[q->first + t], shape, block);
			dn_tile_input(g->kind, shape, g->narrow, v + (block * g->longest + t) * DN_LANE, g->v_step, &x);
		}
}

// transform_gradient writes those of dy.
static void transform_gradient(const run *r, float *m, const chunk *q, size_t block, size_t from, size_t to) {
	const dn_winograd *g = r->g;
	size_t t = from;
	for (int shape = 0; shape < DN_SHAPES; shape++)
		for (; t < to && t < q->ends[shape]; t++) {
			dn_view dy = view(g, &r->y, g->tile[q->first + t], shape, block);
			dn_tile_gradient(g->kind, shape, g->narrow, m + (block * g->longest + t) * DN_LANE, g->m_step, &dy);
		}
}

static void transform_output(const run *r, const float *m, const chunk *q, size_t block) {
	const dn_winograd *g = r->g;
	size_t t = 0;
	dn_finish f = {r->shift ? r->shift + block * DN_LANE : 0, 0, g->s.relu};
	for (int shape = 0; shape < DN_SHAPES; shape++)
		for (; t < q->ends[shape]; t++) {
			dn_view y = view(g, &r->y, g->tile[q->first + t], shape, block);
			if (r->residual) f.residual = r->residual + ((char *)y.pixels - r->y.maps);
			dn_tile_output(g->kind, shape, g->narrow, &y, m + (block * g->longest + t) * DN_LANE, g->m_step, &f);
		}
}

// span gives the points of a side of maps, from to to, that a point of the weights is for.
static void span(const dn_winograd *g, int point, int *from, int *to) {
	int evens = g->kind == DN_PLAIN ? 0 : DN_SIDE;
	*from = evens && point ? evens + point - 1 : point;
	*to = evens && !point ? evens : *from + 1;
}

// A frequency of maps: that of points of rows and columns, and the tiles of a chunk that have it.
typedef struct {
	size_t at, from, to;
} frequency;

static frequency frequency_of(const dn_winograd *g, const chunk *q, int row, int column) {
	int long_rows = dn_long(g->kind, row), long_columns = dn_long(g->kind, column);
	return (frequency){(size_t)row * g->points + column, long_columns ? q->ends[DN_4X3] : 0,
		q->ends[long_rows ? DN_4X4 : long_columns ? DN_3X4 : DN_3X3]};
}

// multiply is the products of a chunk with the weights of a frequency, of maps of another.
static void multiply(const run *r, float *m, const float *v, frequency f, size_t weights) {
	const dn_winograd *g = r->g;
	size_t count = f.to - f.from, groups = (count + DN_GROUP - 1) / DN_GROUP;
	for (size_t pair = 0; pair < pairs(g->out); pair++)
		for (size_t i = 0; i < groups; i++) {
			size_t t = f.from + count * i / groups, end = f.from + count * (i + 1) / groups;
			dn_product((int)(end - t), m + f.at * g->m_step + (pair * 2 * g->longest + t) * DN_LANE, g->longest * DN_LANE,
				v + f.at * g->v_step + t * DN_LANE, g->longest * DN_LANE, r->u + (pair * DN_FREQUENCIES + weights) * g->u_step, blocks(g->in));
		}
}

static void multiply_all(const run *r, float *m, const float *v, const chunk *q) {
	for (int f = 0; f < DN_FREQUENCIES; f++) {
		int row, rows, column, columns;
		span(r->g, f / DN_POINTS, &row, &rows);
		for (; row < rows; row++)
			for (span(r->g, f % DN_POINTS, &column, &columns); column < columns; column++) multiply(r, m, v, frequency_of(r->g, q, row, column), f);
	}
}

static void chunks_part(const void *args, int part, int parts) {
	const run *r = args;
	const dn_winograd *g = r->g;
	float *v = r->maps + part * maps_size(g), *m = v + frequencies(g) * g->v_step;
	size_t from, to;
	dn_range(g->chunks, part, parts, &from, &to);
	for (size_t i = from; i < to; i++) {
		const chunk *q = g->chunk + i;
		for (size_t b = 0; b < blocks(g->in); b++) transform_input(r, v, q, b, 0, q->ends[DN_SHAPES - 1]);
		multiply_all(r, m, v, q);
		for (size_t b = 0; b < blocks(g->out); b++) transform_output(r, m, q, b);
	}
}

// transforms_part is a part of a chunk's tiles and blocks of x and dy.
static void transforms_part(const void *args, int part, int parts) {
	const run *r = args;
	const dn_winograd *g = r->g;
	const chunk *q = g->chunk + r->chunk;
	float *v = r->maps, *m = v + frequencies(g) * g->v_step;
	size_t from, to, count = q->ends[DN_SHAPES - 1];
	dn_range((blocks(g->in) + blocks(g->out)) * count, part, parts, &from, &to);
	while (from < to) {
		size_t block = from / count, t = from % count, end = t + to - from < count ? t + to - from : count;
		if (block < blocks(g->in)) {
			transform_input(r, v, q, block, t, end);
		} else {
			transform_gradient(r, m, q, block - blocks(g->in), t, end);
		}
		from += end - t;
	}
}

// add_products adds what a chunk gives to gradients of frequencies and pairs of channels, numbered from first to last; clear sets them first.
static void add_products(const dn_winograd *g, float *u, const float *v, const float *m, const chunk *q, size_t first, size_t last, int clear) {
	for (size_t i = first; i < last; i++) {
		size_t pair = i % pairs(g->out);
		int f = (int)(i / pairs(g->out)), row, rows, column, columns;
		float *sums = u + (pair * DN_FREQUENCIES + f) * g->u_step;
		if (clear) memset(sums, 0, g->u_step * sizeof *u);
		span(g, f / DN_POINTS, &row, &rows);
		for (; row < rows; row++)
			for (span(g, f % DN_POINTS, &column, &columns); column < columns; column++) {
				frequency p = frequency_of(g, q, row, column);
				for (size_t b = 0; b < blocks(g->in); b++)
					dn_product_gradient(sums + b * DN_LANE * DN_PAIR, m + p.at * g->m_step + (2 * pair * g->longest + p.from) * DN_LANE,
						g->longest * DN_LANE, v + p.at * g->v_step + (b * g->longest + p.from) * DN_LANE, p.to - p.from);
			}
	}
}

static void sums_part(const void *args, int part, int parts) {
	const run *r = args;
	const dn_winograd *g = r->g;
	size_t first, last;
	dn_range(DN_FREQUENCIES * pairs(g->out), part, parts, &first, &last);
	add_products(g, r->u, r->maps, r->maps + frequencies(g) * g->v_step, g->chunk + r->chunk, first, last, r->chunk == 0);
}

static void segments_part(const void *args, int part, int parts) {
	const run *r = args;
	const dn_winograd *g = r->g;
	float *v = r->maps + part * maps_size(g), *m = v + frequencies(g) * g->v_step;
	size_t first, last, from, to;
	dn_range(g->segments, part, parts, &first, &last);
	for (size_t s = first; s < last; s++) {
		dn_range(g->chunks, (int)s, (int)g->segments, &from, &to);
		for (size_t i = from; i < to; i++) {
			const chunk *q = g->chunk + i;
			for (size_t b = 0; b < blocks(g->in); b++) transform_input(r, v, q, b, 0, q->ends[DN_SHAPES - 1]);
			for (size_t b = 0; b < blocks(g->out); b++) transform_gradient(r, m, q, b, 0, q->ends[DN_SHAPES - 1]);
			add_products(g, r->u + s * weights_size(g), v, m, q, 0, DN_FREQUENCIES * pairs(g->out), i == from);
		}
	}
}

// gradient_part adds the segments of some kernels, and transforms the sums.
static void gradient_part(const void *args, int part, int parts) {
	const run *r = args;
	const dn_winograd *g = r->g;
	size_t from, to, next = g->in * DN_WINDOW;
	dn_range(blocks(g->out) * g->in, part, parts, &from, &to);
	for (size_t i = from; i < to; i++) {
		size_t block = i / g->in, c = i % g->in;
		const float *u = r->u + block / 2 * DN_FREQUENCIES * g->u_step + c * DN_PAIR + block % 2 * DN_LANE;
		dn_kernel_gradient(g->kind, r->w + block * DN_LANE * next + c * DN_WINDOW, next, u, g->u_step, g->segments, weights_size(g));
	}
}

void dn_winograd_run(dn_engine *e, const dn_winograd *g, const dn_operands *o) {
	run r = {.g = g, .w = o->w, .scale = o->scale, .shift = o->shift, .residual = o->residual, .u = e->scratch};
	r.maps = r.u + g->segments * weights_size(g);
	if (g->s.direction == DN_GRAD_INPUT) {
		r.x = g->kind == DN_PLAIN ? seen(g, o->out, g->in) : produced(g, o->out, g->in), r.y = pixels(g, o->in, g->out);
		r.x.behind = 1;
	} else {
		r.x = seen(g, o->in, g->in), r.y = produced(g, o->out, g->out);
	}
	if (g->s.direction != DN_GRAD_WEIGHT) {
		dn_run(e, weights_part, &r, dn_parts(e, weights_size(g)));
		dn_run(e, chunks_part, &r, (size_t)e->threads < g->chunks ? e->threads : (int)g->chunks);
		return;
	}
	if (g->segments > 1) dn_run(e, segments_part, &r, e->threads);
	for (; g->segments == 1 && r.chunk < g->chunks; r.chunk++) {
		dn_run(e, transforms_part, &r, e->threads);
		dn_run(e, sums_part, &r, e->threads);
	}
	dn_run(e, gradient_part, &r, dn_parts(e, weights_size(g)));
}

#else

int dn_winograd_suits(const dn_engine *e, const dn_shape *s) { return (void)e, (void)s, 0; }
dn_winograd *dn_winograd_plan(const dn_engine *e, const dn_shape *s) { return (void)e, (void)s, (dn_winograd *)0; }
void dn_winograd_free(dn_winograd *g) { (void)g; }
size_t dn_winograd_memory(const dn_winograd *g, int threads) { return (void)g, (void)threads, 0; }
void dn_winograd_run(dn_engine *e, const dn_winograd *g, const dn_operands *o) { (void)e, (void)g, (void)o; }

#endif
