//go:build openblas && cgo && linux

// The kernels of spectra. What each does is in kernels.go.

#include "kernels.h"

typedef int64_t bits __attribute__((vector_size(64), aligned(8), may_alias));
typedef float eight __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t order __attribute__((vector_size(32)));

// interleave takes eight samples of each of eight frames to eight rows: a transposition.
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (order){__VA_ARGS__})
#define INTERLEAVE(a) \
	do { \
		eight p[8], q[8]; \
		for (int i = 0; i < 8; i += 2) { \
			p[i] = SHUFFLE(a[i], a[i + 1], 0, 8, 1, 9, 4, 12, 5, 13); \
			p[i + 1] = SHUFFLE(a[i], a[i + 1], 2, 10, 3, 11, 6, 14, 7, 15); \
		} \
		for (int i = 0; i < 8; i += 4) { \
			q[i] = SHUFFLE(p[i], p[i + 2], 0, 1, 8, 9, 4, 5, 12, 13); \
			q[i + 1] = SHUFFLE(p[i], p[i + 2], 2, 3, 10, 11, 6, 7, 14, 15); \
			q[i + 2] = SHUFFLE(p[i + 1], p[i + 3], 0, 1, 8, 9, 4, 5, 12, 13); \
			q[i + 3] = SHUFFLE(p[i + 1], p[i + 3], 2, 3, 10, 11, 6, 7, 14, 15); \
		} \
		for (int i = 0; i < 4; i++) { \
			a[i] = SHUFFLE(q[i], q[i + 4], 0, 1, 2, 3, 8, 9, 10, 11); \
			a[i + 4] = SHUFFLE(q[i], q[i + 4], 4, 5, 6, 7, 12, 13, 14, 15); \
		} \
	} while (0)

CLONES void mm_dsp_gather(double *frames, const float *wave, const ptrdiff_t *from, const double *window, size_t n)
{
	row *out = (row *)frames;
	size_t i = 0;
	for (; i + 8 <= n; i += 8) {
		eight a[8];
		for (int lane = 0; lane < LANES; lane++)
			a[lane] = *(const eight *)(wave + from[lane] + i);
		INTERLEAVE(a);
		for (int k = 0; k < 8; k++) {
			row v = __builtin_convertvector(a[k], row);
			if (window)
				v *= window[i + k];
			out[i + k] = v;
		}
	}
	for (; i < n; i++)
		for (int lane = 0; lane < LANES; lane++)
			frames[i * LANES + lane] = (double)wave[from[lane] + i] * (window ? window[i] : 1);
}

CLONES void mm_dsp_filter(double *frames, const double *window, size_t n, int centre, double emphasis)
{
	row *x = (row *)frames, mean = {0};
	if (centre) {
		for (size_t i = 0; i < n; i++)
			mean += x[i];
		mean /= (double)n;
	}
	for (size_t i = n; i-- > 0;) {
		row before = x[i > 0 ? i - 1 : 0];
		x[i] = window[i] * (x[i] - mean - emphasis * (before - mean));
	}
}

#define TURN(re, im, xr, xi, cos, sin) (re) = (xr) * (cos) - (xi) * (sin), (im) = (xr) * (sin) + (xi) * (cos)

CLONES static void pass2(row *x, const double *w, size_t part)
{
	for (size_t j = 0; j < part; j++, w += 2) {
		row *a = x + 2 * j, *b = a + 2 * part;
		row ar = a[0], ai = a[1], br = b[0], bi = b[1], dr = ar - br, di = ai - bi;
		a[0] = ar + br, a[1] = ai + bi;
		TURN(b[0], b[1], dr, di, w[0], w[1]);
	}
}

CLONES static void pass4(row *x, const double *w, size_t part)
{
	for (size_t j = 0; j < part; j++, w += 6) {
		row *a = x + 2 * j, *b = a + 2 * part, *c = b + 2 * part, *d = c + 2 * part;
		row sr = a[0] + c[0], si = a[1] + c[1], tr = a[0] - c[0], ti = a[1] - c[1];
		row ur = b[0] + d[0], ui = b[1] + d[1], vr = b[1] - d[1], vi = d[0] - b[0];
		a[0] = sr + ur, a[1] = si + ui;
		row pr = tr + vr, pi = ti + vi, qr = sr - ur, qi = si - ui, zr = tr - vr, zi = ti - vi;
		TURN(b[0], b[1], pr, pi, w[0], w[1]);
		TURN(c[0], c[1], qr, qi, w[2], w[3]);
		TURN(d[0], d[1], zr, zi, w[4], w[5]);
	}
}

// Radix 3: with s = b + c and d = b - c, the parts are a + s, and a - s/2 -+ i sin(60 degrees) d.
CLONES static void pass3(row *x, const double *w, size_t part)
{
	const double h = 0.86602540378443864676;
	for (size_t j = 0; j < part; j++, w += 4) {
		row *a = x + 2 * j, *b = a + 2 * part, *c = b + 2 * part;
		row sr = b[0] + c[0], si = b[1] + c[1], dr = h * (b[0] - c[0]), di = h * (b[1] - c[1]);
		row tr = a[0] - 0.5 * sr, ti = a[1] - 0.5 * si;
		a[0] += sr, a[1] += si;
		row pr = tr + di, pi = ti - dr, qr = tr - di, qi = ti + dr;
		TURN(b[0], b[1], pr, pi, w[0], w[1]);
		TURN(c[0], c[1], qr, qi, w[2], w[3]);
	}
}

// Radix 5: the same with two pairs, at 72 and 144 degrees.
CLONES static void pass5(row *x, const double *w, size_t part)
{
	const double c1 = 0.30901699437494742410, s1 = 0.95105651629515357212, c2 = -0.80901699437494742410, s2 = 0.58778525229247312917;
	for (size_t j = 0; j < part; j++, w += 8) {
		row *a = x + 2 * j, *b = a + 2 * part, *c = b + 2 * part, *d = c + 2 * part, *e = d + 2 * part;
		row ar = a[0], ai = a[1];
		row pr = b[0] + e[0], pi = b[1] + e[1], mr = b[0] - e[0], mi = b[1] - e[1];
		row qr = c[0] + d[0], qi = c[1] + d[1], nr = c[0] - d[0], ni = c[1] - d[1];
		a[0] = ar + pr + qr, a[1] = ai + pi + qi;
		row tr = ar + c1 * pr + c2 * qr, ti = ai + c1 * pi + c2 * qi, ur = s1 * mr + s2 * nr, ui = s1 * mi + s2 * ni;
		row vr = ar + c2 * pr + c1 * qr, vi = ai + c2 * pi + c1 * qi, yr = s2 * mr - s1 * nr, yi = s2 * mi - s1 * ni;
		row br = tr + ui, bi = ti - ur, er = tr - ui, ei = ti + ur, cr = vr + yi, ci = vi - yr, dr = vr - yi, di = vi + yr;
		TURN(b[0], b[1], br, bi, w[0], w[1]);
		TURN(c[0], c[1], cr, ci, w[2], w[3]);
		TURN(d[0], d[1], dr, di, w[4], w[5]);
		TURN(e[0], e[1], er, ei, w[6], w[7]);
	}
}

static void pass(row *x, const double *twiddles, size_t blocks, size_t size, int radix)
{
	for (size_t b = 0; b < blocks; b++) {
		row *from = x + 2 * b * size;
		switch (radix) {
		case 2:
			pass2(from, twiddles, size / 2);
			break;
		case 3:
			pass3(from, twiddles, size / 3);
			break;
		case 4:
			pass4(from, twiddles, size / 4);
			break;
		default:
			pass5(from, twiddles, size / 5);
		}
	}
}

void mm_dsp_passes(double *x, const int32_t *radices, size_t stages, const double *twiddles, size_t half)
{
	size_t size = half;
	for (size_t s = 0; s < stages; s++) {
		size_t part = size / radices[s];
		pass((row *)x, twiddles, half / size, size, radices[s]);
		twiddles += 2 * part * (radices[s] - 1);
		size = part;
	}
}

CLONES void mm_dsp_split(double *power, const double *z, const int32_t *position, const double *turns, size_t half)
{
	row *out = (row *)power;
	const row *in = (const row *)z;
	row sum = in[2 * position[0]] + in[2 * position[0] + 1], difference = in[2 * position[0]] - in[2 * position[0] + 1];
	out[0] = sum * sum, out[half] = difference * difference;
	for (size_t k = 1; 2 * k <= half; k++) {
		const row *a = in + 2 * position[k], *b = in + 2 * position[half - k];
		row er = 0.5 * (a[0] + b[0]), ei = 0.5 * (a[1] - b[1]), or = 0.5 * (a[1] + b[1]), oi = 0.5 * (b[0] - a[0]), tr, ti;
		TURN(tr, ti, or, oi, turns[2 * k], turns[2 * k + 1]);
		row pr = er + tr, pi = ei + ti, mr = er - tr, mi = ei - ti;
		out[k] = pr * pr + pi * pi, out[half - k] = mr * mr + mi * mi;
	}
}

CLONES void mm_dsp_bands(double *out, const double *rows, const int32_t *first, const int32_t *count, const double *weights, size_t bands)
{
	for (size_t m = 0; m < bands; m++) {
		const row *in = (const row *)rows + first[m];
		row sum = {0};
		for (int32_t k = 0; k < count[m]; k++)
			sum += *weights++ * in[k];
		((row *)out)[m] = sum;
	}
}

// log x = e log 2 + log m, sqrt(1/2) < m <= sqrt(2), and log m = 2 (s + s^3/3 + s^5/5 + ...) with s = (m-1)/(m+1): |s| < 0.172, and what comes
// after s^19 is below the last bit. x is a normal number.
CLONES void mm_dsp_log(double *values, size_t rows, double floor, double add)
{
	row *x = (row *)values;
	const bits one = (bits){0} + 0x3ff0000000000000, magic = (bits){0} + 0x4338000000000000;
	for (size_t i = 0; i < rows; i++) {
		row v = x[i], low = (row){0} + floor;
		bits above = (bits)(v > low);
		v = (row)(((bits)v & above) | ((bits)low & ~above)) + add;
		bits e = ((bits)v >> 52) - 1023, m = ((bits)v & 0x000fffffffffffff) | one;
		bits large = (bits)((row)m > 1.4142135623730951);
		m -= large & 0x0010000000000000;
		e -= large;
		row s = ((row)m - 1) / ((row)m + 1), z = s * s, p = (row){0} + 1.0 / 19;
		p = p * z + 1.0 / 17, p = p * z + 1.0 / 15, p = p * z + 1.0 / 13, p = p * z + 1.0 / 11, p = p * z + 1.0 / 9;
		p = p * z + 1.0 / 7, p = p * z + 1.0 / 5, p = p * z + 1.0 / 3;
		row exponent = (row)(e + magic) - 6755399441055744.0; // a small integer, placed in the last bits of 1.5 * 2^52
		x[i] = exponent * 0.69314718055994530942 + (2 * s + 2 * s * z * p);
	}
}

// The square root x y, with y near 1/sqrt(x): half the exponent off a constant is right to 4 %, and each step of Newton's squares that. gcc
// makes no vectors of sqrt itself, which may set errno.
CLONES void mm_dsp_root(double *values, size_t rows)
{
	row *x = (row *)values;
	for (size_t i = 0; i < rows; i++) {
		row v = x[i], y = (row)(0x5fe6eb50c7b537a9 - ((bits)v >> 1)), half = 0.5 * v;
		for (int step = 0; step < 4; step++)
			y *= 1.5 - half * y * y;
		row r = v * y;
		x[i] = r + 0.5 * y * (v - r * r);
	}
}

CLONES void mm_dsp_spread(float *dst, size_t stride, const double *rows, size_t n, size_t count)
{
	for (size_t i = 0; i < n; i++, dst += stride) {
		eight v = __builtin_convertvector(((const row *)rows)[i], eight);
		if (count == LANES)
			*(eight *)dst = v;
		else
			for (size_t lane = 0; lane < count; lane++)
				dst[lane] = v[lane];
	}
}

CLONES void mm_dsp_store(float *dst, const double *rows, size_t n, size_t count)
{
	size_t i = 0;
	if (count == LANES) {
		for (; i + 8 <= n; i += 8) {
			eight a[8];
			for (int k = 0; k < 8; k++)
				a[k] = __builtin_convertvector(((const row *)rows)[i + k], eight);
			INTERLEAVE(a);
			for (int lane = 0; lane < LANES; lane++)
				*(eight *)(dst + lane * n + i) = a[lane];
		}
	}
	for (; i < n; i++)
		for (size_t lane = 0; lane < count; lane++)
			dst[lane * n + i] = (float)rows[i * LANES + lane];
}
