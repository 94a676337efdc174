//go:build openblas && cgo && linux

// The step of Adam and AdamW (Kingma and Ba 2015; Loshchilov and Hutter 2019) as torch.optim rounds it. It is bound by
// memory only where square root and division are done in vectors, which cgo's flags do not let the compiler do by itself
// (sqrtf sets errno): hence a version of the same text for each length of vector.

#include <math.h>

#include "device.h"

enum { LINE = 16 };

typedef struct {
	float *p, *m, *v;
	const float *g, *scale;
	size_t n;
	mm_adam_step step;
} operands;

#define STEP(type, load, store, root)                                        \
	{                                                                        \
		const type q = load(p + i) * s->shrink;                              \
		const type d = load(g + i) * scale + q * s->decay;                   \
		const type mi = load(m + i) * s->beta1 + d * s->rest1;               \
		const type vi = load(v + i) * s->beta2 + d * d * s->rest2;           \
		store(m + i, mi);                                                    \
		store(v + i, vi);                                                    \
		store(p + i, q - s->step * (mi / (root(vi) * s->correction + s->epsilon))); \
	}

#define LOAD(p) (*(p))
#define STORE(p, x) (*(p) = (x))

static void adam(float *p, const float *g, float *m, float *v, size_t n, float scale, const mm_adam_step *s) {
	for (size_t i = 0; i < n; i++) STEP(float, LOAD, STORE, sqrtf)
}

#if defined(__x86_64__)

#include <immintrin.h>

#define VECTORS(name, instructions, width, type, load, store, root)                                                           \
	__attribute__((target(instructions))) static void name(float *p, const float *g, float *m, float *v, size_t n, float scale, \
		const mm_adam_step *s) {                                                                                              \
		size_t i = 0;                                                                                                         \
		for (; i + (width) <= n; i += (width)) STEP(type, load, store, root)                                                  \
		adam(p + i, g + i, m + i, v + i, n - i, scale, s);                                                                    \
	}

VECTORS(adam_sse, "sse2", 4, __m128, _mm_loadu_ps, _mm_storeu_ps, _mm_sqrt_ps)
VECTORS(adam_avx2, "avx2,fma", 8, __m256, _mm256_loadu_ps, _mm256_storeu_ps, _mm256_sqrt_ps)
VECTORS(adam_avx512, "avx512f,avx2,fma", 16, __m512, _mm512_loadu_ps, _mm512_storeu_ps, _mm512_sqrt_ps)

#endif

static void part(mm_device *d, const void *args, int number, int parts) {
	const operands *o = args;
	size_t from, to;
	(void)d;
	mm_range(o->n, LINE, number, parts, &from, &to);
	void (*run)(float *, const float *, float *, float *, size_t, float, const mm_adam_step *) = adam;
#if defined(__x86_64__)
	run = adam_sse;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) run = adam_avx2;
	if (__builtin_cpu_supports("avx512f")) run = adam_avx512;
#endif
	run(o->p + from, o->g + from, o->m + from, o->v + from, to - from, o->scale ? o->scale[0] : 1, &o->step);
}

void mm_adam(mm_device *d, float *p, const float *g, float *m, float *v, const float *scale, size_t n, mm_adam_step s) {
	mm_run(d, part, &(operands){p, m, v, g, scale, n, s}, mm_parts(d, n));
}
