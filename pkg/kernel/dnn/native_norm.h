//go:build dnnl && cgo && linux

// What batch normalisation does to a plane, 16 channels of an image: for every processor, and with AVX-512.

#ifndef DN_NORM_H
#define DN_NORM_H

#include "native.h"

// Sums are taken in float32 over DN_RUN pixels, and in float64 over those.
enum { DN_RUN = 64 };

// A step's channels, 16 each: scale x + shift is the normalisation.
typedef struct {
	const float *scale, *shift, *mean, *slope, *offset;
} dn_channels;

typedef struct {
	// moments sums x - pivot and its square, (2,16): near the pivot, squares do not swallow the variance.
	void (*moments)(double *sums, const void *x, const float *pivot, size_t pixels, int narrow);
	// transform writes y = scale x + shift + r, rectified where relu is set; r may be 0.
	void (*transform)(void *y, const void *x, const void *r, const dn_channels *c, size_t pixels, int relu, int narrow);
	// gradient_sums sums g and g (x - mean), with g = dy where the activation let it through: where out is positive if there is a
	// dresidual, where scale x + shift is if not (that saves reading out). It writes g where dresidual is not 0.
	void (*gradient_sums)(double *sums, void *dresidual, const void *dy, const void *x, const void *out, const dn_channels *c, size_t pixels,
		int relu, int narrow);
	// gradient writes dx = scale g - slope (x - mean) - offset, where scale x + shift is positive if relu is set.
	void (*gradient)(void *dx, const void *dy, const void *x, const dn_channels *c, size_t pixels, int relu, int narrow);
} dn_planes;

extern const dn_planes dn_planes_wide;
// dn_transform_past is transform past the cache: of a store into it memory would have to read the line first. y is neither x nor r, and
// aligned to 64 bytes. Both are of AVX-512.
void dn_transform_past(void *y, const void *x, const void *r, const dn_channels *c, size_t pixels, int relu, int narrow);

#endif
