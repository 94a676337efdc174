//go:build dnnl && cgo && linux

// The C side of the native engine: convolutions by oneDNN, the rest by the loops of these files on the same threads.
// What each function computes, and in which layout, is said in package kernel; blocked maps are (N,C/16,pixels,16). They are float32,
// or, in a narrow engine, bfloat16: void * below. Maps that are not blocked are float32 in both.

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

typedef struct dn_engine dn_engine;

// dn_open returns an engine, or 0 and the reason in message, of size bytes.
dn_engine *dn_open(int threads, int narrow, char *message, size_t size);
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
// How a convolution multiplies: in float32; of numbers rounded to bfloat16, in float32, in which the product of two such is exact; or in
// the library's bfloat16.
enum { DN_FLOAT32, DN_ROUNDED, DN_BF16 };
typedef struct dn_conv dn_conv;
// dn_conv_plan returns a convolution ready to run, 0 where the library has none of this shape.
dn_conv *dn_conv_plan(dn_engine *e, const dn_shape *s);
void dn_conv_free(dn_conv *c);
// dn_conv_run returns the library's status, 0 where all is well. in is x or dx, out is y or dy; w is read, or written by the gradient
// of the weights. The others are of DN_AFFINE; residual may be 0 or out.
int dn_conv_run(dn_engine *e, dn_conv *c, void *in, float *w, void *out, const float *scale, float *shift, const void *residual);

// dn_widen and dn_narrow write n bfloat16 as float32, and float32 as bfloat16, rounded to even; what is not a number stays none.
void dn_widen(dn_engine *e, float *to, const void *from, size_t n);
void dn_narrow(dn_engine *e, void *to, const float *from, size_t n);
// dn_add and dn_relu_grad are kernel.Dense's, of n values of maps.
void dn_add(dn_engine *e, void *y, const void *a, const void *b, size_t n);
void dn_relu_grad(dn_engine *e, void *dx, const void *dy, const void *y, size_t n);

// Batch normalisation. residual and dresidual may be 0.
int dn_batch_norm(dn_engine *e, void *y, const void *x, const void *residual, const float *gamma, const float *beta, float *mean,
	float *inv_std, float *running_mean, float *running_var, size_t n, size_t c, size_t pixels, float momentum, float epsilon, int relu);
int dn_batch_norm_grad(dn_engine *e, void *dx, void *dresidual, float *dgamma, float *dbeta, const void *dy, const void *x,
	const void *y, const float *gamma, const float *beta, const float *mean, const float *inv_std, size_t n, size_t c, size_t pixels,
	int relu);
void dn_affine(dn_engine *e, void *y, const void *x, const float *scale, const float *shift, const void *residual, size_t n, size_t c,
	size_t pixels, int relu);

// Pooling and sums.
typedef struct {
	size_t h, w, out_h, out_w;
	int kh, kw, stride_h, stride_w, pad_h, pad_w;
} dn_window;
void dn_max_pool(dn_engine *e, void *y, uint8_t *index, const void *x, size_t planes, dn_window s);
void dn_max_pool_grad(dn_engine *e, void *dx, const void *dy, const uint8_t *index, size_t planes, dn_window s);
void dn_average_pool(dn_engine *e, float *y, const void *x, size_t n, size_t frames, size_t c, size_t pixels);
void dn_average_pool_grad(dn_engine *e, void *dx, const float *dy, size_t n, size_t frames, size_t c, size_t pixels);

#endif
