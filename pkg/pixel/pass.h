// The two passes of a resizing, as pass.go has them.
#ifndef PX_PASS_H
#define PX_PASS_H

#include <stddef.h>
#include <stdint.h>

// px_columns resizes the columns of rows of pixels, of size bytes in all, stride apart, to out (C,rows,width).
void px_columns(uint8_t *out, size_t width, const uint8_t *in, size_t size, size_t stride, size_t channels, size_t rows,
                const int32_t *first, const int32_t *weight, size_t taps);

// px_rows resizes the rows of planes, in (C,rows,width), to height rows, stride apart, of planes plane apart. in's row 0 is from.
void px_rows(uint8_t *out, size_t stride, size_t plane, size_t height, const uint8_t *in, size_t channels, size_t width, size_t rows,
             int32_t from, const int32_t *first, const int32_t *weight, size_t taps);

#endif
