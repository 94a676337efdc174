//go:build dnnl && cgo && linux

// The matrix products of Winograd's convolution, in registers of 16 channels.

#include "native_winograd.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

#include "native_wide.h"

#define EACH(i, n) _Pragma("GCC unroll 14") for (int i = 0; i < (n); i++)

typedef __m512 lane;

// spread returns v 16 times. It is opaque: compilers would keep values for the next step, more than there are registers.
INLINE lane spread(const float *v) {
	lane r;
	__asm__("vbroadcastss %1, %0" : "=v"(r) : "m"(*v));
	return r;
}

INLINE void product(int count, float *m, size_t m_step, const float *v, size_t v_step, const float *u, size_t blocks) {
	lane sum[DN_GROUP][2];
	EACH(t, count) sum[t][0] = sum[t][1] = _mm512_setzero_ps();
	for (; blocks > 0; blocks--, v += v_step - DN_LANE)
		for (int l = 0; l < DN_LANE; l++, v++, u += DN_PAIR) {
			lane a = _mm512_load_ps(u), b = _mm512_load_ps(u + DN_LANE);
			EACH(t, count) {
				lane x = spread(v + t * DN_LANE);
				sum[t][0] = _mm512_fmadd_ps(a, x, sum[t][0]);
				sum[t][1] = _mm512_fmadd_ps(b, x, sum[t][1]);
			}
		}
	EACH(t, count) {
		_mm512_store_ps(m + t * DN_LANE, sum[t][0]);
		_mm512_store_ps(m + m_step + t * DN_LANE, sum[t][1]);
	}
}

#define CASE(n) \
	case n: product(n, m, m_step, v, v_step, u, blocks); break;

V4 void dn_product(int count, float *m, size_t m_step, const float *v, size_t v_step, const float *u, size_t blocks) {
	switch (count) {
		CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6) CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12) CASE(13) CASE(14)
	}
}

enum { HALF = DN_LANE / 2 };

V4 void dn_product_gradient(float *u, const float *m, size_t m_step, const float *v, size_t count) {
	for (int half = 0; half < 2; half++, u += HALF * DN_PAIR) {
		lane sum[HALF][2];
		EACH(c, HALF) sum[c][0] = sum[c][1] = _mm512_setzero_ps();
		const float *a = m, *b = m + m_step, *x = v + half * HALF;
		for (size_t t = 0; t < count; t++, a += DN_LANE, b += DN_LANE, x += DN_LANE) {
			lane p = _mm512_load_ps(a), q = _mm512_load_ps(b);
			EACH(c, HALF) {
				lane s = spread(x + c);
				sum[c][0] = _mm512_fmadd_ps(p, s, sum[c][0]);
				sum[c][1] = _mm512_fmadd_ps(q, s, sum[c][1]);
			}
		}
		EACH(c, HALF) {
			_mm512_store_ps(u + c * DN_PAIR, _mm512_add_ps(_mm512_load_ps(u + c * DN_PAIR), sum[c][0]));
			_mm512_store_ps(u + c * DN_PAIR + DN_LANE, _mm512_add_ps(_mm512_load_ps(u + c * DN_PAIR + DN_LANE), sum[c][1]));
		}
	}
}

#endif
