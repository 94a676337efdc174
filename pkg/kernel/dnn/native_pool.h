//go:build dnnl && cgo && linux

// What both ways of pooling share, and of what else has one with AVX-512.

#ifndef DN_POOL_H
#define DN_POOL_H

#include "native.h"

// dn_bounds gives the part of a window of size k at place out that lies inside [0, n).
static inline void dn_bounds(size_t out, int k, int stride, int pad, size_t n, int *from, int *to) {
	long begin = (long)out * stride - pad;
	*from = begin < 0 ? (int)-begin : 0;
	*to = begin + k > (long)n ? (int)((long)n - begin) : k;
}

// dn_reach moves from (inclusive) and to (exclusive), 0 at first, to the windows, of n places, that see pixel in, given those that see
// the pixel before it: a division for each pixel would take longer than its memory.
static inline void dn_reach(size_t in, int k, int stride, int pad, size_t n, size_t *from, size_t *to) {
	while (*to < n && *to * stride <= in + pad) ++*to;
	while (*from < *to && *from * stride + k <= in + pad) ++*from;
}

// The planes of a pooling with AVX-512, for where dn_pool_wide says that all that they use of it is there.
int dn_pool_wide(void);
void dn_max_plane_wide(void *y, uint8_t *index, const void *x, const dn_window *s, int narrow);
void dn_max_plane_grad_wide(void *dx, const void *dy, const uint8_t *index, const dn_window *s, int narrow);

#endif
