//go:build dnnl && cgo && linux

// What of oneDNN and its OpenMP is called. Both are opened at run time: a program that computes no convolution does not
// load 40 MB, and one that finds no library says so.

#ifndef DN_LIBRARY_H
#define DN_LIBRARY_H

#include <oneapi/dnnl/dnnl.h>

#include "native.h"

#if DNNL_VERSION_MAJOR != 2
#error "the engine is written for oneDNN 2 (Debian 12: libdnnl-dev)"
#endif

#define DN_FUNCTIONS(F)                    \
	F(engine_create)                       \
	F(engine_destroy)                      \
	F(stream_create)                       \
	F(stream_destroy)                      \
	F(memory_create)                       \
	F(memory_destroy)                      \
	F(memory_set_data_handle)              \
	F(memory_desc_init_by_tag)             \
	F(memory_desc_equal)                   \
	F(memory_desc_get_size)                \
	F(convolution_forward_desc_init)       \
	F(convolution_backward_data_desc_init) \
	F(convolution_backward_weights_desc_init) \
	F(primitive_desc_create)               \
	F(primitive_desc_destroy)              \
	F(primitive_desc_query)                \
	F(primitive_desc_query_md)             \
	F(primitive_create)                    \
	F(primitive_destroy)                   \
	F(primitive_execute)                   \
	F(reorder_primitive_desc_create)       \
	F(primitive_attr_create)               \
	F(primitive_attr_destroy)              \
	F(primitive_attr_set_scratchpad_mode)  \
	F(primitive_attr_set_post_ops)         \
	F(post_ops_create)                     \
	F(post_ops_destroy)                    \
	F(post_ops_append_eltwise)             \
	F(post_ops_append_sum)

#define DN_POINTER(name) __typeof__(dnnl_##name) *name;
typedef struct {
	DN_FUNCTIONS(DN_POINTER)
	// libgomp, by its stable interface: what compilers make of "omp parallel".
	void (*parallel)(void (*run)(void *), void *data, unsigned threads, unsigned flags);
	void (*set_num_threads)(int);
	int (*get_thread_num)(void);
	int (*get_num_threads)(void);
} dn_library;
#undef DN_POINTER

struct dn_engine {
	const dn_library *lib;
	int threads;
	dnnl_engine_t engine;
	dnnl_stream_t stream;
	// Memory shared by all convolutions, as large as the greediest needs.
	void *scratch;     // the library's own
	void *weights;     // in the library's layout
	float *scaled;     // weights times a normalisation's scale, or rounded
	float *widened[2]; // maps of bfloat16 for convolutions in float32: x, and y
	size_t widened_size[2];
	void *moved[2];    // maps in the library's layout, likewise
	size_t moved_size[2];
	int wide;   // AVX-512 is there
	int narrow; // blocked maps are bfloat16
	double *sums;      // dn_sums
	size_t scratch_size, weights_size, scaled_size, sums_size; // bytes
};

// dn_grow makes *memory, of *size bytes, at least as large as needed, at 64 bytes; 0 where there is no memory. What it held
// is lost.
int dn_grow(void **memory, size_t *size, size_t needed);

// dn_thin writes every stride-th pixel of maps as float32, dn_spread float32 at those places of maps that are 0 elsewhere: a convolution of one
// pixel sees no others.
void dn_thin(dn_engine *e, float *y, const void *x, size_t planes, dn_window s);
void dn_spread(dn_engine *e, void *y, const float *x, size_t planes, dn_window s);

// The first convolution of a network has code of its own, in e->scratch, where dn_stem_suits says so.
int dn_stem_suits(const dn_engine *e, const dn_shape *s);
size_t dn_stem_memory(const dn_shape *s, int threads); // bytes
void dn_stem_run(dn_engine *e, const dn_shape *s, const float *x, float *w, void *y, const float *scale, const float *shift);

// 3x3 convolutions of stride 1 have too, where dn_winograd_suits says so: a plan, 0 where there is no memory, that runs in e->scratch.
typedef struct dn_winograd dn_winograd;
int dn_winograd_suits(const dn_engine *e, const dn_shape *s);
dn_winograd *dn_winograd_plan(const dn_engine *e, const dn_shape *s);
void dn_winograd_free(dn_winograd *g);
size_t dn_winograd_memory(const dn_winograd *g, int threads); // bytes
// What dn_conv_run is given.
typedef struct {
	void *in, *out;
	float *w;
	const float *scale, *shift;
	const void *residual;
} dn_operands;
void dn_winograd_run(dn_engine *e, const dn_winograd *g, const dn_operands *o);

#endif
