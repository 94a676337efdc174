//go:build dnnl && cgo && linux

// Pixels of blocked maps with AVX-512: 16 channels are one register.

#ifndef DN_WIDE_H
#define DN_WIDE_H

#include <immintrin.h>

#include "native.h"

#define V4 __attribute__((target("arch=x86-64-v4")))
#define INLINE static inline __attribute__((always_inline)) V4

// dn_round_lane gives the bits of v rounded to bfloat16, to even, in the upper half of each; what is not a number stays none.
INLINE __m512i dn_round_lane(__m512 v) {
	__m512i bits = _mm512_castps_si512(v), odd = _mm512_and_epi32(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
	__m512i sum = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), odd);
	__mmask16 number = _mm512_cmp_ps_mask(v, v, _CMP_ORD_Q);
	return _mm512_mask_mov_epi32(_mm512_or_epi32(bits, _mm512_set1_epi32(0x400000)), number, sum);
}

// dn_load returns pixel i of maps.
INLINE __m512 dn_load(const void *maps, ptrdiff_t i, int narrow) {
	if (!narrow) return _mm512_loadu_ps((const float *)maps + i * DN_LANE);
	__m256i bits = _mm256_loadu_si256((const __m256i *)((const uint16_t *)maps + i * DN_LANE));
	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

INLINE __m256i dn_short_lane(__m512 v) { return _mm512_cvtepi32_epi16(_mm512_srli_epi32(dn_round_lane(v), 16)); }

// dn_store writes pixel i of maps.
INLINE void dn_store(void *maps, ptrdiff_t i, __m512 v, int narrow) {
	if (narrow) {
		_mm256_storeu_si256((__m256i *)((uint16_t *)maps + i * DN_LANE), dn_short_lane(v));
	} else {
		_mm512_storeu_ps((float *)maps + i * DN_LANE, v);
	}
}

// dn_load_within and dn_store_within touch the memory of channels in a mask alone; the others are 0.
INLINE __m512 dn_load_within(const void *maps, ptrdiff_t i, __mmask16 mask, int narrow) {
	if (!narrow) return _mm512_maskz_loadu_ps(mask, (const float *)maps + i * DN_LANE);
	__m256i bits = _mm256_maskz_loadu_epi16(mask, (const uint16_t *)maps + i * DN_LANE);
	return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
}

INLINE void dn_store_within(void *maps, ptrdiff_t i, __m512 v, __mmask16 mask, int narrow) {
	if (narrow) {
		_mm256_mask_storeu_epi16((uint16_t *)maps + i * DN_LANE, mask, dn_short_lane(v));
	} else {
		_mm512_mask_storeu_ps((float *)maps + i * DN_LANE, mask, v);
	}
}

#endif
