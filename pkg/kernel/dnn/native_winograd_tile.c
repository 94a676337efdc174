//go:build dnnl && cgo && linux

// The transforms of Winograd's convolution. Each is applied to the columns and then to the rows of a tile, whose elements are registers of
// 16 channels.

#include "native_winograd.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)

#include "native_wide.h"

#define EACH(i, n) _Pragma("GCC unroll 9") for (int i = 0; i < (n); i++)

typedef __m512 lane;
INLINE lane spread(float v) { return _mm512_set1_ps(v); }
INLINE lane times(float a, lane b) { return _mm512_mul_ps(spread(a), b); }
INLINE lane plus(lane a, lane b) { return _mm512_add_ps(a, b); }
INLINE lane minus(lane a, lane b) { return _mm512_sub_ps(a, b); }
INLINE lane add(lane c, float a, lane b) { return _mm512_fmadd_ps(spread(a), b, c); } // c + a b

// The points 0, A, -A, B, infinity, -B; of strides 0, A, -A, infinity, B. Chosen for their error, which is a sixth of that of 0, 1, -1, 2,
// -2; all constants but G's are exact.
#define A 0.75f
#define B 1.5f
#define A2 (A * A)
#define B2 (B * B)
#define GA (1 / (2 * A2 * (A2 - B2)))
#define GB (1 / (2 * B2 * (B2 - A2)))

// round_lane rounds to bfloat16.
INLINE lane round_lane(lane v) { return _mm512_castsi512_ps(_mm512_and_epi32(dn_round_lane(v), _mm512_set1_epi32((int)0xffff0000))); }

// input is B' of results places: y has their points.
INLINE void plain_input(lane *y, const lane *d, int results) {
	if (results == 4) {
		lane p = add(d[4], -B2, d[2]), q = add(d[3], -B2, d[1]), r = add(d[4], -A2, d[2]), s = add(d[3], -A2, d[1]);
		y[0] = add(add(d[4], -(A2 + B2), d[2]), A2 * B2, d[0]);
		y[1] = add(p, A, q), y[2] = add(p, -A, q);
		y[3] = add(r, B, s), y[5] = add(r, -B, s);
		y[4] = add(add(d[5], -(A2 + B2), d[3]), A2 * B2, d[1]);
		return;
	}
	lane s = add(d[3], -A2, d[1]), t = add(d[2], -A2, d[0]);
	y[0] = times(B, add(s, -B, t));
	y[1] = times(A + B, add(add(d[3], A - B, d[2]), -A * B, d[1]));
	y[2] = times(B - A, add(add(d[3], -(A + B), d[2]), A * B, d[1]));
	y[3] = times(2 * B, s);
	y[4] = add(add(d[4], -A2, d[2]), -B, s);
}

// output is A' to results.
INLINE void plain_output(lane *y, const lane *m, int results) {
	lane s = plus(m[1], m[2]), d = minus(m[1], m[2]);
	if (results == 4) {
		lane t = plus(m[3], m[5]), e = minus(m[3], m[5]);
		y[0] = plus(m[0], plus(s, t));
		y[1] = add(times(A, d), B, e);
		y[2] = add(times(A2, s), B2, t);
		y[3] = add(add(m[4], A * A2, d), B * B2, e);
		return;
	}
	y[0] = plus(m[0], plus(s, m[3]));
	y[1] = add(times(A, d), B, m[3]);
	y[2] = add(add(m[4], A2, s), B2, m[3]);
}

// gradient is A of results.
INLINE void plain_gradient(lane *m, const lane *y, int results) {
	m[0] = y[0], m[4] = y[results - 1];
	lane p = add(y[0], A2, y[2]), q = times(A, y[1]), r = add(y[0], B2, y[2]), s = times(B, y[1]);
	if (results == 4) q = add(q, A * A2, y[3]), s = add(s, B * B2, y[3]), m[5] = minus(r, s);
	m[1] = plus(p, q), m[2] = minus(p, q), m[3] = plus(r, s);
}

// weights is G.
INLINE void plain_weights(lane *u, const lane *g) {
	lane p = times(GA, add(g[0], A2, g[2])), q = times(GA * A, g[1]), r = times(GB, add(g[0], B2, g[2])), s = times(GB * B, g[1]);
	u[0] = times(1 / (A2 * B2), g[0]), u[4] = g[2];
	u[1] = plus(p, q), u[2] = minus(p, q), u[3] = plus(r, s), u[5] = minus(r, s);
}

// weights_gradient is G'.
INLINE void plain_weights_gradient(lane *g, const lane *u) {
	lane p = plus(u[1], u[2]), q = minus(u[1], u[2]), r = plus(u[3], u[5]), s = minus(u[3], u[5]);
	g[0] = add(add(times(1 / (A2 * B2), u[0]), GA, p), GB, r);
	g[1] = add(times(GA * A, q), GB * B, s);
	g[2] = add(add(u[4], GA * A2, p), GB * B2, r);
}

// Two kernel elements at points 0, A, -A, infinity, B, for the odd pixels of a convolution with strides.
#define G0 (1 / (A2 * B))
#define GP (1 / (2 * A2 * (A - B)))
#define GM (-1 / (2 * A2 * (A + B)))
#define GQ (1 / (B * (B2 - A2)))

// odd_input is B' of results places.
INLINE void odd_input(lane *y, const lane *d, int results) {
	lane e0 = add(d[1], -B, d[0]), e1 = add(d[2], -B, d[1]);
	if (results == 4) {
		lane e2 = add(d[3], -B, d[2]), e3 = add(d[4], -B, d[3]);
		y[0] = add(e2, -A2, e0), y[1] = add(e2, A, e1), y[2] = add(e2, -A, e1), y[3] = add(e3, -A2, e1);
		y[4] = add(d[3], -A2, d[1]);
		return;
	}
	y[0] = times(B, minus(times(A2, d[0]), d[2]));
	y[1] = times(A - B, add(d[2], A, d[1])), y[2] = times(-(A + B), add(d[2], -A, d[1])), y[3] = add(d[3], -A2, d[1]);
}

// odd_output is A' to results.
INLINE void odd_output(lane *y, const lane *m, int results) {
	lane s = plus(m[1], m[2]), d = minus(m[1], m[2]);
	y[0] = plus(m[0], s), y[1] = times(A, d), y[2] = times(A2, s);
	if (results == 4) {
		y[0] = plus(y[0], m[4]), y[1] = add(y[1], B, m[4]), y[2] = add(y[2], B2, m[4]);
		y[3] = add(add(m[3], A * A2, d), B * B2, m[4]);
	} else {
		y[2] = plus(y[2], m[3]);
	}
}

// odd_gradient is A of results.
INLINE void odd_gradient(lane *m, const lane *y, int results) {
	lane p = add(y[0], A2, y[2]), q = times(A, y[1]);
	if (results == 4) q = add(q, A * A2, y[3]), m[4] = add(add(add(y[0], B, y[1]), B2, y[2]), B * B2, y[3]);
	m[0] = y[0], m[1] = plus(p, q), m[2] = minus(p, q), m[3] = y[results - 1];
}

// A kind is how a convolution's sides are transformed; in what is below it is a constant. It has points, of which a side of 3 results leaves
// some out, and takes pixels.
INLINE int points(int kind) { return kind == DN_PLAIN ? DN_POINTS : DN_STRIDED_POINTS; }
INLINE int has(int kind, int results, int point) { return results == 4 || !dn_long(kind, point); }
INLINE int pixels(int kind, int results) { return kind == DN_PLAIN ? results + 2 : kind == DN_STRIDED ? 2 * results + 1 : results + 1; }

INLINE void input(int kind, lane *y, const lane *x, int results) {
	if (kind == DN_PLAIN) {
		plain_input(y, x, results);
		return;
	}
	lane d[DN_SIDE + 1];
	EACH(i, results) y[i] = x[kind == DN_STRIDED ? 2 * i + 1 : i];
	EACH(i, results + 1) d[i] = x[kind == DN_STRIDED ? 2 * i : i];
	odd_input(y + DN_SIDE, d, results);
}

INLINE int outputs(int kind, int results) { return kind == DN_STRIDED_BACK ? 2 * results : results; }
INLINE void output(int kind, lane *y, const lane *m, int results) {
	if (kind == DN_PLAIN) {
		plain_output(y, m, results);
		return;
	}
	lane o[DN_SIDE];
	odd_output(o, m + DN_SIDE, results);
	EACH(i, results) {
		if (kind == DN_STRIDED) {
			y[i] = plus(m[i], o[i]);
		} else {
			y[2 * i] = m[i], y[2 * i + 1] = o[i];
		}
	}
}

INLINE void gradient(int kind, lane *m, const lane *y, int results) {
	if (kind == DN_PLAIN) {
		plain_gradient(m, y, results);
		return;
	}
	EACH(i, results) m[i] = y[i];
	odd_gradient(m + DN_SIDE, y, results);
}

INLINE void weights(int kind, lane *u, const lane *g) {
	if (kind == DN_PLAIN) {
		plain_weights(u, g);
		return;
	}
	lane a = times(A, g[2]);
	u[0] = g[1], u[1] = times(G0, g[0]), u[2] = times(GP, plus(g[0], a)), u[3] = times(GM, minus(g[0], a)), u[4] = g[2];
	u[5] = times(GQ, add(g[0], B, g[2]));
}

INLINE void weights_gradient(int kind, lane *g, const lane *u) {
	if (kind == DN_PLAIN) {
		plain_weights_gradient(g, u);
		return;
	}
	lane p = times(GP, u[2]), m = times(GM, u[3]), q = times(GQ, u[5]);
	g[0] = add(plus(plus(p, m), q), G0, u[1]);
	g[1] = u[0];
	g[2] = add(add(u[4], A, minus(p, m)), B, q);
}

// within is the mask of a pixel of a view: all of its channels where it is inside the map, none where not.
INLINE __mmask16 within(const dn_view *v, int i, int j) { return (__mmask16)-(v->rows >> i & v->columns >> j & 1); }

INLINE void tile_input(int kind, int rows, int columns, int narrow, float *v, size_t step, const dn_view *x) {
	lane t[DN_STRIDED_POINTS][DN_STRIDED_POINTS];
	EACH(j, pixels(kind, columns)) {
		lane d[DN_STRIDED_POINTS], y[DN_STRIDED_POINTS];
		EACH(i, pixels(kind, rows)) d[i] = dn_load_within(x->pixels, i * x->stride + j, within(x, i, j), narrow);
		input(kind, y, d, rows);
		EACH(i, points(kind)) if (has(kind, rows, i)) t[i][j] = y[i];
	}
	EACH(i, points(kind)) {
		if (!has(kind, rows, i)) continue;
		lane y[DN_STRIDED_POINTS];
		input(kind, y, t[i], columns);
		EACH(j, points(kind)) if (has(kind, columns, j)) _mm512_store_ps(v + (i * points(kind) + j) * step, y[j]);
	}
}

INLINE void tile_output(int kind, int rows, int columns, int narrow, const dn_view *y, const float *m, size_t step, const dn_finish *f) {
	lane t[2 * DN_SIDE][DN_STRIDED_POINTS], shift = f->shift ? _mm512_loadu_ps(f->shift) : _mm512_setzero_ps();
	EACH(j, points(kind)) {
		if (!has(kind, columns, j)) continue;
		lane d[DN_STRIDED_POINTS], o[2 * DN_SIDE];
		EACH(i, points(kind)) if (has(kind, rows, i)) d[i] = _mm512_load_ps(m + (i * points(kind) + j) * step);
		output(kind, o, d, rows);
		EACH(i, outputs(kind, rows)) t[i][j] = o[i];
	}
	EACH(i, outputs(kind, rows)) {
		lane o[2 * DN_SIDE];
		output(kind, o, t[i], columns);
		EACH(j, outputs(kind, columns)) {
			lane v = o[j];
			ptrdiff_t at = i * y->stride + j;
			__mmask16 inside = within(y, i, j);
			if (f->shift) v = plus(v, shift);
			if (f->residual) v = plus(v, dn_load_within(f->residual, at, inside, narrow));
			if (f->relu) v = _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(v, _mm512_setzero_ps(), _CMP_NLT_UQ), v);
			dn_store_within(y->pixels, at, v, inside, narrow);
		}
	}
}

INLINE void tile_gradient(int kind, int rows, int columns, int narrow, float *m, size_t step, const dn_view *dy) {
	lane t[DN_STRIDED_POINTS][DN_SIDE];
	EACH(j, columns) {
		lane d[DN_SIDE], o[DN_STRIDED_POINTS];
		EACH(i, rows) d[i] = dn_load_within(dy->pixels, i * dy->stride + j, within(dy, i, j), narrow);
		gradient(kind, o, d, rows);
		EACH(i, points(kind)) if (has(kind, rows, i)) t[i][j] = o[i];
	}
	EACH(i, points(kind)) {
		if (!has(kind, rows, i)) continue;
		lane o[DN_STRIDED_POINTS];
		gradient(kind, o, t[i], columns);
		EACH(j, points(kind)) if (has(kind, columns, j)) _mm512_store_ps(m + (i * points(kind) + j) * step, o[j]);
	}
}

// SWITCH calls f with the kind, the sides of a shape, and whether maps are bfloat16, as constants.
#define SWITCH(kind, shape, narrow, f, ...)                    \
	switch ((shape) + DN_SHAPES * !!(narrow)) {            \
		SHAPES(kind, 0, f, __VA_ARGS__)                \
		SHAPES(kind, 1, f, __VA_ARGS__)                \
	}
#define SHAPES(kind, narrow, f, ...)                           \
	SHAPE(DN_4X3, 4, 3, kind, narrow, f, __VA_ARGS__)      \
	SHAPE(DN_4X4, 4, 4, kind, narrow, f, __VA_ARGS__)      \
	SHAPE(DN_3X4, 3, 4, kind, narrow, f, __VA_ARGS__)      \
	SHAPE(DN_3X3, 3, 3, kind, narrow, f, __VA_ARGS__)
#define SHAPE(shape, rows, columns, kind, narrow, f, ...) \
	case shape + DN_SHAPES * (narrow): f(kind, rows, columns, narrow, __VA_ARGS__); break;

V4 void dn_tile_input(int kind, int shape, int narrow, float *v, size_t step, const dn_view *x) {
	if (kind == DN_PLAIN) {
		SWITCH(DN_PLAIN, shape, narrow, tile_input, v, step, x)
	} else if (kind == DN_STRIDED) {
		SWITCH(DN_STRIDED, shape, narrow, tile_input, v, step, x)
	} else {
		SWITCH(DN_STRIDED_BACK, shape, narrow, tile_input, v, step, x)
	}
}

V4 void dn_tile_output(int kind, int shape, int narrow, const dn_view *y, const float *m, size_t step, const dn_finish *f) {
	static const dn_finish none;
	int finish = f->shift || f->residual || f->relu;
	if (kind == DN_PLAIN && finish) {
		SWITCH(DN_PLAIN, shape, narrow, tile_output, y, m, step, f)
	} else if (kind == DN_PLAIN) {
		SWITCH(DN_PLAIN, shape, narrow, tile_output, y, m, step, &none)
	} else if (kind == DN_STRIDED && finish) {
		SWITCH(DN_STRIDED, shape, narrow, tile_output, y, m, step, f)
	} else if (kind == DN_STRIDED) {
		SWITCH(DN_STRIDED, shape, narrow, tile_output, y, m, step, &none)
	} else { // a gradient, which nothing follows
		SWITCH(DN_STRIDED_BACK, shape, narrow, tile_output, y, m, step, &none)
	}
}

V4 void dn_tile_gradient(int kind, int shape, int narrow, float *m, size_t step, const dn_view *dy) {
	if (kind == DN_PLAIN) {
		SWITCH(DN_PLAIN, shape, narrow, tile_gradient, m, step, dy)
	} else {
		SWITCH(DN_STRIDED, shape, narrow, tile_gradient, m, step, dy)
	}
}

// apart is the places of 16 elements so far apart.
INLINE __m512i apart(size_t distance) {
	__m512i one = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
	return _mm512_mullo_epi32(one, _mm512_set1_epi32((int)distance));
}

INLINE void kernel_weights(int kind, float *u, size_t step, const float *w, const dn_kernels *k) {
	__m512i places = apart(k->lane);
	lane t[DN_POINTS][3], scale = k->scale ? _mm512_loadu_ps(k->scale) : spread(1);
	EACH(j, 3) {
		lane g[3], o[DN_POINTS];
		EACH(i, 3) {
			int at = i * 3 + j;
			g[i] = _mm512_i32gather_ps(places, w + (k->turned ? DN_WINDOW - 1 - at : at), sizeof(float));
			if (k->scale) g[i] = _mm512_mul_ps(g[i], scale);
			if (k->round) g[i] = round_lane(g[i]);
		}
		weights(kind, o, g);
		EACH(i, DN_POINTS) t[i][j] = o[i];
	}
	EACH(i, DN_POINTS) {
		lane o[DN_POINTS];
		weights(kind, o, t[i]);
		EACH(j, DN_POINTS) _mm512_store_ps(u + (i * DN_POINTS + j) * step, o[j]);
	}
}

V4 void dn_kernel_weights(int kind, float *u, size_t step, const float *w, const dn_kernels *k) {
	if (kind == DN_PLAIN) {
		kernel_weights(DN_PLAIN, u, step, w, k);
	} else {
		kernel_weights(DN_STRIDED, u, step, w, k);
	}
}

INLINE void kernel_gradient(int kind, float *dw, size_t distance, const float *u, size_t step, size_t count, size_t next) {
	__m512i places = apart(distance);
	lane t[3][DN_POINTS];
	EACH(j, DN_POINTS) {
		lane d[DN_POINTS], o[3];
		EACH(i, DN_POINTS) d[i] = _mm512_load_ps(u + (i * DN_POINTS + j) * step);
		for (size_t s = 1; s < count; s++)
			EACH(i, DN_POINTS) d[i] = plus(d[i], _mm512_load_ps(u + s * next + (i * DN_POINTS + j) * step));
		weights_gradient(kind, o, d);
		EACH(i, 3) t[i][j] = o[i];
	}
	EACH(i, 3) {
		lane o[3];
		weights_gradient(kind, o, t[i]);
		EACH(j, 3) _mm512_i32scatter_ps(dw + i * 3 + j, places, o[j], sizeof(float));
	}
}

V4 void dn_kernel_gradient(int kind, float *dw, size_t distance, const float *u, size_t step, size_t count, size_t next) {
	if (kind == DN_PLAIN) {
		kernel_gradient(DN_PLAIN, dw, distance, u, step, count, next);
	} else {
		kernel_gradient(DN_STRIDED, dw, distance, u, step, count, next);
	}
}

#endif
