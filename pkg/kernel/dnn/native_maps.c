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

static void run(dn_engine *e, dn_task task, void *y, const void *a, const void *b, size_t n) {
	dn_run(e, task, &(operands){y, a, b, n / DN_HALF}, dn_parts(e, n));
}

void dn_widen(dn_engine *e, float *to, const void *from, size_t n) { run(e, widen_part, to, from, 0, n); }
void dn_narrow(dn_engine *e, void *to, const float *from, size_t n) { run(e, narrow_part, to, from, 0, n); }
void dn_add(dn_engine *e, void *y, const void *a, const void *b, size_t n) { run(e, add_part, y, a, b, n); }
void dn_relu_grad(dn_engine *e, void *dx, const void *dy, const void *y, size_t n) { run(e, relu_grad_part, dx, dy, y, n); }
