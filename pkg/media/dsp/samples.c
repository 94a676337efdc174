//go:build openblas && cgo && linux

// The kernels of samples: mixed to one channel, and resampled. What each does is in samples.go.

#include "kernels.h"

#include <string.h>

#define READ(name, type) \
	static inline type name(const uint8_t *b) \
	{ \
		type v; \
		memcpy(&v, b, sizeof v); \
		return v; \
	}
READ(int16, int16_t)
READ(int32, int32_t)
READ(float32, float)
READ(float64, double)

static inline int32_t int24(const uint8_t *b) { return (int32_t)((uint32_t)b[0] << 8 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 24); }

// MIX is the mean of the channels of an encoding: of one or two in NUMBER, in which the sum of two samples is exact or as good as the
// float32 that comes out, and of more in double.
#define MIX(name, size, NUMBER, sample, scale) \
	CLONES static void name(float *restrict dst, size_t n, const uint8_t *restrict b, size_t channels) \
	{ \
		if (channels == 1) { \
			for (size_t i = 0; i < n; i++) \
				dst[i] = (float)((NUMBER)(sample(b + size * i)) * (NUMBER)(scale)); \
			return; \
		} \
		if (channels == 2) { \
			for (size_t i = 0; i < n; i++) \
				dst[i] = (float)(((NUMBER)(sample(b + 2 * size * i)) + (NUMBER)(sample(b + 2 * size * i + size))) * (NUMBER)(0.5 * scale)); \
			return; \
		} \
		double mean = 1 / (double)channels; \
		for (size_t i = 0; i < n; i++) { \
			double sum = 0; \
			for (size_t c = 0; c < channels; c++, b += size) \
				sum += (double)(sample(b)) * scale; \
			dst[i] = (float)(sum * mean); \
		} \
	}
#define UNSIGNED(b) (*(b) - 128)
MIX(mix_uint8, 1, float, UNSIGNED, 0x1p-7)
MIX(mix_int16, 2, float, int16, 0x1p-15)
MIX(mix_int24, 3, double, int24, 0x1p-31)
MIX(mix_int32, 4, double, int32, 0x1p-31)
MIX(mix_float32, 4, double, float32, 1.0)
MIX(mix_float64, 8, double, float64, 1.0)

void mm_dsp_mix(float *dst, size_t n, const uint8_t *b, int encoding, size_t channels)
{
	void (*const mixes[])(float *, size_t, const uint8_t *, size_t) = {mix_uint8, mix_int16, mix_int24, mix_int32, mix_float32, mix_float64};
	mixes[encoding](dst, n, b, channels);
}

CLONES void mm_dsp_phases(double *out, size_t n, const double *rows, const float *taps, const int64_t *places, size_t width)
{
	for (size_t i = 0; i < n; i++) {
		const row *x = (const row *)rows + places[2 * i];
		const float *w = taps + places[2 * i + 1];
		row a = {0}, b = {0}, c = {0}, d = {0}; // four sums, each of every fourth tap: one would wait for itself
		size_t k = 0;
		for (; k + 4 <= width; k += 4) {
			a += (double)w[k] * x[k];
			b += (double)w[k + 1] * x[k + 1];
			c += (double)w[k + 2] * x[k + 2];
			d += (double)w[k + 3] * x[k + 3];
		}
		for (; k < width; k++)
			a += (double)w[k] * x[k];
		((row *)out)[i] = (a + b) + (c + d);
	}
}
