// How the tiles of a convolution read feature maps (N,C,H,W) as the matrix of a product, which is never written (Chetlur et al.,
// cuDNN, 2014).
#ifndef MM_CONV_H
#define MM_CONV_H

#include "tensor.h"

// Shape is kernel.Conv, with the size of its result.
struct Shape {
	int c, h, w, k, kh, kw, stride_h, stride_w, pad_h, pad_w, oh, ow;

	__device__ __forceinline__ Shape(long long c, long long h, long long w, long long k, long long kh, long long kw, long long stride_h,
		long long stride_w, long long pad_h, long long pad_w)
		: c((int)c), h((int)h), w((int)w), k((int)k), kh((int)kh), kw((int)kw), stride_h((int)stride_h), stride_w((int)stride_w),
		  pad_h((int)pad_h), pad_w((int)pad_w) {
		oh = ((int)h + 2 * (int)pad_h - (int)kh) / (int)stride_h + 1;
		ow = ((int)w + 2 * (int)pad_w - (int)kw) / (int)stride_w + 1;
	}
	__device__ __forceinline__ int taps() const { return kh * kw; }
	__device__ __forceinline__ long long depth() const { return (long long)c * kh * kw; }
	__device__ __forceinline__ long long places() const { return (long long)oh * ow; }
	__device__ __forceinline__ long long pixels() const { return (long long)h * w; }
};

// Digits counts (channel, row, column) of a number whose last digits are below rows and columns, and moves on by a fixed step
// without dividing.
struct Digits {
	int channel, row, column, rows, columns;
	int step_channel, step_row, step_column;

	__device__ __forceinline__ void start(int at, int step, int rows_, int columns_) {
		rows = rows_ > 0 ? rows_ : 1; // a phase that nothing sees has none
		columns = columns_ > 0 ? columns_ : 1;
		channel = at / (rows * columns);
		row = at / columns % rows;
		column = at % columns;
		step_channel = step / (rows * columns);
		step_row = step / columns % rows;
		step_column = step % columns;
	}
	__device__ __forceinline__ void next() {
		channel += step_channel;
		row += step_row;
		column += step_column;
		if (column >= columns) {
			column -= columns;
			row++;
		}
		if (row >= rows) {
			row -= rows;
			channel++;
		}
	}
};

// far is a row that no image has.
constexpr int far = -(1 << 30);

// Places reads the columns of im2col, (C*KH*KW, N*OH*OW): four places of the window of a thread, for one of its pixels a strip.
struct Places {
	static constexpr bool along = false;
	Shape s;
	const float *x, *image[4];
	int top[4], left[4];
	long long first, count;
	int step;
	Digits d;

	__device__ __forceinline__ Places(const Shape &s, const float *x, long long first, long long count, int step)
		: s(s), x(x), first(first), count(count), step(step) {}

	__device__ __forceinline__ void start(int row, int k) {
#pragma unroll
		for (int e = 0; e < 4; e++) {
			long long q = first + row + e, place, column;
			long long n = divide(q, s.places(), place), line = divide(place, s.ow, column);
			image[e] = x + n * s.c * s.pixels();
			top[e] = q < count ? (int)line * s.stride_h - s.pad_h : far;
			left[e] = (int)column * s.stride_w - s.pad_w;
		}
		d.start(k, step, s.kh, s.kw);
	}

	__device__ __forceinline__ float one(int e) const {
		int line = top[e] + d.row, column = left[e] + d.column;
		if ((unsigned)line >= (unsigned)s.h || (unsigned)column >= (unsigned)s.w || d.channel >= s.c) return 0;
		return image[e][((long long)d.channel * s.h + line) * s.w + column];
	}

	__device__ __forceinline__ Quad next() {
		Quad v = {one(0), one(1), one(2), one(3)};
		d.next();
		return v;
	}
};

// Phase is the pixels of an image whose rows and columns leave the same rests when divided by the strides: the same pixels of the
// window see them all. For a stride of 1 there is one, of all pixels.
struct Phase {
	int row, column;          // of its first pixel
	int rows, columns;        // of its pixels
	int tap_row, tap_column;  // first pixel of the window that sees them; the next ones are a stride on
	int taps_row, taps_column; // how many do
	int line, place;          // where the window is when that pixel sees the first

	__device__ __forceinline__ Phase(const Shape &s, int index) {
		row = index / s.stride_w;
		column = index % s.stride_w;
		rows = row < s.h ? (s.h - row - 1) / s.stride_h + 1 : 0;
		columns = column < s.w ? (s.w - column - 1) / s.stride_w + 1 : 0;
		tap_row = (row + s.pad_h) % s.stride_h;
		tap_column = (column + s.pad_w) % s.stride_w;
		taps_row = tap_row < s.kh ? (s.kh - tap_row - 1) / s.stride_h + 1 : 0;
		taps_column = tap_column < s.kw ? (s.kw - tap_column - 1) / s.stride_w + 1 : 0;
		line = (row + s.pad_h - tap_row) / s.stride_h;
		place = (column + s.pad_w - tap_column) / s.stride_w;
	}
	__device__ __forceinline__ long long pixels() const { return (long long)rows * columns; }
	__device__ __forceinline__ int taps() const { return taps_row * taps_column; }
};

// Seen reads dy where the window saw four pixels of a phase: (K*taps, N*pixels).
struct Seen {
	static constexpr bool along = false;
	Shape s;
	Phase p;
	const float *dy, *image[4];
	int line[4], place[4];
	long long first, count;
	int step;
	Digits d;

	__device__ __forceinline__ Seen(const Shape &s, const Phase &p, const float *dy, long long first, long long count, int step)
		: s(s), p(p), dy(dy), first(first), count(count), step(step) {}

	__device__ __forceinline__ void start(int row, int k) {
#pragma unroll
		for (int e = 0; e < 4; e++) {
			long long q = first + row + e, pixel, column;
			long long n = divide(q, p.pixels(), pixel), line_ = divide(pixel, p.columns, column);
			image[e] = dy + n * s.k * s.places();
			line[e] = q < count ? (int)line_ + p.line : far;
			place[e] = (int)column + p.place;
		}
		d.start(k, step, p.taps_row, p.taps_column);
	}

	__device__ __forceinline__ float one(int e) const {
		int l = line[e] - d.row, q = place[e] - d.column;
		if ((unsigned)l >= (unsigned)s.oh || (unsigned)q >= (unsigned)s.ow || d.channel >= s.k) return 0;
		return image[e][((long long)d.channel * s.oh + l) * s.ow + q];
	}

	__device__ __forceinline__ Quad next() {
		Quad v = {one(0), one(1), one(2), one(3)};
		d.next();
		return v;
	}
};

// Taps reads the weights of four input channels by which a phase's pixels were seen: (C, K*taps).
struct Taps {
	static constexpr bool along = false;
	Shape s;
	Phase p;
	const float *w;
	long long first;
	int step;
	Digits d;

	__device__ __forceinline__ Taps(const Shape &s, const Phase &p, const float *w, long long first, int step) : s(s), p(p), w(w), first(first), step(step) {}

	__device__ __forceinline__ void start(int row, int k) {
		first += row;
		d.start(k, step, p.taps_row, p.taps_column);
	}

	__device__ __forceinline__ float one(int e) const {
		if (first + e >= s.c || d.channel >= s.k) return 0;
		int tap = (p.tap_row + d.row * s.stride_h) * s.kw + p.tap_column + d.column * s.stride_w;
		return w[((long long)d.channel * s.c + first + e) * s.taps() + tap];
	}

	__device__ __forceinline__ Quad next() {
		Quad v = {one(0), one(1), one(2), one(3)};
		d.next();
		return v;
	}
};

// Results reads four places of an output channel of dy, (K, N*OH*OW), from place from to place to.
struct Results {
	static constexpr bool along = true;
	Shape s;
	const float *dy;
	long long first, at, to;
	int step;
	long long n, place; // of at
	bool ok;

	__device__ __forceinline__ Results(const Shape &s, const float *dy, long long first, long long from, long long to, int step)
		: s(s), dy(dy), first(first), at(from), to(to), step(step) {}

	__device__ __forceinline__ void start(int row, int k) {
		ok = first + row < s.k;
		dy += (first + row) * s.places();
		at += k;
		n = divide(at, s.places(), place);
	}

	__device__ __forceinline__ float one(int e) const {
		if (!ok || at + e >= to) return 0;
		long long q = place + e, image = n;
		while (q >= s.places()) {
			q -= s.places();
			image++;
		}
		return dy[image * s.k * s.places() + q];
	}

	__device__ __forceinline__ Quad next() {
		Quad v = {one(0), one(1), one(2), one(3)};
		at += step;
		place += step;
		while (place >= s.places()) {
			place -= s.places();
			n++;
		}
		return v;
	}
};

// Sights reads what one pixel of the window sees at four places: im2col, (C*KH*KW, N*OH*OW), from place from to place to.
struct Sights {
	static constexpr bool along = true;
	Shape s;
	const float *x;
	long long first, at, to;
	int step;
	int channel, row, column; // of the window
	Digits d;                 // image and place

	__device__ __forceinline__ Sights(const Shape &s, const float *x, long long first, long long from, long long to, int step)
		: s(s), x(x), first(first), at(from), to(to), step(step) {}

	__device__ __forceinline__ void start(int r, int k) {
		long long tap = first + r;
		channel = (int)(tap / s.taps());
		row = (int)(tap / s.kw % s.kh) - s.pad_h;
		column = (int)(tap % s.kw) - s.pad_w;
		at += k;
		long long place, n = divide(at, s.places(), place);
		d.start((int)place, step, s.oh, s.ow);
		d.channel = (int)n;
	}

	__device__ __forceinline__ Quad next() {
		float v[4];
		int n = d.channel, line = d.row, place = d.column;
#pragma unroll
		for (int e = 0; e < 4; e++) {
			int h = line * s.stride_h + row, w = place * s.stride_w + column;
			bool sees = channel < s.c && at + e < to && (unsigned)h < (unsigned)s.h && (unsigned)w < (unsigned)s.w;
			v[e] = sees ? x[(((long long)n * s.c + channel) * s.h + h) * s.w + w] : 0;
			if (++place == s.ow) {
				place = 0;
				if (++line == s.oh) {
					line = 0;
					n++;
				}
			}
		}
		at += step;
		d.next();
		return Quad{v[0], v[1], v[2], v[3]};
	}
};

#endif
