//go:build dnnl && cgo && linux

// Max pooling of blocked maps with AVX-512: a pixel's 16 channels are one register, and comparisons give masks, which keeps memory
// the limit. The same results as native_pool.c.

#include "native_library.h"
#include "native_pool.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

#include <immintrin.h>

#define V4 __attribute__((target("arch=x86-64-v4")))

int dn_pool_wide(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"); }

// dn_max_plane_wide keeps the first of equal pixels, and one that is not a number: v takes best's place where it is not
// less or equal, which what is not a number never is, unless best is none itself.
V4 void dn_max_plane_wide(float *y, uint8_t *index, const float *x, const dn_window *s) {
	for (size_t oh = 0; oh < s->out_h; oh++) {
		int top, bottom;
		dn_bounds(oh, s->kh, s->stride_h, s->pad_h, s->h, &top, &bottom);
		for (size_t ow = 0; ow < s->out_w; ow++, y += DN_LANE, index += DN_LANE) {
			int left, right;
			dn_bounds(ow, s->kw, s->stride_w, s->pad_w, s->w, &left, &right);
			__m512 best = _mm512_set1_ps(-__builtin_inff());
			__m512i place = _mm512_set1_epi32(top * s->kw + left);
			for (int i = top; i < bottom; i++) {
				const float *row = x + (((long)oh * s->stride_h - s->pad_h + i) * (long)s->w + (long)ow * s->stride_w - s->pad_w) * DN_LANE;
				for (int j = left; j < right; j++) {
					__m512 v = _mm512_loadu_ps(row + j * DN_LANE);
					__mmask16 takes = _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(best, best, _CMP_ORD_Q), v, best, _CMP_NLE_UQ);
					best = _mm512_mask_mov_ps(best, takes, v);
					place = _mm512_mask_mov_epi32(place, takes, _mm512_set1_epi32(i * s->kw + j));
				}
			}
			_mm512_storeu_ps(y, best);
			_mm_storeu_si128((__m128i *)index, _mm512_cvtepi32_epi8(place));
		}
	}
}

// dn_max_plane_grad_wide asks, for each pixel, the windows that see it whether it was their maximum.
V4 void dn_max_plane_grad_wide(float *dx, const float *dy, const uint8_t *index, const dn_window *s) {
	size_t top = 0, bottom = 0;
	for (size_t h = 0; h < s->h; h++) {
		dn_reach(h, s->kh, s->stride_h, s->pad_h, s->out_h, &top, &bottom);
		size_t left = 0, right = 0;
		for (size_t w = 0; w < s->w; w++, dx += DN_LANE) {
			dn_reach(w, s->kw, s->stride_w, s->pad_w, s->out_w, &left, &right);
			__m512 sum = _mm512_setzero_ps();
			for (size_t oh = top; oh < bottom; oh++) {
				int row = ((int)h + s->pad_h - (int)oh * s->stride_h) * s->kw + (int)w + s->pad_w;
				for (size_t ow = left; ow < right; ow++) {
					size_t at = (oh * s->out_w + ow) * DN_LANE;
					__m128i here = _mm_set1_epi8((char)(row - (int)ow * s->stride_w));
					__mmask16 chose = _mm_cmpeq_epi8_mask(_mm_loadu_si128((const __m128i *)(index + at)), here);
					sum = _mm512_mask_add_ps(sum, chose, sum, _mm512_loadu_ps(dy + at));
				}
			}
			_mm512_storeu_ps(dx, sum);
		}
	}
}

V4 void dn_transform_wide(float *y, const float *x, const float *r, const float *scale, const float *shift, size_t pixels, int relu) {
	const __m512 a = _mm512_loadu_ps(scale), b = _mm512_loadu_ps(shift), zero = _mm512_setzero_ps();
	for (size_t i = 0; i < pixels * DN_LANE; i += DN_LANE) {
		__m512 v = _mm512_fmadd_ps(_mm512_loadu_ps(x + i), a, b); // as the compiler has transform do: the gradient tells the sign by x
		if (r) v = _mm512_add_ps(v, _mm512_loadu_ps(r + i));
		if (relu) v = _mm512_max_ps(zero, v); // keeps what is not a number: the second operand wins
		_mm512_stream_ps(y + i, v);
	}
	_mm_sfence();
}

#else

int dn_pool_wide(void) { return 0; }
void dn_max_plane_wide(float *y, uint8_t *index, const float *x, const dn_window *s) { (void)y, (void)index, (void)x, (void)s; }
void dn_max_plane_grad_wide(float *dx, const float *dy, const uint8_t *index, const dn_window *s) { (void)dx, (void)dy, (void)index, (void)s; }

void dn_transform_wide(float *y, const float *x, const float *r, const float *scale, const float *shift, size_t pixels, int relu) {
	(void)y, (void)x, (void)r, (void)scale, (void)shift, (void)pixels, (void)relu;
}

#endif
