// The two passes of a resizing, as pass.go has them.
#ifndef PX_PASS_H
#define PX_PASS_H

#include <stddef.h>
#include <stdint.h>

enum { PX_PRECISION = 22, PX_HALF = 1 << (PX_PRECISION - 1) };

// px_taps are one side's weights. split has them again in two halves that 16 bits hold, high << 11 | low: for each output groups of
// four high and four low ones, filled up with zeros; 0 where there are too many taps for sums of the low halves.
typedef struct {
	const int32_t *first, *weight;
	const int16_t *split;
	size_t taps, groups;
} px_taps;

// px_columns resizes the columns of rows of pixels, of size bytes in all, stride apart, to out (C,rows,width).
void px_columns(uint8_t *out, size_t width, const uint8_t *in, size_t size, size_t stride, size_t channels, size_t rows,
                const int32_t *first, const int32_t *weight, const int16_t *split, size_t taps, size_t groups);

// px_rows resizes the rows of planes, in (C,rows,width), to height rows, stride apart, of planes plane apart. in's row 0 is from.
void px_rows(uint8_t *out, size_t stride, size_t plane, size_t height, const uint8_t *in, size_t channels, size_t width, size_t rows,
             int32_t from, const int32_t *first, const int32_t *weight, const int16_t *split, size_t taps, size_t groups);

// px_wide tells whether the processor has AVX2, which the functions below need.
int px_wide(void);

// px_colours resizes the columns of as many rows of three channels as can be read 16 bytes at a time, and returns how many.
size_t px_colours(uint8_t *out, size_t width, const uint8_t *in, size_t size, size_t stride, size_t rows, const px_taps *t);

// px_line resizes to one row, the first columns of it, and returns how many.
size_t px_line(uint8_t *out, const uint8_t *in, size_t width, const int16_t *split, size_t taps);

static inline uint8_t px_clamp(int32_t sum) {
	sum >>= PX_PRECISION;
	return sum > 255 ? 255 : (uint8_t)sum;
}

#endif
