//go:build dnnl && cgo && linux

// Max pooling of blocked maps with AVX-512: a pixel's 16 channels are one register, and comparisons give masks, which keeps memory
// the limit. The same results as native_pool.c.

#include "native_library.h"
#include "native_pool.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

#include "native_wide.h"

int dn_pool_wide(void) {
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
		__builtin_cpu_supports("avx512vl");
}

INLINE void max_plane(void *y, uint8_t *index, const void *x, const dn_window *s, int narrow) {
	size_t out = 0;
	for (size_t oh = 0; oh < s->out_h; oh++) {
		int top, bottom;
		dn_bounds(oh, s->kh, s->stride_h, s->pad_h, s->h, &top, &bottom);
		for (size_t ow = 0; ow < s->out_w; ow++, out++, index += DN_LANE) {
			int left, right;
			dn_bounds(ow, s->kw, s->stride_w, s->pad_w, s->w, &left, &right);
			__m512 best = _mm512_set1_ps(-__builtin_inff());
			__m512i place = _mm512_set1_epi32(top * s->kw + left);
			for (int i = top; i < bottom; i++) {
				long row = ((long)oh * s->stride_h - s->pad_h + i) * (long)s->w + (long)ow * s->stride_w - s->pad_w;
				for (int j = left; j < right; j++) {
					__m512 v = dn_load(x, row + j, narrow);
					__mmask16 takes = _mm512_mask_cmp_ps_mask(_mm512_cmp_ps_mask(best, best, _CMP_ORD_Q), v, best, _CMP_NLE_UQ);
					best = _mm512_mask_mov_ps(best, takes, v);
					place = _mm512_mask_mov_epi32(place, takes, _mm512_set1_epi32(i * s->kw + j));
				}
			}
			dn_store(y, out, best, narrow);
			_mm_storeu_si128((__m128i *)index, _mm512_cvtepi32_epi8(place));
		}
	}
}

// dn_max_plane_wide keeps the first of equal pixels, and one that is not a number: v takes best's place where it is not
// less or equal, which what is not a number never is, unless best is none itself.
V4 void dn_max_plane_wide(void *y, uint8_t *index, const void *x, const dn_window *s, int narrow) {
	if (narrow) {
		max_plane(y, index, x, s, 1);
	} else {
		max_plane(y, index, x, s, 0);
	}
}

INLINE void max_plane_grad(void *dx, const void *dy, const uint8_t *index, const dn_window *s, int narrow) {
	size_t to = 0, top = 0, bottom = 0;
	for (size_t h = 0; h < s->h; h++) {
		dn_reach(h, s->kh, s->stride_h, s->pad_h, s->out_h, &top, &bottom);
		size_t left = 0, right = 0;
		for (size_t w = 0; w < s->w; w++, to++) {
			dn_reach(w, s->kw, s->stride_w, s->pad_w, s->out_w, &left, &right);
			__m512 sum = _mm512_setzero_ps();
			for (size_t oh = top; oh < bottom; oh++) {
				int row = ((int)h + s->pad_h - (int)oh * s->stride_h) * s->kw + (int)w + s->pad_w;
				for (size_t ow = left; ow < right; ow++) {
					size_t at = oh * s->out_w + ow;
					__m128i here = _mm_set1_epi8((char)(row - (int)ow * s->stride_w));
					__mmask16 chose = _mm_cmpeq_epi8_mask(_mm_loadu_si128((const __m128i *)(index + at * DN_LANE)), here);
					sum = _mm512_mask_add_ps(sum, chose, sum, dn_load(dy, at, narrow));
				}
			}
			dn_store(dx, to, sum, narrow);
		}
	}
}

// dn_max_plane_grad_wide asks, for each pixel, the windows that see it whether it was their maximum.
V4 void dn_max_plane_grad_wide(void *dx, const void *dy, const uint8_t *index, const dn_window *s, int narrow) {
	if (narrow) {
		max_plane_grad(dx, dy, index, s, 1);
	} else {
		max_plane_grad(dx, dy, index, s, 0);
	}
}

#else

int dn_pool_wide(void) { return 0; }
void dn_max_plane_wide(void *y, uint8_t *index, const void *x, const dn_window *s, int narrow) { (void)y, (void)index, (void)x, (void)s, (void)narrow; }
void dn_max_plane_grad_wide(void *dx, const void *dy, const uint8_t *index, const dn_window *s, int narrow) {
	(void)dx, (void)dy, (void)index, (void)s, (void)narrow;
}

#endif
