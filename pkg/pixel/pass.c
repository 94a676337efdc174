//go:build cgo && linux && (openblas || dnnl)

// The passes in C. Sums are of integers and so have no order that matters: all versions give the same bits.

#include "pass.h"

#include <string.h>

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define CLONES
#endif
#define INLINE static inline __attribute__((always_inline))

enum { PRECISION = 22, HALF = 1 << (PRECISION - 1), ABREAST = 4 };

typedef uint8_t u8x4 __attribute__((vector_size(4)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef int32_t i32x16 __attribute__((vector_size(64)));

INLINE uint8_t clamp(int32_t sum) {
	sum >>= PRECISION;
	return sum > 255 ? 255 : (uint8_t)sum;
}

// single resizes one row of any number of channels.
INLINE void single(uint8_t *out, size_t plane, size_t width, const uint8_t *in, size_t channels, const int32_t *first, const int32_t *weight,
                   size_t taps) {
	for (size_t c = 0; c < channels; c++)
		for (size_t x = 0; x < width; x++) {
			const uint8_t *p = in + (size_t)first[x] * channels + c;
			int32_t sum = HALF;
			for (size_t k = 0; k < taps; k++) sum += weight[x * taps + k] * p[k * channels];
			out[c * plane + x] = clamp(sum);
		}
}

INLINE i32x4 pixel(const uint8_t *p) {
	u8x4 v;
	memcpy(&v, p, sizeof v);
	return __builtin_convertvector(v, i32x4);
}

// colours resizes ABREAST rows of three channels at once: a weight is loaded once for all, and a pixel is a vector whose fourth
// element, the next pixel's first byte, is not stored.
CLONES static void colours(uint8_t *out, size_t plane, size_t width, const uint8_t *in, size_t stride, const int32_t *first,
                           const int32_t *weight, size_t taps) {
	for (size_t x = 0; x < width; x++) {
		const uint8_t *p = in + (size_t)first[x] * 3;
		const int32_t *w = weight + x * taps;
		i32x4 a = {HALF, HALF, HALF, HALF}, b = a, c = a, d = a;
		for (size_t k = 0; k < taps; k++, p += 3) {
			int32_t v = w[k];
			a += v * pixel(p);
			b += v * pixel(p + stride);
			c += v * pixel(p + 2 * stride);
			d += v * pixel(p + 3 * stride);
		}
		for (int i = 0; i < 3; i++) {
			uint8_t *to = out + (size_t)i * plane + x;
			to[0] = clamp(a[i]), to[width] = clamp(b[i]), to[2 * width] = clamp(c[i]), to[3 * width] = clamp(d[i]);
		}
	}
}

CLONES static void one(uint8_t *out, size_t plane, size_t width, const uint8_t *in, size_t channels, const int32_t *first,
                       const int32_t *weight, size_t taps) {
	single(out, plane, width, in, channels, first, weight, taps);
}

void px_columns(uint8_t *out, size_t width, const uint8_t *in, size_t size, size_t stride, size_t channels, size_t rows,
                const int32_t *first, const int32_t *weight, size_t taps) {
	size_t y = 0;
	if (channels == 3) {
		// The last pixel's vector reaches a byte past its row, which must be there.
		size_t reach = 3 * ((size_t)first[width - 1] + taps) + 1;
		for (; y + ABREAST <= rows && (y + ABREAST - 1) * stride + reach <= size; y += ABREAST)
			colours(out + y * width, rows * width, width, in + y * stride, stride, first, weight, taps);
	}
	for (; y < rows; y++) one(out + y * width, rows * width, width, in + y * stride, channels, first, weight, taps);
}

// line resizes to one row: sixteen pixels at once, then those left.
CLONES static void line(uint8_t *out, const uint8_t *in, size_t width, const int32_t *weight, size_t taps) {
	size_t x = 0;
	for (; x + 16 <= width; x += 16) {
		i32x16 sum = {0};
		sum += HALF;
		for (size_t k = 0; k < taps; k++) {
			u8x16 v;
			memcpy(&v, in + k * width + x, sizeof v);
			sum += weight[k] * __builtin_convertvector(v, i32x16);
		}
		sum >>= PRECISION;
		i32x16 over = sum > 255;
		u8x16 v = __builtin_convertvector((sum & ~over) | (over & 255), u8x16);
		memcpy(out + x, &v, sizeof v);
	}
	for (; x < width; x++) {
		int32_t sum = HALF;
		for (size_t k = 0; k < taps; k++) sum += weight[k] * in[k * width + x];
		out[x] = clamp(sum);
	}
}

void px_rows(uint8_t *out, size_t stride, size_t plane, size_t height, const uint8_t *in, size_t channels, size_t width, size_t rows,
             int32_t from, const int32_t *first, const int32_t *weight, size_t taps) {
	for (size_t c = 0; c < channels; c++)
		for (size_t y = 0; y < height; y++)
			line(out + c * plane + y * stride, in + (c * rows + (size_t)(first[y] - from)) * width, width, weight + y * taps, taps);
}
