//go:build dnnl && cgo && linux

// What is done value by value to whole blocked maps.

#include "native_half.h"
#include "native_library.h"

typedef struct {
	void *y;
	const void *a, *b;
	size_t n; // halves
} operands;

// EACH runs a statement for each of a part's halves.
#define EACH(statement)                       \
	size_t from, to;                          \
	dn_range(o->n, part, parts, &from, &to);  \
	for (size_t i = from; i < to; i++) { statement }

DN_CLONES static void widen_range(const operands *o, int part, int parts) { EACH(dn_put(o->y, i, dn_get(o->a, i, 1), 0);) }
DN_CLONES static void narrow_range(const operands *o, int part, int parts) { EACH(dn_put(o->y, i, dn_get(o->a, i, 0), 1);) }
DN_CLONES static void add_range(const operands *o, int part, int parts) { EACH(dn_put(o->y, i, dn_get(o->a, i, 1) + dn_get(o->b, i, 1), 1);) }

DN_CLONES static void relu_grad_range(const operands *o, int part, int parts) {
	EACH(dn_put(o->y, i, dn_where(dn_get(o->b, i, 1) > 0, dn_get(o->a, i, 1)), 1);)
}

static void widen_part(const void *args, int part, int parts) { widen_range(args, part, parts); }
static void narrow_part(const void *args, int part, int parts) { narrow_range(args, part, parts); }
static void add_part(const void *args, int part, int parts) { add_range(args, part, parts); }
static void relu_grad_part(const void *args, int part, int parts) { relu_grad_range(args, part, parts); }

// Rows of a thinned map, (planes, h of thin): its pixels are every stride-th of another's.
typedef struct {
	void *y;
	const void *x;
	size_t planes;
	dn_window s;
	int narrow;
} thinning;

DN_CLONES static void thin_rows(const thinning *o, size_t from, size_t to, int narrow) {
	for (size_t r = from; r < to; r++) {
		size_t x = (r / o->s.out_h * o->s.h + r % o->s.out_h * o->s.stride_h) * o->s.w;
		for (size_t i = 0; i < o->s.out_w; i++)
			for (int h = 0; h < DN_HALVES; h++)
				dn_put(o->y, (r * o->s.out_w + i) * DN_HALVES + h, dn_get(o->x, (x + i * o->s.stride_w) * DN_HALVES + h, narrow), 0);
	}
}

DN_CLONES static void spread_rows(const thinning *o, size_t from, size_t to, int narrow) {
	for (size_t r = from; r < to; r++) {
		size_t h = r % o->s.h, thin = h % o->s.stride_h, x = (r / o->s.h * o->s.out_h + h / o->s.stride_h) * o->s.out_w;
		for (size_t w = 0; w < o->s.w; w++)
			for (int k = 0; k < DN_HALVES; k++) {
				int zero = thin || w % o->s.stride_w || h / o->s.stride_h >= o->s.out_h || w / o->s.stride_w >= o->s.out_w;
				dn_put(o->y, (r * o->s.w + w) * DN_HALVES + k, zero ? (dn_half){0} : dn_get(o->x, (x + w / o->s.stride_w) * DN_HALVES + k, 0), narrow);
			}
	}
}

static void thin_part(const void *args, int part, int parts) {
	const thinning *o = args;
	size_t from, to;
	dn_range(o->planes * o->s.out_h, part, parts, &from, &to);
	thin_rows(o, from, to, o->narrow);
}

static void spread_part(const void *args, int part, int parts) {
	const thinning *o = args;
	size_t from, to;
	dn_range(o->planes * o->s.h, part, parts, &from, &to);
	spread_rows(o, from, to, o->narrow);
}

void dn_thin(dn_engine *e, float *y, const void *x, size_t planes, dn_window s) {
	dn_run(e, thin_part, &(thinning){y, x, planes, s, e->narrow}, dn_parts(e, planes * s.out_h * s.out_w * DN_LANE));
}

void dn_spread(dn_engine *e, void *y, const float *x, size_t planes, dn_window s) {
	dn_run(e, spread_part, &(thinning){y, x, planes, s, e->narrow}, dn_parts(e, planes * s.h * s.w * DN_LANE));
}

static void run(dn_engine *e, dn_task task, void *y, const void *a, const void *b, size_t n) {
	dn_run(e, task, &(operands){y, a, b, n / DN_HALF}, dn_parts(e, n));
}

void dn_widen(dn_engine *e, float *to, const void *from, size_t n) { run(e, widen_part, to, from, 0, n); }
void dn_narrow(dn_engine *e, void *to, const float *from, size_t n) { run(e, narrow_part, to, from, 0, n); }
void dn_add(dn_engine *e, void *y, const void *a, const void *b, size_t n) { run(e, add_part, y, a, b, n); }
void dn_relu_grad(dn_engine *e, void *dx, const void *dy, const void *y, size_t n) { run(e, relu_grad_part, dx, dy, y, n); }
