//go:build dnnl && cgo && linux

#include <stdlib.h>
#include <string.h>

#include "native_half.h"
#include "native_library.h"

// move is between our layout of a map and the library's.
typedef struct {
	dnnl_memory_t theirs;     // 0 where they are the same
	dnnl_primitive_t to, from; // 0 where it is not needed
	size_t size;              // bytes
} move;

struct dn_conv {
	const dn_library *lib;
	int direction;
	int stem;              // runs in dn_stem_run, and has nothing of the library
	dn_winograd *winograd; // runs this, and has nothing of the library; or 0
	dn_shape shape;
	dnnl_primitive_t run;
	dnnl_primitive_t reorder; // of the weights; 0 where the library takes them as they are
	dnnl_memory_t in, weights, out, shift, scratch;
	dnnl_memory_t plain;          // the weights as PyTorch stores them
	size_t weights_size, kernels, kernel_size; // bytes; the weights are (kernels, kernel_size)
	size_t scratch_size;
	int changes;       // the weights are scaled or rounded first
	int thin;          // of one pixel, with strides: the library convolves the pixels that are seen
	size_t widened[2]; // elements of x and y that the library takes as float32, and that lie as bfloat16
	move moved[2];     // of x and y, where the library takes them in a layout of its own
	size_t results;    // bytes of y
};

// plan is what making a convolution needs for a while.
typedef struct {
	dn_engine *e;
	const dn_library *lib;
	const dn_shape *s;
	dnnl_memory_desc_t in, weights, plain, out, shift;
	dnnl_memory_desc_t maps[2]; // in and out as the library is asked for them
	dnnl_memory_desc_t hint_weights; // of the forward convolution that a gradient belongs to
	dnnl_dims_t stride, pad;
	dnnl_primitive_attr_t attr;
	dnnl_post_ops_t post;
	dnnl_primitive_desc_t forward, desc;
} plan;

static dnnl_format_tag_t layout(int channels) { return channels % DN_LANE ? dnnl_nchw : dnnl_nChw16c; }

static int describe(plan *p) {
	const dn_shape *s = p->s;
	int oh = (s->h + 2 * s->pad_h - s->kh) / s->stride_h + 1, ow = (s->w + 2 * s->pad_w - s->kw) / s->stride_w + 1;
	dnnl_dims_t in = {s->n, s->c, s->h, s->w}, weights = {s->k, s->c, s->kh, s->kw}, out = {s->n, s->k, oh, ow}, shift = {s->k};
	p->stride[0] = s->stride_h, p->stride[1] = s->stride_w;
	p->pad[0] = s->pad_h, p->pad[1] = s->pad_w;
	const dn_library *l = p->lib;
	int bf16 = s->bf16 == DN_BF16; // of blocked maps only, which then lie so; the weights' gradient is float32
	dnnl_data_type_t maps = bf16 ? dnnl_bf16 : dnnl_f32, w = bf16 && s->direction != DN_GRAD_WEIGHT ? dnnl_bf16 : dnnl_f32;
	if (l->memory_desc_init_by_tag(&p->maps[0], 4, in, maps, dnnl_format_tag_any) ||
		l->memory_desc_init_by_tag(&p->maps[1], 4, out, maps, dnnl_format_tag_any))
		return 1;
	return l->memory_desc_init_by_tag(&p->hint_weights, 4, weights, maps, dnnl_format_tag_any) ||
		l->memory_desc_init_by_tag(&p->in, 4, in, maps, layout(s->c)) ||
		l->memory_desc_init_by_tag(&p->weights, 4, weights, w, dnnl_format_tag_any) ||
		l->memory_desc_init_by_tag(&p->plain, 4, weights, dnnl_f32, dnnl_oihw) ||
		l->memory_desc_init_by_tag(&p->out, 4, out, maps, layout(s->k)) ||
		l->memory_desc_init_by_tag(&p->shift, 1, shift, dnnl_f32, dnnl_x);
}

// attributes asks for scratch memory of ours, and adds what follows an evaluation's convolution.
static int attributes(plan *p) {
	const dn_library *l = p->lib;
	if (l->primitive_attr_create(&p->attr) || l->primitive_attr_set_scratchpad_mode(p->attr, dnnl_scratchpad_mode_user)) return 1;
	if (!p->s->residual && !p->s->relu) return 0;
	if (l->post_ops_create(&p->post)) return 1;
	if (p->s->residual && l->post_ops_append_sum(p->post, 1)) return 1;
	if (p->s->relu && l->post_ops_append_eltwise(p->post, 1, dnnl_eltwise_relu, 0, 0)) return 1;
	return l->primitive_attr_set_post_ops(p->attr, p->post);
}

// implement finds the library's implementation for maps that lie so. A gradient is asked for with the forward convolution as a hint.
static int implement(plan *p, const dnnl_memory_desc_t *in, const dnnl_memory_desc_t *out) {
	const dn_library *l = p->lib;
	dnnl_alg_kind_t algorithm = dnnl_convolution_direct;
	int affine = p->s->direction == DN_AFFINE;
	dnnl_convolution_desc_t d;
	dnnl_prop_kind_t kind = affine ? dnnl_forward_inference : dnnl_forward_training;
	if (l->convolution_forward_desc_init(&d, kind, algorithm, in, &p->hint_weights, affine ? &p->shift : 0, out, p->stride, p->pad, p->pad) ||
		l->primitive_desc_create(&p->forward, &d, p->attr, p->e->engine, 0))
		return 1;
	switch (p->s->direction) {
	case DN_GRAD_INPUT:
		return l->convolution_backward_data_desc_init(&d, algorithm, in, &p->weights, out, p->stride, p->pad, p->pad) ||
			l->primitive_desc_create(&p->desc, &d, p->attr, p->e->engine, p->forward);
	case DN_GRAD_WEIGHT:
		return l->convolution_backward_weights_desc_init(&d, algorithm, in, &p->weights, 0, out, p->stride, p->pad, p->pad) ||
			l->primitive_desc_create(&p->desc, &d, p->attr, p->e->engine, p->forward);
	}
	p->desc = p->forward;
	p->forward = 0;
	return 0;
}

// reorders makes the primitive that moves a map from one layout to another.
static int reorders(plan *p, dnnl_primitive_t *run, const dnnl_memory_desc_t *from, const dnnl_memory_desc_t *to) {
	dnnl_primitive_desc_t d;
	if (p->lib->reorder_primitive_desc_create(&d, from, p->e->engine, to, p->e->engine, 0)) return 1;
	int status = p->lib->primitive_create(run, d);
	p->lib->primitive_desc_destroy(d);
	return status;
}

// reorder makes the primitive between the weights' two layouts.
static int reorder(plan *p, dn_conv *c, const dnnl_memory_desc_t *weights) {
	const dn_library *l = p->lib;
	if (l->memory_desc_equal(weights, &p->plain)) return 0;
	c->weights_size = l->memory_desc_get_size(weights);
	int back = c->direction == DN_GRAD_WEIGHT;
	return back ? reorders(p, &c->reorder, weights, &p->plain) : reorders(p, &c->reorder, &p->plain, weights);
}

// slow tells that the library has only its reference loops, a hundred times slower than the others.
static int slow(const plan *p) {
	const char *name = "";
	return p->lib->primitive_desc_query(p->desc, dnnl_query_impl_info_str, 0, &name) || !strncmp(name, "ref", 3);
}

// arrange_map prepares the moves of x or, where out is set, y, if the implementation takes it in another layout.
static int arrange_map(plan *p, move *m, int out) {
	const dn_library *l = p->lib;
	int direction = p->s->direction, result = out ? direction < DN_GRAD_INPUT : direction == DN_GRAD_INPUT;
	dnnl_query_t which = out ? (direction < DN_GRAD_INPUT ? dnnl_query_dst_md : dnnl_query_diff_dst_md)
							 : (direction == DN_GRAD_INPUT ? dnnl_query_diff_src_md : dnnl_query_src_md);
	const dnnl_memory_desc_t *theirs = l->primitive_desc_query_md(p->desc, which, 0), *ours = out ? &p->out : &p->in;
	if (!theirs) return 1;
	if (l->memory_desc_equal(theirs, ours)) return 0;
	m->size = l->memory_desc_get_size(theirs);
	return l->memory_create(&m->theirs, theirs, p->e->engine, DNNL_MEMORY_NONE) ||
		((!result || p->s->residual) && reorders(p, &m->to, ours, theirs)) || (result && reorders(p, &m->from, theirs, ours));
}

static void forget(plan *p) {
	if (p->desc) p->lib->primitive_desc_destroy(p->desc);
	if (p->forward) p->lib->primitive_desc_destroy(p->forward);
	p->desc = p->forward = 0;
}

// choose finds an implementation for maps as they lie, or, where the library is slow at it, as it likes them: without AVX-512 it takes no
// blocks of 16 channels. In bfloat16 it is slow at some gradients in any layout, which are not for it then.
static int choose(plan *p, dn_conv *c) {
	if (implement(p, &p->in, &p->out)) return 1;
	if (!slow(p)) return 0;
	if (p->s->bf16 == DN_BF16) return 1;
	forget(p);
	return implement(p, &p->maps[0], &p->maps[1]) || arrange_map(p, &c->moved[0], 0) || arrange_map(p, &c->moved[1], 1);
}

// build makes all that running needs. Memory objects get their memory when they run.
static int build(plan *p, dn_conv *c) {
	const dn_library *l = p->lib;
	const dnnl_memory_desc_t *weights =
		l->primitive_desc_query_md(p->desc, c->direction == DN_GRAD_WEIGHT ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
	const dnnl_memory_desc_t *scratch = l->primitive_desc_query_md(p->desc, dnnl_query_scratchpad_md, 0);
	if (!weights || !scratch) return 1;
	c->scratch_size = l->memory_desc_get_size(scratch);
	c->kernels = p->s->k;
	c->kernel_size = (size_t)p->s->c * p->s->kh * p->s->kw;
	c->results = l->memory_desc_get_size(&p->out);
	int widens = p->e->narrow && p->s->bf16 != DN_BF16;
	c->widened[0] = c->thin || (widens && p->s->c % DN_LANE == 0) ? l->memory_desc_get_size(&p->in) / sizeof(float) : 0;
	c->widened[1] = widens && p->s->k % DN_LANE == 0 ? c->results / sizeof(float) : 0;
	c->changes = c->direction == DN_AFFINE || (p->s->bf16 == DN_ROUNDED && c->direction != DN_GRAD_WEIGHT);
	dnnl_engine_t e = p->e->engine;
	return l->primitive_create(&c->run, p->desc) || reorder(p, c, weights) || l->memory_create(&c->in, &p->in, e, DNNL_MEMORY_NONE) ||
		l->memory_create(&c->out, &p->out, e, DNNL_MEMORY_NONE) || l->memory_create(&c->weights, weights, e, DNNL_MEMORY_NONE) ||
		l->memory_create(&c->plain, &p->plain, e, DNNL_MEMORY_NONE) || l->memory_create(&c->shift, &p->shift, e, DNNL_MEMORY_NONE) ||
		l->memory_create(&c->scratch, scratch, e, DNNL_MEMORY_NONE);
}

// reserve grows the engine's shared memory.
static int reserve(dn_engine *e, const dn_conv *c) {
	void *scaled = e->scaled, *x = e->widened[0], *y = e->widened[1];
	int ok = dn_grow(&x, &e->widened_size[0], c->widened[0] * sizeof(float)) &&
		dn_grow(&y, &e->widened_size[1], c->widened[1] * sizeof(float)) &&
		dn_grow(&e->moved[0], &e->moved_size[0], c->moved[0].size) && dn_grow(&e->moved[1], &e->moved_size[1], c->moved[1].size) &&
		dn_grow(&e->scratch, &e->scratch_size, c->scratch_size) && dn_grow(&e->weights, &e->weights_size, c->weights_size) &&
		(!c->changes || dn_grow(&scaled, &e->scaled_size, c->kernels * c->kernel_size * sizeof(float)));
	e->scaled = scaled, e->widened[0] = x, e->widened[1] = y;
	return !ok;
}

// thins tells of a convolution of one pixel, with strides, and gives that of the pixels that it sees.
static int thins(const dn_shape *s, dn_shape *seen) {
	*seen = *s;
	if (s->kh * s->kw > 1 || s->pad_h + s->pad_w > 0 || s->stride_h * s->stride_w == 1 || s->c % DN_LANE || s->bf16 == DN_BF16) return 0;
	seen->h = (s->h - 1) / s->stride_h + 1, seen->w = (s->w - 1) / s->stride_w + 1;
	seen->stride_h = seen->stride_w = 1;
	return 1;
}

static dn_window seen_of(const dn_shape *s) {
	return (dn_window){.h = s->h, .w = s->w, .out_h = (s->h - 1) / s->stride_h + 1, .out_w = (s->w - 1) / s->stride_w + 1, .stride_h = s->stride_h, .stride_w = s->stride_w};
}

dn_conv *dn_conv_plan(dn_engine *e, const dn_shape *s) {
	e->lib->set_num_threads(e->threads); // the library cuts its work when it plans
	dn_shape seen;
	plan p = {.e = e, .lib = e->lib, .s = &seen};
	dn_conv *c = calloc(1, sizeof *c);
	if (c) {
		c->lib = e->lib;
		c->direction = s->direction;
		c->shape = *s;
		c->thin = thins(s, &seen);
		c->stem = dn_stem_suits(e, s);
		c->scratch_size = c->stem ? dn_stem_memory(s, e->threads) : 0;
		int fast = !s->exact && s->bf16 != DN_BF16 && dn_winograd_suits(e, s);
		if (fast) c->winograd = dn_winograd_plan(e, s);
		if (c->winograd) c->scratch_size = dn_winograd_memory(c->winograd, e->threads);
		if (c->stem || c->winograd ? reserve(e, c) : fast || describe(&p) || attributes(&p) || choose(&p, c) || build(&p, c) || reserve(e, c)) {
			dn_conv_free(c);
			c = 0;
		}
	}
	forget(&p);
	if (p.post) p.lib->post_ops_destroy(p.post);
	if (p.attr) p.lib->primitive_attr_destroy(p.attr);
	return c;
}

void dn_conv_free(dn_conv *c) {
	dnnl_memory_t memories[] = {c->in, c->weights, c->out, c->shift, c->scratch, c->plain, c->moved[0].theirs, c->moved[1].theirs};
	dnnl_primitive_t primitives[] = {c->run, c->reorder, c->moved[0].to, c->moved[0].from, c->moved[1].to, c->moved[1].from};
	for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
		if (memories[i]) c->lib->memory_destroy(memories[i]);
	for (size_t i = 0; i < sizeof primitives / sizeof *primitives; i++)
		if (primitives[i]) c->lib->primitive_destroy(primitives[i]);
	dn_winograd_free(c->winograd);
	free(c);
}

typedef struct {
	float *to;
	const float *from, *scale;
	size_t n, size;
	int round;
} change;

static inline __attribute__((always_inline)) dn_half round_half(dn_half v) { return (dn_half)(dn_round(v) & 0xffff0000); }

DN_CLONES static void round_weights(float *w, size_t n) {
	size_t i = 0;
	for (; i + DN_HALF <= n; i += DN_HALF) *(dn_half *)(w + i) = round_half(*(dn_half *)(w + i));
	for (; i < n; i++) w[i] = round_half((dn_half){w[i]})[0];
}

// change_kernels writes each kernel times its scale, where there is one: the normalisation costs the convolution nothing.
static void change_kernels(const void *args, int part, int parts) {
	const change *c = args;
	size_t from, to;
	dn_range(c->n, part, parts, &from, &to);
	for (size_t k = from; k < to; k++) {
		float *y = c->to + k * c->size, scale = c->scale ? c->scale[k] : 1;
		for (size_t i = 0; i < c->size; i++) y[i] = c->from[k * c->size + i] * scale;
		if (c->round) round_weights(y, c->size);
	}
}

static int arrange(dn_engine *e, dnnl_primitive_t reorder, dnnl_memory_t from, dnnl_memory_t to) {
	dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, from}, {DNNL_ARG_TO, to}};
	return e->lib->primitive_execute(reorder, e->stream, 2, args);
}

typedef struct {
	char *to;
	const char *from;
	size_t n;
} copying;

static void copy_part(const void *args, int part, int parts) {
	const copying *c = args;
	size_t from, to;
	dn_range(c->n, part, parts, &from, &to);
	memcpy(c->to + from, c->from + from, to - from);
}

int dn_conv_run(dn_engine *e, dn_conv *c, void *in, float *w, void *out, const float *scale, float *shift, const void *residual) {
	const dn_library *l = c->lib;
	if (c->stem || c->winograd) {
		if (c->stem) dn_stem_run(e, &c->shape, in, w, out, scale, shift);
		if (c->winograd) dn_winograd_run(e, c->winograd, &(dn_operands){in, out, w, scale, shift, residual});
		return 0;
	}
	void *x = c->widened[0] ? e->widened[0] : in, *y = c->widened[1] ? e->widened[1] : out;
	size_t planes = (size_t)c->shape.n * c->shape.c / DN_LANE;
	if (c->thin && c->direction != DN_GRAD_INPUT) {
		dn_thin(e, x, in, planes, seen_of(&c->shape));
	} else if (x != in && c->direction != DN_GRAD_INPUT) {
		dn_widen(e, x, in, c->widened[0]);
	}
	if (y != out && c->direction >= DN_GRAD_INPUT) dn_widen(e, y, out, c->widened[1]);
	if (residual && y != out) dn_widen(e, y, residual, c->widened[1]); // the library adds to what is there
	if (residual && y == out && residual != out) dn_run(e, copy_part, &(copying){out, residual, c->results}, dn_parts(e, c->results));
	l->set_num_threads(e->threads);
	if (c->changes) {
		change s = {.to = e->scaled, .from = w, .scale = scale, .n = c->kernels, .size = c->kernel_size, .round = c->shape.bf16 == DN_ROUNDED};
		dn_run(e, change_kernels, &s, dn_parts(e, c->kernels * c->kernel_size));
		w = e->scaled;
	}
	if (l->memory_set_data_handle(c->in, x) || l->memory_set_data_handle(c->out, y) || l->memory_set_data_handle(c->plain, w) ||
		l->memory_set_data_handle(c->weights, c->reorder ? e->weights : w) || l->memory_set_data_handle(c->scratch, e->scratch) ||
		(shift && l->memory_set_data_handle(c->shift, shift)))
		return 1;
	int status = 0, gradient = c->direction == DN_GRAD_WEIGHT;
	if (c->reorder && !gradient) status = arrange(e, c->reorder, c->plain, c->weights);
	dnnl_memory_t maps[2] = {c->in, c->out};
	for (int i = 0; i < 2 && !status; i++) {
		const move *m = &c->moved[i];
		if (!m->theirs) continue;
		status = l->memory_set_data_handle(m->theirs, e->moved[i]);
		if (!status && m->to) status = arrange(e, m->to, maps[i], m->theirs);
		maps[i] = m->theirs;
	}
	dnnl_exec_arg_t args[5] = {{DNNL_ARG_SCRATCHPAD, c->scratch}};
	int n = 1;
	args[n++] = (dnnl_exec_arg_t){c->direction == DN_GRAD_INPUT ? DNNL_ARG_DIFF_SRC : DNNL_ARG_SRC, maps[0]};
	args[n++] = (dnnl_exec_arg_t){gradient ? DNNL_ARG_DIFF_WEIGHTS : DNNL_ARG_WEIGHTS, c->weights};
	args[n++] = (dnnl_exec_arg_t){c->direction >= DN_GRAD_INPUT ? DNNL_ARG_DIFF_DST : DNNL_ARG_DST, maps[1]};
	if (shift) args[n++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, c->shift};
	if (!status) status = l->primitive_execute(c->run, e->stream, n, args);
	if (!status && c->reorder && gradient) status = arrange(e, c->reorder, c->weights, c->plain);
	if (!status && c->moved[0].from) status = arrange(e, c->moved[0].from, maps[0], c->in);
	if (!status && c->moved[1].from) status = arrange(e, c->moved[1].from, maps[1], c->out);
	if (!status && c->thin && c->direction == DN_GRAD_INPUT) {
		dn_spread(e, in, x, planes, seen_of(&c->shape));
	} else if (!status && x != in && c->direction == DN_GRAD_INPUT) {
		dn_narrow(e, in, x, c->widened[0]);
	}
	if (!status && y != out && c->direction < DN_GRAD_INPUT) dn_narrow(e, out, y, c->widened[1]);
	return status;
}
