//go:build openblas && cgo && linux

// The C side of the CPU device: one pool of threads and one set of scratch memory a device, one function a kernel.
// Shapes and formulas are those of package kernel; pointers are to memory of mm_alloc unless a comment says otherwise.

#ifndef MM_DEVICE_H
#define MM_DEVICE_H

#include <stddef.h>

// MM_CLONES compiles a function for each generation of x86-64 and picks one when the program starts.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define MM_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#define MM_AVX512 1
#else
#define MM_CLONES
#define MM_AVX512 0
#endif

enum {
	MM_MAX_PLAYERS = 64,    // modality.Max
	MM_PARTIALS = 4096,     // float64 partial sums held at once
	MM_GRAIN = 8192,        // elements below which a second thread costs more than it saves
};

typedef struct mm_device mm_device;

// mm_task computes part number part of parts of one kernel.
typedef void (*mm_task)(mm_device *d, const void *args, int part, int parts);

struct mm_device {
	int threads;
	int avx512;                        // the products run in gemm_avx512.c, not in OpenBLAS
	struct mm_pool *pool;
	float **packs;                     // scratch of gemm_avx512.c, one a thread
	double *partials;                  // MM_PARTIALS
	const float *views[MM_MAX_PLAYERS]; // arguments that are lists, written by the Go side
	size_t widths[MM_MAX_PLAYERS];
};

// mm_open starts a device of the given number of threads, the caller's among them; 0 where memory or threads are lacking.
mm_device *mm_open(int threads);
void mm_close(mm_device *d);
// mm_alloc returns n zeros at 64 bytes, 0 where there is no memory; mm_free gives all n back.
float *mm_alloc(size_t n);
void mm_free(float *p, size_t n);

// mm_run runs task in parts parts, at most one a thread, and returns when all are done.
void mm_run(mm_device *d, mm_task task, const void *args, int parts);
// mm_parts is the number of parts worth making of a kernel that touches n elements.
int mm_parts(const mm_device *d, size_t n);
// mm_range gives part's share of n items, cut at multiples of align.
static inline void mm_range(size_t n, size_t align, int part, int parts, size_t *from, size_t *to) {
	size_t units = (n + align - 1) / align;
	*from = units * part / parts * align;
	*to = units * (part + 1) / parts * align;
	if (*from > n) *from = n;
	if (*to > n) *to = n;
}
struct mm_pool *mm_pool_open(mm_device *d);
void mm_pool_close(struct mm_pool *p, int started);

// Dense. b may be 0 where relu is.
void mm_linear(mm_device *d, float *y, const float *x, const float *w, const float *b, size_t m, size_t n, size_t k, int relu);
void mm_linear_grad_weight(mm_device *d, float *dw, const float *dy, const float *x, size_t m, size_t n, size_t k);
void mm_linear_grad_input(mm_device *d, float *dx, const float *dy, const float *w, size_t m, size_t n, size_t k);
// mm_round writes x rounded to bfloat16, to even; what is not a number stays none.
void mm_round(mm_device *d, float *y, const float *x, size_t n);
void mm_copy(mm_device *d, float *y, const float *x, size_t n); // x is anybody's
void mm_sum_rows(mm_device *d, float *y, const float *x, size_t m, size_t n);
void mm_relu_grad(mm_device *d, float *dx, const float *dy, const float *y, size_t n);
void mm_standardize(mm_device *d, float *y, const float *x, const float *mean, const float *scale, size_t m, size_t n);
void mm_add(mm_device *d, float *y, const float *a, const float *b, size_t n);

// Fusion. The features are d->views, their widths d->widths.
void mm_masked_concat(mm_device *d, float *y, const float *keep, size_t m, size_t players);
void mm_masked_sum(mm_device *d, float *y, const float *keep, size_t m, size_t n, size_t players);
void mm_masked_slice(mm_device *d, float *dx, const float *dy, const float *keep, const float *relu, size_t m, size_t total, size_t from,
	size_t n, size_t p, size_t players);
void mm_modulate(mm_device *d, float *y, const float *modulator, const float *x, size_t m, size_t n);
void mm_modulate_grad_input(mm_device *d, float *dx, const float *dy, const float *modulator, size_t m, size_t n);
void mm_modulate_grad_modulator(mm_device *d, float *dmodulator, const float *dy, const float *x, size_t m, size_t n);

// Elementwise.
void mm_mul(mm_device *d, float *y, const float *a, const float *b, size_t n);
void mm_scale(mm_device *d, float *y, const float *x, size_t n, float factor);
void mm_tanh(mm_device *d, float *y, const float *x, size_t n);
void mm_tanh_grad(mm_device *d, float *dx, const float *dy, const float *y, size_t n);
void mm_sigmoid(mm_device *d, float *y, const float *x, size_t n);
void mm_sigmoid_grad(mm_device *d, float *dx, const float *dy, const float *y, size_t n);

// Tokens, at most MM_MAX_PLAYERS of width n.
void mm_attend(mm_device *d, float *y, const float *qkv, const float *keep, size_t m, size_t tokens, size_t heads, size_t n);
void mm_attend_grad(mm_device *d, float *dqkv, const float *dy, const float *qkv, const float *keep, size_t m, size_t tokens,
	size_t heads, size_t n);
void mm_masked_mean(mm_device *d, float *y, const float *x, const float *keep, size_t m, size_t tokens, size_t n);
void mm_masked_mean_grad(mm_device *d, float *dx, const float *dy, const float *keep, size_t m, size_t tokens, size_t n);

// Loss.
void mm_cross_entropy(mm_device *d, float *loss, const float *logits, const float *label, const float *weight, size_t m, size_t c);
void mm_cross_entropy_grad(mm_device *d, float *dlogits, const float *logits, const float *label, const float *weight,
	const float *upstream, size_t m, size_t c);

// Update. scale may be 0.
typedef struct {
	float shrink;     // multiplies p first: 1 - lr decay where decoupled, else 1
	float decay;      // of p into g: 0 where decoupled
	float beta1, rest1, beta2, rest2; // rest = 1 - beta, taken in float64
	float correction; // 1 / sqrt(correction2)
	float epsilon;
	float step;       // lr / correction1
} mm_adam_step;
typedef struct {
	float lr, decay;
	float keep; // multiplies buf: 0 in the first step
} mm_sgd_step;
void mm_clip_scale(mm_device *d, float *scale, const float *g, size_t n, float max_norm);
void mm_adam(mm_device *d, float *p, const float *g, float *m, float *v, const float *scale, size_t n, mm_adam_step s);
void mm_sgd(mm_device *d, float *p, const float *g, float *buf, const float *scale, size_t n, mm_sgd_step s);

#endif
