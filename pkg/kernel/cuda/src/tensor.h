// Matrix products by tiles on tensor cores (mma.sync, compute capability 8.0 and newer), of operands rounded to TF32 or bfloat16 and
// summed in float32. The loaders and results are those of tile.h.
//
// Never run on a card: the tests run them on emulated tensor cores, which take the fragments as the PTX manual lays them.
#ifndef MM_TENSOR_H
#define MM_TENSOR_H

#include "tile.h"

// Round10 keeps 10 bits behind the point (TF32), a term in each word. Round7 keeps 7 (bfloat16), two terms in a word, the first below.
struct Round10 {
	static constexpr int terms = 1;
};
struct Round7 {
	static constexpr int terms = 2;
};

#ifdef __CUDA__
__device__ __forceinline__ unsigned round10(float x) {
	unsigned bits;
	asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(bits) : "f"(x));
	return bits;
}

// add_product adds the product of a fragment of 16 rows and one of 8 columns, each of 8 words of terms, to a fragment of sums.
__device__ __forceinline__ void add_product(Round10, float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
	asm volatile("mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
				 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
				 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
__device__ __forceinline__ void add_product(Round7, float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
	asm volatile("mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
				 : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
				 : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
#else
inline unsigned round10(float x) { return emulate_round10(x); }
template <class R>
inline void add_product(R, float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
	emulate_add_product(R::terms, c, a, b);
}
#endif

// Cores is a tile of 64 x 128 by 8 warps, each 32 x 32. A strip is 8 words deep.
template <class R>
struct Cores {
	static constexpr bool cores = true;
	using Round = R;
	static constexpr int I = 64, J = 128, words = 8, depth = words * R::terms;
	static constexpr int row_i = I + 8, row_j = J + 8; // padded, so that a fragment's words lie in different banks
	static constexpr int strip = words * (row_i + row_j);
	static constexpr int memory = 2 * strip / 4; // quads of shared memory
};

// put writes a quad to the strip, rounded. A quad of terms fills words of its row, one of rows a word, or half a word, of each.
__device__ __forceinline__ void put(Round10, unsigned *strip, int width, bool along, int row, int k, Quad v) {
	unsigned *p = strip + k * width + row;
	Words w = {round10(v.x), round10(v.y), round10(v.z), round10(v.w)};
	if (!along) { // one store: by words, lanes four words apart would wait for each other's banks
		*(Words *)p = w;
		return;
	}
	p[0] = w.x;
	p[width] = w.y;
	p[2 * width] = w.z;
	p[3 * width] = w.w;
}
__device__ __forceinline__ void put(Round7, unsigned *strip, int width, bool along, int row, int k, Quad v) {
	unsigned *p = strip + k / 2 * width + row;
	if (along) {
		p[0] = round7(v.x, v.y);
		p[width] = round7(v.z, v.w);
		return;
	}
	unsigned short *half = (unsigned short *)p + k % 2;
	half[0] = (unsigned short)round7(v.x, 0);
	half[2] = (unsigned short)round7(v.y, 0);
	half[4] = (unsigned short)round7(v.z, 0);
	half[6] = (unsigned short)round7(v.w, 0);
}

// Loads is a thread's quads of a strip: one, or two where a strip has more quads than the block threads.
template <class L, int ROWS, int STRIP>
struct Loads {
	static constexpr int quads = ROWS * STRIP / 4, many = quads > 256 ? 2 : 1;
	static_assert(quads == many * 256 || many == 1, "all threads load as many quads");
	L first, second; // only one of them where many is 1
	int row[many], k[many];
	bool loads;

	__device__ __forceinline__ Loads(const L &l) : first(l), second(l) {}
	__device__ __forceinline__ L &each(int e) { return e ? second : first; }
	__device__ __forceinline__ void start() {
#pragma unroll
		for (int e = 0; e < many; e++) {
			int t = threadIdx.x + 256 * e;
			row[e] = L::along ? t / (STRIP / 4) : t % (ROWS / 4) * 4;
			k[e] = L::along ? t % (STRIP / 4) * 4 : t / (ROWS / 4);
			loads = t < quads;
			each(e).start(row[e], k[e]);
		}
	}
	__device__ __forceinline__ void next(Quad (&v)[many]) {
#pragma unroll
		for (int e = 0; e < many; e++)
			if (loads) v[e] = each(e).next();
	}
	template <class R>
	__device__ __forceinline__ void keep(R r, unsigned *strip, int width, const Quad (&v)[many]) {
#pragma unroll
		for (int e = 0; e < many; e++)
			if (loads) put(r, strip, width, L::along, row[e], k[e], v[e]);
	}
};

// multiply computes a tile and gives it to write(i, j, quad) by quads of four columns, as the one of tile.h does.
template <class R, class LoadA, class LoadB, class Write>
__device__ __forceinline__ void multiply(R r, Quad *memory, const LoadA &load_a, const LoadB &load_b, long long depth, Write &write) {
	using T = Cores<R>;
	unsigned *shared = (unsigned *)memory;
	Loads<LoadA, T::I, T::depth> a(load_a);
	Loads<LoadB, T::J, T::depth> b(load_b);
	a.start();
	b.start();
	int lane = threadIdx.x % 32, warp = threadIdx.x / 32, group = lane / 4, in_group = lane % 4;
	int i = warp / 4 * 32, j = warp % 4 * 32; // the warp's part of the tile
	float sum[2][4][4] = {};
	long long strips = (depth + T::depth - 1) / T::depth;
	for (long long s = -1; s < strips; s++) {
		Quad next_a[a.many] = {}, next_b[b.many] = {};
		bool more = s + 1 < strips;
		if (more) {
			a.next(next_a);
			b.next(next_b);
		}
		if (s >= 0) {
			const unsigned *p = shared + (s & 1) * T::strip + in_group * T::row_i + i + group;
			const unsigned *q = shared + (s & 1) * T::strip + T::words * T::row_i + in_group * T::row_j + j + group;
			unsigned u[2][4], v[4][2];
#pragma unroll
			for (int e = 0; e < 2; e++) {
				u[e][0] = p[16 * e];
				u[e][1] = p[16 * e + 8];
				u[e][2] = p[4 * T::row_i + 16 * e];
				u[e][3] = p[4 * T::row_i + 16 * e + 8];
			}
#pragma unroll
			for (int f = 0; f < 4; f++) {
				v[f][0] = q[8 * f];
				v[f][1] = q[4 * T::row_j + 8 * f];
			}
#pragma unroll
			for (int e = 0; e < 2; e++)
#pragma unroll
				for (int f = 0; f < 4; f++) add_product(r, sum[e][f], u[e], v[f]);
		}
		if (more) {
			unsigned *strip = shared + ((s + 1) & 1) * T::strip;
			a.keep(r, strip, T::row_i, next_a);
			b.keep(r, strip + T::words * T::row_i, T::row_j, next_b);
		}
		__syncthreads();
	}
	// A lane has two neighbours of each row: with the next lane it makes a quad of the upper row, and that one of the lower.
	bool odd = in_group % 2;
#pragma unroll
	for (int e = 0; e < 2; e++)
#pragma unroll
		for (int f = 0; f < 4; f++) {
			const float(&c)[4] = sum[e][f];
			float x = swap_lanes(odd ? c[0] : c[2], 1), y = swap_lanes(odd ? c[1] : c[3], 1);
			Quad v = odd ? Quad{x, y, c[2], c[3]} : Quad{c[0], c[1], x, y};
			write(i + 16 * e + group + (odd ? 8 : 0), j + 8 * f + in_group / 2 * 4, v);
		}
}

// compute is multiply by the arithmetic of the tile.
template <class T, class LoadA, class LoadB, class Write>
__device__ __forceinline__ void compute(Quad *memory, LoadA &a, LoadB &b, long long depth, Write &write) {
	if constexpr (T::cores) multiply(typename T::Round(), memory, a, b, depth, write);
	else multiply<T>(memory, a, b, depth, write);
}

#endif
