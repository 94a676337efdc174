//go:build cgo && linux && (openblas || dnnl)

// The passes with AVX2. A product of a pixel and a weight of 22 bits is two of 16 bits, of the weight's high and low half: one
// instruction multiplies 16 of these and adds them in pairs, and the sum of the low halves added to the other's, shifted, is exact.

#include "pass.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include <immintrin.h>
#include <string.h>

#define AVX2 __attribute__((target("avx2")))

enum { LOW = 11, ABREAST = 4 };

int px_wide(void) { return __builtin_cpu_supports("avx2"); }

// pairs lays out four pixels of three channels, 12 bytes that both halves of p hold, as pairs of 16 bits: of pixels 0 and 1 in the
// lower half, a pair for each channel, of pixels 2 and 3 in the upper.
static inline AVX2 __attribute__((always_inline)) __m256i pairs(const uint8_t *p) {
	const __m256i order = _mm256_setr_epi8(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1, //
	                                       6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1);
	return _mm256_shuffle_epi8(_mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)p)), order);
}

// four spreads four weights: those of pixels 0 and 1 over the lower half, of pixels 2 and 3 over the upper.
static inline AVX2 __attribute__((always_inline)) __m256i four(const int16_t *w) {
	const __m256i order = _mm256_setr_epi32(0, 0, 0, 0, 1, 1, 1, 1);
	return _mm256_permutevar8x32_epi32(_mm256_castsi128_si256(_mm_loadl_epi64((const __m128i *)w)), order);
}

// total returns a pixel's three channels as the first three of four bytes.
static inline AVX2 __attribute__((always_inline)) uint32_t total(__m256i high, __m256i low) {
	__m256i both = _mm256_add_epi32(_mm256_slli_epi32(high, LOW), low);
	__m128i sum = _mm_add_epi32(_mm256_castsi256_si128(both), _mm256_extracti128_si256(both, 1));
	sum = _mm_srai_epi32(_mm_add_epi32(sum, _mm_set1_epi32(PX_HALF)), PX_PRECISION);
	sum = _mm_packus_epi32(sum, sum);
	return (uint32_t)_mm_cvtsi128_si32(_mm_packus_epi16(sum, sum)); // saturates
}

static AVX2 void abreast(uint8_t *out, size_t plane, size_t width, const uint8_t *in, size_t stride, const px_taps *t) {
	const int16_t *w = t->split;
	for (size_t x = 0; x < width; x++) {
		const uint8_t *p = in + (size_t)t->first[x] * 3;
		__m256i high[ABREAST], low[ABREAST];
		for (int r = 0; r < ABREAST; r++) high[r] = low[r] = _mm256_setzero_si256();
		for (size_t g = 0; g < t->groups; g++, p += 12, w += 8) {
			__m256i wh = four(w), wl = four(w + 4);
			for (int r = 0; r < ABREAST; r++) {
				__m256i v = pairs(p + (size_t)r * stride);
				high[r] = _mm256_add_epi32(high[r], _mm256_madd_epi16(v, wh));
				low[r] = _mm256_add_epi32(low[r], _mm256_madd_epi16(v, wl));
			}
		}
		for (int r = 0; r < ABREAST; r++) {
			uint8_t *to = out + (size_t)r * width + x;
			uint32_t v = total(high[r], low[r]);
			to[0] = (uint8_t)v, to[plane] = (uint8_t)(v >> 8), to[2 * plane] = (uint8_t)(v >> 16);
		}
	}
}

size_t px_colours(uint8_t *out, size_t width, const uint8_t *in, size_t size, size_t stride, size_t rows, const px_taps *t) {
	// The last vector of the last pixel must lie inside; those before it do where the pixels' firsts rise, and they do.
	size_t reach = 3 * ((size_t)t->first[width - 1] + 4 * (t->groups - 1)) + 16, y = 0;
	for (; y + ABREAST <= rows && (y + ABREAST - 1) * stride + reach <= size; y += ABREAST)
		abreast(out + y * width, rows * width, width, in + y * stride, stride, t);
	return y;
}

static inline AVX2 __attribute__((always_inline)) __m256i two(const int16_t *w) {
	int32_t v;
	memcpy(&v, w, sizeof v);
	return _mm256_set1_epi32(v);
}

static inline AVX2 __attribute__((always_inline)) __m256i finish(__m256i high, __m256i low) {
	__m256i sum = _mm256_add_epi32(_mm256_slli_epi32(high, LOW), low);
	return _mm256_srai_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(PX_HALF)), PX_PRECISION);
}

AVX2 size_t px_line(uint8_t *out, const uint8_t *in, size_t width, const int16_t *split, size_t taps) {
	size_t x = 0;
	for (; x + 16 <= width; x += 16) {
		__m256i zero = _mm256_setzero_si256(), highA = zero, highB = zero, lowA = zero, lowB = zero;
		for (size_t k = 0; k < taps; k += 2) {
			const uint8_t *p = in + k * width + x;
			const int16_t *w = split + k / 4 * 8 + k % 4;
			__m128i a = _mm_loadu_si128((const __m128i *)p);
			__m128i b = k + 1 < taps ? _mm_loadu_si128((const __m128i *)(p + width)) : a; // weighs nothing where it is not there
			__m256i wh = two(w), wl = two(w + 4);
			__m256i v = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b));
			highA = _mm256_add_epi32(highA, _mm256_madd_epi16(v, wh)), lowA = _mm256_add_epi32(lowA, _mm256_madd_epi16(v, wl));
			v = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b));
			highB = _mm256_add_epi32(highB, _mm256_madd_epi16(v, wh)), lowB = _mm256_add_epi32(lowB, _mm256_madd_epi16(v, wl));
		}
		// Packing works on each half apart: (A0 B0 | A1 B1) is put in order as (A0 A1 B0 B1).
		__m256i v = _mm256_permute4x64_epi64(_mm256_packus_epi32(finish(highA, lowA), finish(highB, lowB)), 0xd8);
		_mm_storeu_si128((__m128i *)(out + x), _mm_packus_epi16(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1)));
	}
	return x;
}

#else

int px_wide(void) { return 0; }

size_t px_colours(uint8_t *out, size_t width, const uint8_t *in, size_t size, size_t stride, size_t rows, const px_taps *t) {
	(void)out, (void)width, (void)in, (void)size, (void)stride, (void)rows, (void)t;
	return 0;
}

size_t px_line(uint8_t *out, const uint8_t *in, size_t width, const int16_t *split, size_t taps) {
	(void)out, (void)in, (void)width, (void)split, (void)taps;
	return 0;
}

#endif
