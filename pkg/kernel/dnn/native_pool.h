//go:build dnnl && cgo && linux

// What both ways of max pooling share.

#ifndef DN_POOL_H
#define DN_POOL_H

#include "native.h"

// dn_bounds gives the part of a window of size k at place out that lies inside [0, n).
static inline void dn_bounds(size_t out, int k, int stride, int pad, size_t n, int *from, int *to) {
	long begin = (long)out * stride - pad;
	*from = begin < 0 ? (int)-begin : 0;
	*to = begin + k > (long)n ? (int)((long)n - begin) : k;
}

// dn_reach gives the windows, of n places, that see pixel in: those from (inclusive) to to (exclusive).
static inline void dn_reach(size_t in, int k, int stride, int pad, size_t n, size_t *from, size_t *to) {
	long last = ((long)in + pad) / stride, first = (long)in + pad - k + 1;
	*from = first <= 0 ? 0 : (size_t)((first + stride - 1) / stride);
	*to = last + 1 < (long)n ? (size_t)(last + 1) : n;
}

// The planes of a pooling with AVX-512, for where dn_pool_wide says that all that they use of it is there.
int dn_pool_wide(void);
void dn_max_plane_wide(float *y, uint8_t *index, const float *x, const dn_window *s);
void dn_max_plane_grad_wide(float *dx, const float *dy, const uint8_t *index, const dn_window *s);

#endif
