//go:build openblas && cgo && linux

// Matrix products with AVX-512, for the shapes of a minibatch.
//
// OpenBLAS packs both operands and is made for large matrices; with a minibatch of 64 rows the packing is a third of the
// time. Here only the narrow operand b is packed, into panels of 32 columns, and a is broadcast from where it lies, one
// float for 32 columns: the form of Goto and van de Geijn (ACM TOMS 34(3), 2008) less half of its copies.

#include "gemm.h"

#if MM_AVX512

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma")))
#define INLINE static inline __attribute__((always_inline)) TARGET
#define EACH(i, n) _Pragma("GCC unroll 16") for (int i = 0; i < (n); i++)

enum { ROWS = MM_TILE_ROWS, COLUMNS = MM_TILE_COLUMNS };

// tile is what is common to the tiles of one block.
typedef struct {
	size_t depth;     // terms of the sum
	size_t a_stride;  // between rows of a, where it is not packed
	size_t c_stride;
	int first, last;  // the first block starts from zero, the last adds the bias
	int relu;
} tile;

INLINE __mmask16 mask(int n) { return n >= 16 ? 0xffff : n <= 0 ? 0 : (__mmask16)((1u << n) - 1); }

// multiply adds the products of a, rows by depth, and the panel b, depth by 32, to acc.
INLINE void multiply(const int rows, const int packed, const tile *t, const float *a, const float *b, __m512 acc[16][2]) {
	// Four base pointers and offsets of 1, 2 and 3 strides reach 14 rows without a pointer a row.
	size_t stride = packed ? 1 : t->a_stride, stride3 = 3 * stride;
	const float *a0 = a, *a4 = a + 4 * stride, *a8 = a + 8 * stride, *a12 = a + 12 * stride;
	const size_t step = packed ? rows : 1;
#pragma GCC unroll 4
	for (size_t l = t->depth; l; l--) {
		__m512 b0 = _mm512_load_ps(b), b1 = _mm512_load_ps(b + 16);
		EACH(r, rows) {
			const float *base = r < 4 ? a0 : r < 8 ? a4 : r < 12 ? a8 : a12;
			__m512 x = _mm512_set1_ps(base[(r & 3) == 3 ? stride3 : (r & 3) * stride]);
			acc[r][0] = _mm512_fmadd_ps(x, b0, acc[r][0]);
			acc[r][1] = _mm512_fmadd_ps(x, b1, acc[r][1]);
		}
		a0 += step, a4 += step, a8 += step, a12 += step, b += COLUMNS;
	}
}

// transpose turns 16 rows of 16.
INLINE void transpose(__m512 r[16]) {
	__m512 t[16];
#pragma GCC unroll 8
	for (int i = 0; i < 16; i += 2) {
		t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
		t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
	}
#define PAIR(half, x, y) _mm512_castpd_ps(_mm512_unpack##half##_pd(_mm512_castps_pd(x), _mm512_castps_pd(y)))
#pragma GCC unroll 4
	for (int i = 0; i < 16; i += 4) {
		r[i] = PAIR(lo, t[i], t[i + 2]);
		r[i + 1] = PAIR(hi, t[i], t[i + 2]);
		r[i + 2] = PAIR(lo, t[i + 1], t[i + 3]);
		r[i + 3] = PAIR(hi, t[i + 1], t[i + 3]);
	}
#undef PAIR
	EACH(i, 4) {
		t[i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0x88);
		t[4 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0x88);
		t[8 + i] = _mm512_shuffle_f32x4(r[i], r[4 + i], 0xdd);
		t[12 + i] = _mm512_shuffle_f32x4(r[8 + i], r[12 + i], 0xdd);
	}
	EACH(i, 4) {
		r[i] = _mm512_shuffle_f32x4(t[i], t[4 + i], 0x88);
		r[4 + i] = _mm512_shuffle_f32x4(t[8 + i], t[12 + i], 0x88);
		r[8 + i] = _mm512_shuffle_f32x4(t[i], t[4 + i], 0xdd);
		r[12 + i] = _mm512_shuffle_f32x4(t[8 + i], t[12 + i], 0xdd);
	}
}

// finish adds the bias and applies max(0, y), which keeps a NaN: the second operand of max wins.
INLINE __m512 finish(const tile *t, __m512 y, __m512 bias) {
	if (!t->last) return y;
	y = _mm512_add_ps(y, bias);
	return t->relu ? _mm512_max_ps(_mm512_setzero_ps(), y) : y;
}

// plain computes a tile of c as it lies, turned one of its transpose. bias is 0 for none.
INLINE void plain(const int rows, const int packed, const tile *t, const float *a, const float *b, float *c, int columns,
	const float *bias) {
	__m512 acc[16][2];
	const __mmask16 m[2] = {mask(columns), mask(columns - 16)};
	EACH(r, rows) EACH(v, 2) acc[r][v] = t->first ? _mm512_setzero_ps() : _mm512_maskz_loadu_ps(m[v], c + r * t->c_stride + 16 * v);
	multiply(rows, packed, t, a, b, acc);
	EACH(v, 2) {
		__m512 add = bias ? _mm512_maskz_loadu_ps(m[v], bias + 16 * v) : _mm512_set1_ps(-0.0f);
		EACH(r, rows) _mm512_mask_storeu_ps(c + r * t->c_stride + 16 * v, m[v], finish(t, acc[r][v], add));
	}
}

INLINE void turned(const int rows, const int packed, const tile *t, const float *a, const float *b, float *c, int columns,
	const float *bias) {
	__m512 acc[16][2], half[16];
	const __mmask16 m = mask(rows);
	EACH(r, 16) acc[r][0] = acc[r][1] = _mm512_setzero_ps();
	if (!t->first) {
		for (int v = 0; v < 2; v++) {
			EACH(j, 16) half[j] = 16 * v + j < columns ? _mm512_maskz_loadu_ps(m, c + (16 * v + j) * t->c_stride) : _mm512_setzero_ps();
			transpose(half);
			EACH(r, rows) acc[r][v] = half[r];
		}
	}
	multiply(rows, packed, t, a, b, acc);
	__m512 add = bias ? _mm512_maskz_loadu_ps(m, bias) : _mm512_set1_ps(-0.0f);
	EACH(v, 2) {
		EACH(r, 16) half[r] = r < rows ? acc[r][v] : _mm512_setzero_ps();
		transpose(half);
		EACH(j, 16) if (16 * v + j < columns) _mm512_mask_storeu_ps(c + (16 * v + j) * t->c_stride, m, finish(t, half[j], add));
	}
}

typedef void (*kernel)(const tile *t, const float *a, const float *b, float *c, int columns, const float *bias);

// A kernel for every number of rows, so that all accumulators have a register and no row is computed in vain.
#define KERNEL(form, rows, packed)                                                                               \
	TARGET static void form##_##rows##_##packed(const tile *t, const float *a, const float *b, float *c, int columns, \
		const float *bias) {                                                                                     \
		form(rows, packed, t, a, b, c, columns, bias);                                                           \
	}
#define KERNELS(rows) KERNEL(plain, rows, 0) KERNEL(plain, rows, 1) KERNEL(turned, rows, 0) KERNEL(turned, rows, 1)
KERNELS(1) KERNELS(2) KERNELS(3) KERNELS(4) KERNELS(5) KERNELS(6) KERNELS(7)
KERNELS(8) KERNELS(9) KERNELS(10) KERNELS(11) KERNELS(12) KERNELS(13) KERNELS(14)
#define ENTRY(rows) {{plain_##rows##_0, plain_##rows##_1}, {turned_##rows##_0, turned_##rows##_1}}
static const kernel kernels[ROWS][2][2] = {ENTRY(1), ENTRY(2), ENTRY(3), ENTRY(4), ENTRY(5), ENTRY(6), ENTRY(7),
	ENTRY(8), ENTRY(9), ENTRY(10), ENTRY(11), ENTRY(12), ENTRY(13), ENTRY(14)};

// pack copies b, depth by columns, to panels of 32 columns, the last filled up with zeros; each panel is consecutive. It
// goes along the rows of b: down a panel, every line would be a page further and come too late.
TARGET static void pack(float *to, const float *b, size_t stride, size_t columns, size_t depth) {
	const size_t panel = depth * COLUMNS;
	for (size_t l = 0; l < depth; l++, b += stride, to += COLUMNS) {
		float *out = to;
		size_t j = 0;
		for (; j + COLUMNS <= columns; j += COLUMNS, out += panel) {
			_mm512_store_ps(out, _mm512_loadu_ps(b + j));
			_mm512_store_ps(out + 16, _mm512_loadu_ps(b + j + 16));
		}
		if (j < columns) {
			const int rest = (int)(columns - j);
			_mm512_store_ps(out, _mm512_maskz_loadu_ps(mask(rest), b + j));
			_mm512_store_ps(out + 16, _mm512_maskz_loadu_ps(mask(rest - 16), b + j + 16));
		}
	}
}

// pack_turned packs one panel from its transpose, columns by depth.
TARGET static void pack_turned(float *to, const float *b, size_t stride, int columns, size_t depth) {
	for (size_t l = 0; l < depth; l += 16) {
		const int lines = depth - l < 16 ? (int)(depth - l) : 16;
		for (int v = 0; v < 2; v++) {
			__m512 r[16];
			const float *from = b + 16 * v * stride + l;
			EACH(j, 16) r[j] = 16 * v + j < columns ? _mm512_maskz_loadu_ps(mask(lines), from + j * stride) : _mm512_setzero_ps();
			transpose(r);
			EACH(j, 16) if (j < lines) _mm512_store_ps(to + (l + j) * COLUMNS + 16 * v, r[j]);
		}
	}
}

// pack_rows copies rows of a turned a, depth by rows, to lie without gaps.
TARGET static void pack_rows(float *to, const float *a, size_t stride, int rows, size_t depth) {
	const __mmask16 m = mask(rows);
	for (size_t l = 0; l < depth; l++, a += stride, to += rows) _mm512_mask_storeu_ps(to, m, _mm512_maskz_loadu_ps(m, a));
}

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

// block computes rows i0 to i1 of columns j0 to j1, no more than a block of them.
static void block(const mm_product *p, float *scratch, size_t i0, size_t i1, size_t j0, size_t j1) {
	const size_t tiles = (i1 - i0 + ROWS - 1) / ROWS;
	float *rows = scratch + MM_BLOCK_DEPTH * MM_BLOCK_COLUMNS;
	for (size_t l = 0; l < p->l; l += MM_BLOCK_DEPTH) {
		tile t = {.depth = least(p->l - l, MM_BLOCK_DEPTH), .a_stride = p->a_stride, .c_stride = p->c_stride, .relu = p->relu};
		t.first = l == 0, t.last = l + t.depth == p->l;
		if (!p->b_turned) {
			pack(scratch, p->b + l * p->b_stride + j0, p->b_stride, j1 - j0, t.depth);
		} else {
			for (size_t j = j0; j < j1; j += COLUMNS)
				pack_turned(scratch + (j - j0) * t.depth, p->b + j * p->b_stride + l, p->b_stride, (int)least(j1 - j, COLUMNS), t.depth);
		}
		// Tiles of equal height: 64 rows are 13, 13, 13, 13 and 12, not 14, 14, 14, 14 and 8.
		for (size_t n = 0; n < tiles; n++) {
			const size_t i = i0 + (i1 - i0) * n / tiles, height = i0 + (i1 - i0) * (n + 1) / tiles - i;
			const float *a = p->a + (p->a_turned ? l * p->a_stride + i : i * p->a_stride + l);
			if (p->a_turned) pack_rows(rows, a, p->a_stride, (int)height, t.depth), a = rows;
			const kernel run = kernels[height - 1][p->c_turned][p->a_turned];
			for (size_t j = j0; j < j1; j += COLUMNS) {
				float *c = p->c + (p->c_turned ? j * p->c_stride + i : i * p->c_stride + j);
				const float *bias = p->bias ? p->bias + (p->c_turned ? i : j) : 0;
				run(&t, a, scratch + (j - j0) * t.depth, c, (int)least(j1 - j, COLUMNS), bias);
			}
		}
	}
}

typedef struct {
	const mm_product *product;
	int down, across; // parts of i, parts of j
} split;

static void part(mm_device *d, const void *args, int number, int parts) {
	const split *s = args;
	const mm_product *p = s->product;
	size_t i0, i1, j0, j1;
	(void)parts;
	mm_range(p->i, 1, number % s->down, s->down, &i0, &i1);
	mm_range(p->j, COLUMNS, number / s->down, s->across, &j0, &j1);
	if (i0 == i1) return;
	for (size_t j = j0; j < j1; j += MM_BLOCK_COLUMNS) block(p, d->packs[number], i0, i1, j, least(j1, j + MM_BLOCK_COLUMNS));
}

void mm_gemm(mm_device *d, const mm_product *p) {
	// Every thread packs its own columns, so the cut is the one of least work for the busiest thread, in sixteenths of a
	// vector's multiply-adds: the sums themselves, packing its columns of b, and reading its rows of a.
	split s = {p, 1, 1};
	const size_t work = p->i * p->j * p->l;
	if (work >= 1 << 18) {
		double least_cost = 0;
		for (int down = 1; down <= d->threads; down++) {
			const int across = d->threads / down;
			const size_t panels = (p->j + COLUMNS - 1) / COLUMNS;
			const double i = (p->i + down - 1) / down, j = (panels + across - 1) / across * COLUMNS;
			const double cost = i * j + 8 * j + 4 * i;
			if (down == 1 || cost < least_cost) least_cost = cost, s.down = down, s.across = across;
		}
	}
	mm_run(d, part, &s, s.down * s.across);
}

int mm_gemm_supported(void) {
	__builtin_cpu_init();
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

#else

int mm_gemm_supported(void) { return 0; }
void mm_gemm(mm_device *d, const mm_product *p) { (void)d, (void)p; }

#endif
