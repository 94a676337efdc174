//go:build cgo && linux && (openblas || dnnl)

// The passes in C. Sums are of integers, whose order does not matter: all versions give the same bits.

#include "pass.h"

// row resizes the columns of one row.
static void row(uint8_t *out, size_t plane, size_t width, const uint8_t *in, size_t channels, const px_taps *t) {
	for (size_t c = 0; c < channels; c++)
		for (size_t x = 0; x < width; x++) {
			const uint8_t *p = in + (size_t)t->first[x] * channels + c;
			const int32_t *w = t->weight + x * t->taps;
			int32_t sum = PX_HALF;
			for (size_t k = 0; k < t->taps; k++) sum += w[k] * p[k * channels];
			out[c * plane + x] = px_clamp(sum);
		}
}

void px_columns(uint8_t *out, size_t width, const uint8_t *in, size_t size, size_t stride, size_t channels, size_t rows,
                const int32_t *first, const int32_t *weight, const int16_t *split, size_t taps, size_t groups) {
	px_taps t = {first, weight, split, taps, groups};
	size_t y = 0;
	if (channels == 3 && split && px_wide()) y = px_colours(out, width, in, size, stride, rows, &t);
	for (; y < rows; y++) row(out + y * width, rows * width, width, in + y * stride, channels, &t);
}

enum { RUN = 64 };

// line resizes to the pixels of one row from x on, RUN at a time, which compilers make vectors of.
static void line(uint8_t *out, const uint8_t *in, size_t width, size_t x, const int32_t *weight, size_t taps) {
	while (x < width) {
		size_t n = width - x < RUN ? width - x : RUN;
		int32_t sum[RUN];
		for (size_t i = 0; i < n; i++) sum[i] = PX_HALF;
		for (size_t k = 0; k < taps; k++)
			for (size_t i = 0; i < n; i++) sum[i] += weight[k] * in[k * width + x + i];
		for (size_t i = 0; i < n; i++) out[x + i] = px_clamp(sum[i]);
		x += n;
	}
}

void px_rows(uint8_t *out, size_t stride, size_t plane, size_t height, const uint8_t *in, size_t channels, size_t width, size_t rows,
             int32_t from, const int32_t *first, const int32_t *weight, const int16_t *split, size_t taps, size_t groups) {
	int wide = split && px_wide();
	for (size_t c = 0; c < channels; c++)
		for (size_t y = 0; y < height; y++) {
			uint8_t *to = out + c * plane + y * stride;
			const uint8_t *at = in + (c * rows + (size_t)(first[y] - from)) * width;
			size_t x = wide ? px_line(to, at, width, split + y * groups * 8, taps) : 0;
			line(to, at, width, x, weight + y * taps, taps);
		}
}
