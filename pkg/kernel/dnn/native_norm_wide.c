//go:build dnnl && cgo && linux

// Batch normalisation of blocked maps with AVX-512. The sign of scale x + shift is told by one operation throughout.

#include "native_norm.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

#include "native_wide.h"

typedef __m512 lane;
enum { CHAINS = 4 }; // sums that do not wait for each other

// settle adds a run's sums.
INLINE void settle(double *sums, const lane *a) {
	lane v = _mm512_add_ps(_mm512_add_ps(a[0], a[1]), _mm512_add_ps(a[2], a[3]));
	__m512d low = _mm512_cvtps_pd(_mm512_castps512_ps256(v)), high = _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
	_mm512_storeu_pd(sums, _mm512_add_pd(_mm512_loadu_pd(sums), low));
	_mm512_storeu_pd(sums + 8, _mm512_add_pd(_mm512_loadu_pd(sums + 8), high));
}

// RUNS adds to two sums, of CHAINS each, what a statement does for pixel i and chain k, and settles them.
#define RUNS(statement)                                                            \
	for (int l = 0; l < 2 * DN_LANE; l++) sums[l] = 0;                             \
	for (size_t from = 0; from < pixels; from += DN_RUN) {                         \
		size_t to = pixels - from < DN_RUN ? pixels : from + DN_RUN, i = from;     \
		lane first[CHAINS], second[CHAINS];                                        \
		for (int k = 0; k < CHAINS; k++) first[k] = second[k] = _mm512_setzero_ps(); \
		for (; i + CHAINS <= to; i += CHAINS) {                                    \
			_Pragma("GCC unroll 4") for (int k = 0; k < CHAINS; k++) {             \
				size_t at = i + k;                                                 \
				statement                                                          \
			}                                                                      \
		}                                                                          \
		for (; i < to; i++) {                                                      \
			enum { k = 0 };                                                        \
			size_t at = i;                                                         \
			statement                                                              \
		}                                                                          \
		settle(sums, first), settle(sums + DN_LANE, second);                       \
	}

INLINE void moments_of(double *sums, const void *x, const float *pivot, size_t pixels, int narrow) {
	lane p = _mm512_loadu_ps(pivot);
	RUNS(lane d = _mm512_sub_ps(dn_load(x, at, narrow), p); first[k] = _mm512_add_ps(first[k], d); second[k] = _mm512_fmadd_ps(d, d, second[k]);)
}

INLINE lane value(const void *x, size_t i, lane scale, lane shift, int narrow) { return _mm512_fmadd_ps(dn_load(x, i, narrow), scale, shift); }

// let is dy where x's value is positive.
INLINE lane let(const void *dy, const void *x, size_t i, lane scale, lane shift, int narrow) {
	__mmask16 m = _mm512_cmp_ps_mask(value(x, i, scale, shift, narrow), _mm512_setzero_ps(), _CMP_GT_OQ);
	return _mm512_maskz_mov_ps(m, dn_load(dy, i, narrow));
}

INLINE void transform_of(void *y, const void *x, const void *r, const dn_channels *c, size_t pixels, int relu, int narrow, int past) {
	const lane a = _mm512_loadu_ps(c->scale), b = _mm512_loadu_ps(c->shift), zero = _mm512_setzero_ps();
	for (size_t i = 0; i < pixels; i++) {
		lane v = value(x, i, a, b, narrow);
		if (r) v = _mm512_add_ps(v, dn_load(r, i, narrow));
		if (relu) v = _mm512_max_ps(zero, v); // keeps what is not a number: the second operand wins
		if (!past) {
			dn_store(y, i, v, narrow);
		} else if (narrow) {
			_mm256_stream_si256((__m256i *)y + i, dn_short_lane(v));
		} else {
			_mm512_stream_ps((float *)y + i * DN_LANE, v);
		}
	}
	if (past) _mm_sfence();
}

INLINE void gradient_sums_of(double *sums, void *dresidual, const void *dy, const void *x, const void *out, const dn_channels *c, size_t pixels,
	int relu, int narrow) {
	const lane a = _mm512_loadu_ps(c->scale), b = _mm512_loadu_ps(c->shift), mean = _mm512_loadu_ps(c->mean), zero = _mm512_setzero_ps();
#define SUM(value)                                                              \
	lane g = (value);                                                           \
	if (dresidual) dn_store(dresidual, at, g, narrow);                          \
	first[k] = _mm512_add_ps(first[k], g);                                      \
	second[k] = _mm512_fmadd_ps(g, _mm512_sub_ps(dn_load(x, at, narrow), mean), second[k]);
	if (dresidual && relu) {
		RUNS(SUM(_mm512_maskz_mov_ps(_mm512_cmp_ps_mask(dn_load(out, at, narrow), zero, _CMP_GT_OQ), dn_load(dy, at, narrow))))
	} else if (relu) {
		RUNS(SUM(let(dy, x, at, a, b, narrow)))
	} else {
		RUNS(SUM(dn_load(dy, at, narrow)))
	}
}

INLINE void gradient_of(void *dx, const void *dy, const void *x, const dn_channels *c, size_t pixels, int relu, int narrow) {
	const lane a = _mm512_loadu_ps(c->scale), b = _mm512_loadu_ps(c->shift), mean = _mm512_loadu_ps(c->mean), slope = _mm512_loadu_ps(c->slope),
			   offset = _mm512_loadu_ps(c->offset);
	for (size_t i = 0; i < pixels; i++) {
		lane g = relu ? let(dy, x, i, a, b, narrow) : dn_load(dy, i, narrow);
		lane v = _mm512_fnmadd_ps(slope, _mm512_sub_ps(dn_load(x, i, narrow), mean), _mm512_mul_ps(a, g));
		dn_store(dx, i, _mm512_sub_ps(v, offset), narrow);
	}
}

// EITHER compiles a call for maps of either kind.
#define EITHER(f, ...)     \
	if (narrow) {          \
		f(__VA_ARGS__, 1); \
	} else {               \
		f(__VA_ARGS__, 0); \
	}

V4 static void moments(double *sums, const void *x, const float *pivot, size_t pixels, int narrow) { EITHER(moments_of, sums, x, pivot, pixels) }

V4 static void transform(void *y, const void *x, const void *r, const dn_channels *c, size_t pixels, int relu, int narrow) {
	if (narrow) {
		transform_of(y, x, r, c, pixels, relu, 1, 0);
	} else {
		transform_of(y, x, r, c, pixels, relu, 0, 0);
	}
}

V4 void dn_transform_past(void *y, const void *x, const void *r, const dn_channels *c, size_t pixels, int relu, int narrow) {
	if (narrow) {
		transform_of(y, x, r, c, pixels, relu, 1, 1);
	} else {
		transform_of(y, x, r, c, pixels, relu, 0, 1);
	}
}

V4 static void gradient_sums(double *sums, void *dresidual, const void *dy, const void *x, const void *out, const dn_channels *c, size_t pixels,
	int relu, int narrow) {
	EITHER(gradient_sums_of, sums, dresidual, dy, x, out, c, pixels, relu)
}

V4 static void gradient(void *dx, const void *dy, const void *x, const dn_channels *c, size_t pixels, int relu, int narrow) {
	EITHER(gradient_of, dx, dy, x, c, pixels, relu)
}

const dn_planes dn_planes_wide = {moments, transform, gradient_sums, gradient};

#else

const dn_planes dn_planes_wide;
void dn_transform_past(void *y, const void *x, const void *r, const dn_channels *c, size_t pixels, int relu, int narrow) {
	(void)y, (void)x, (void)r, (void)c, (void)pixels, (void)relu, (void)narrow;
}

#endif
