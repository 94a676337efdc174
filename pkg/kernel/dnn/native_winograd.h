//go:build dnnl && cgo && linux

// Winograd's convolution of 3x3 pixels with AVX-512, with stride 1 or 2: what its files share.
//
// A tile of s x s results is computed from its (s+2) x (s+2) pixels d and the kernel g as
//
//	y = A' [ (G g G') * (B' d B) ] A
//
// with s + 2 points a side at which polynomials are evaluated: 0, 3/4, -3/4, 3/2, infinity, -3/2. Of products of channels, the sum
// over channels is a matrix product a frequency, which is point i of the rows and j of the columns. Tiles have 4 results a side,
// and, where the image's sides are no multiples of 4, some have 3: these leave out the last point, and share the transformed weights
// with the others. A side of n results in m tiles multiplies n + 2m points.
//
// The gradient of the input is the same convolution of the turned weights. The gradient of the weights is
//
//	dg = G' [ sum over tiles (A dy A') * (B' d B) ] G
//
// With stride 2, the even pixels see the kernel's middle element alone and are multiplied as they are; the odd ones are a convolution of
// stride 1 by the other two elements. So a side of 4 results is
//
//	y = e g1 + A' [ (G (g0, g2)) * (B' o) ]
//
// with 5 points, 0, 3/4, -3/4, infinity, 3/2, for the odd pixels o, and the 4 even ones e before them: 9 points a side. The weights have 6,
// of which the first is for all even pixels. That of the gradient of the input gives the even and the odd pixels of two sides of results.
//
// Transformed maps lie as (frequency, C/16, tiles, 16), weights as (K/32, frequency, C, 32), both with 16 elements more a frequency:
// distances that are powers of two would share few lines of the cache.

#ifndef DN_WINOGRAD_H
#define DN_WINOGRAD_H

#include "native_library.h"

enum { DN_SIDE = 4, DN_POINTS = DN_SIDE + 2, DN_LAST = DN_POINTS - 1, DN_FREQUENCIES = DN_POINTS * DN_POINTS, DN_WINDOW = 9 };
enum { DN_STRIDED_POINTS = DN_SIDE + DN_SIDE + 1 };
enum { DN_PAIR = 2 * DN_LANE, DN_GROUP = 14 }; // a product of a group of tiles and a pair of registers of channels fills the registers

// A tile's results begin at row h and column w of image n.
typedef struct {
	uint32_t n;
	uint16_t h, w;
} dn_tile;

// Shapes of tiles, rows x columns of results. In this order, those that have a frequency are neighbours, whichever it is.
enum { DN_4X3, DN_4X4, DN_3X4, DN_3X3, DN_SHAPES };
static inline int dn_rows(int shape) { return shape <= DN_4X4 ? 4 : 3; }
static inline int dn_columns(int shape) { return shape == DN_4X4 || shape == DN_3X4 ? 4 : 3; }

// Kinds of convolutions: of stride 1, of stride 2, and what gives the gradient of its input.
enum { DN_PLAIN, DN_STRIDED, DN_STRIDED_BACK };
// dn_long tells of a point of maps that sides of 3 results leave out.
static inline int dn_long(int kind, int point) {
	return kind == DN_PLAIN ? point == DN_LAST : point == DN_SIDE - 1 || point == DN_STRIDED_POINTS - 1;
}

// A view is the pixels of a tile in a map. What lies outside the map is neither read nor written, and counts as 0.
typedef struct {
	void *pixels;           // the first one, which may lie outside
	ptrdiff_t stride;       // pixels between rows
	unsigned rows, columns; // a bit for each that is inside
} dn_view;

// Each transform is of 16 channels. A shape is that of a tile's results; of DN_STRIDED_BACK it is half the sides that are written. step is
// the distance between frequencies; narrow tells that maps are bfloat16.

// dn_tile_input writes B' x B.
void dn_tile_input(int kind, int shape, int narrow, float *v, size_t step, const dn_view *x);
// dn_tile_output writes A' m A + shift + residual, and max(0, y) where relu is set; shift may be 0, as may residual, which lies as y.
typedef struct {
	const float *shift;
	const void *residual;
	int relu;
} dn_finish;
void dn_tile_output(int kind, int shape, int narrow, const dn_view *y, const float *m, size_t step, const dn_finish *f);
// dn_tile_gradient writes A dy A'.
void dn_tile_gradient(int kind, int shape, int narrow, float *m, size_t step, const dn_view *dy);

// dn_kernel_weights writes G g G' of the kernels of 16 output channels, lane elements apart, turned around where turned is set.
typedef struct {
	size_t lane;
	const float *scale; // of the 16, or 0
	int turned, round;
} dn_kernels;
void dn_kernel_weights(int kind, float *u, size_t step, const float *w, const dn_kernels *k);
// dn_kernel_gradient writes dg = G' u G, u being the sum of count, next elements apart.
void dn_kernel_gradient(int kind, float *dw, size_t lane, const float *u, size_t step, size_t count, size_t next);

// dn_product writes m = v u of one frequency for count tiles, at most DN_GROUP: m two registers of channels, m_step apart, v blocks of 16 channels
// v_step apart, u (16 blocks, 32).
void dn_product(int count, float *m, size_t m_step, const float *v, size_t v_step, const float *u, size_t blocks);
// dn_product_gradient adds to u, (16, 32), what count tiles give: m two registers of channels, m_step apart, v 16 channels.
void dn_product_gradient(float *u, const float *m, size_t m_step, const float *v, size_t count);

#endif
