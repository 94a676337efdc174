//go:build dnnl && cgo && linux

// The C side of the native engine: convolutions by oneDNN, the rest by the loops of these files on the same threads.
// What each function computes, and in which layout, is said in package kernel; blocked maps are (N,C/16,pixels,16).

#ifndef DN_NATIVE_H
#define DN_NATIVE_H

#include <stddef.h>
#include <stdint.h>

// DN_CLONES compiles a function for each generation of x86-64 and picks one when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define DN_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define DN_CLONES
#endif

enum { DN_LANE = 16 };

// The 16 channels of a pixel are DN_HALVES times a dn_half: compilers turn comparisons of 32 bytes into good code on every
// generation with AVX2, those of 64 bytes into scalar code on some. Memory decides the speed, not the width.
enum { DN_HALVES = 2, DN_HALF = DN_LANE / DN_HALVES };
typedef float dn_half __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t dn_mask __attribute__((vector_size(32), aligned(4), may_alias)); // each all bits or none
static inline __attribute__((always_inline)) dn_half dn_where(dn_mask m, dn_half v) { return (dn_half)(m & (dn_mask)v); }

typedef struct dn_engine dn_engine;

// dn_open returns an engine, or 0 and the reason in message, of size bytes.
dn_engine *dn_open(int threads, char *message, size_t size);
void dn_close(dn_engine *e);
// dn_portable makes the engine leave out what is written for AVX-512.
void dn_portable(dn_engine *e);
int dn_wide(const dn_engine *e); // whether that is in use
// dn_multiplies_bf16 tells whether the processor multiplies bfloat16 faster than float32, in tiles (AMX).
int dn_multiplies_bf16(void);

// dn_run runs task in at most parts parts, one a thread, and returns when all are done. The library may give fewer
// threads than were asked for: a task's result must not depend on their number.
typedef void (*dn_task)(const void *args, int part, int parts);
void dn_run(dn_engine *e, dn_task task, const void *args, int parts);
// dn_parts is the number of parts worth making of n elements.
int dn_parts(const dn_engine *e, size_t n);
int dn_threads(const dn_engine *e);
// dn_sums returns memory for n sums, valid until the next call; 0 where there is none.
double *dn_sums(dn_engine *e, size_t n);

static inline void dn_range(size_t n, int part, int parts, size_t *from, size_t *to) {
	*from = n * part / parts;
	*to = n * (part + 1) / parts;
}

// Convolution.
enum { DN_FORWARD, DN_AFFINE, DN_GRAD_INPUT, DN_GRAD_WEIGHT };
typedef struct {
	int n, c, h, w, k, kh, kw, stride_h, stride_w, pad_h, pad_w;
	int direction, relu, residual;
	int exact; // not by Winograd's algorithm
	int bf16;  // one of the below
} dn_shape;
// How a convolution multiplies: as it is given; rounded to bfloat16, but in float32, in which the product of two bfloat16 is exact;
// or in the library's bfloat16.
enum { DN_FLOAT32, DN_ROUNDED, DN_BF16 };
typedef struct dn_conv dn_conv;
// dn_conv_plan returns a convolution ready to run, 0 where the library has none of this shape.
dn_conv *dn_conv_plan(dn_engine *e, const dn_shape *s);
void dn_conv_free(dn_conv *c);
// dn_conv_run returns the library's status, 0 where all is well. in is x or dx, out is y or dy; w is read, or written by the gradient
// of the weights. The others are of DN_AFFINE; residual may be 0 or out.
int dn_conv_run(dn_engine *e, dn_conv *c, float *in, float *w, float *out, const float *scale, float *shift, const float *residual);

// Batch normalisation. residual and dresidual may be 0.
int dn_batch_norm(dn_engine *e, float *y, const float *x, const float *residual, const float *gamma, const float *beta, float *mean,
	float *inv_std, float *running_mean, float *running_var, size_t n, size_t c, size_t pixels, float momentum, float epsilon, int relu);
int dn_batch_norm_grad(dn_engine *e, float *dx, float *dresidual, float *dgamma, float *dbeta, const float *dy, const float *x,
	const float *y, const float *gamma, const float *beta, const float *mean, const float *inv_std, size_t n, size_t c, size_t pixels,
	int relu);
void dn_affine(dn_engine *e, float *y, const float *x, const float *scale, const float *shift, const float *residual, size_t n, size_t c,
	size_t pixels, int relu);

// Pooling and sums.
typedef struct {
	size_t h, w, out_h, out_w;
	int kh, kw, stride_h, stride_w, pad_h, pad_w;
} dn_window;
void dn_max_pool(dn_engine *e, float *y, uint8_t *index, const float *x, size_t planes, dn_window s);
void dn_max_pool_grad(dn_engine *e, float *dx, const float *dy, const uint8_t *index, size_t planes, dn_window s);
void dn_average_pool(dn_engine *e, float *y, const float *x, size_t n, size_t frames, size_t c, size_t pixels);
void dn_average_pool_grad(dn_engine *e, float *dx, const float *dy, size_t n, size_t frames, size_t c, size_t pixels);

#endif
