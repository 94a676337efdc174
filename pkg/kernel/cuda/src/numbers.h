// What the kernels compute with: quads of float, exact functions of float64 that no library gives here, and sums over a warp.
#ifndef MM_NUMBERS_H
#define MM_NUMBERS_H

#include "device.h"

struct alignas(16) Quad {
	float x, y, z, w;
};

struct alignas(16) Words {
	unsigned x, y, z, w;
};

// aligned tells whether a quad can be read at each of the addresses.
__device__ __forceinline__ bool aligned(const void *a, const void *b = nullptr, const void *c = nullptr) {
	return (((unsigned long long)a | (unsigned long long)b | (unsigned long long)c) & 15) == 0;
}

__device__ __forceinline__ const Quad &quad(const float *p) { return *(const Quad *)p; }
__device__ __forceinline__ Quad &quad(float *p) { return *(Quad *)p; }

// read and write take a quad of the card's memory, not of shared memory, in one access. Through quad the compiler may take it apart: where single
// elements are read otherwise it did, and a read of 16 bytes became three.
#ifdef __CUDA__
#define MM_CARD __attribute__((address_space(1)))
__device__ __forceinline__ Quad read(const float *p) {
	Quad v;
	asm volatile("ld.global.v4.f32 {%0, %1, %2, %3}, [%4];" : "=f"(v.x), "=f"(v.y), "=f"(v.z), "=f"(v.w) : "l"((const MM_CARD float *)p));
	return v;
}
__device__ __forceinline__ void write(float *p, Quad v) {
	asm volatile("st.global.v4.f32 [%0], {%1, %2, %3, %4};" : : "l"((MM_CARD float *)p), "f"(v.x), "f"(v.y), "f"(v.z), "f"(v.w) : "memory");
}
#else
inline Quad read(const float *p) { return quad(p); }
inline void write(float *p, Quad v) { quad(p) = v; }
#endif

// divide returns a / b and leaves a % b in rest. Most are small, and 64 bits take a card several times longer than 32.
__device__ __forceinline__ long long divide(long long a, long long b, long long &rest) {
	if ((unsigned long long)(a | b) >> 32 == 0) {
		unsigned q = (unsigned)a / (unsigned)b;
		rest = (unsigned)a - q * (unsigned)b;
		return q;
	}
	rest = a % b;
	return a / b;
}

// fused returns a b + c, rounded once.
__device__ __forceinline__ float fused(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
__device__ __forceinline__ double fused(double a, double b, double c) { return __builtin_fma(a, b, c); }

#ifdef __CUDA__
__device__ __forceinline__ float square_root(float x) { return __nvvm_sqrt_rn_f(x); }
__device__ __forceinline__ double square_root(double x) { return __nvvm_sqrt_rn_d(x); }

// swap_lanes returns the value of the thread whose lane differs in bits; all lanes of the warp call it.
__device__ __forceinline__ float swap_lanes(float v, int bits) {
	float other;
	asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, -1;" : "=f"(other) : "f"(v), "r"(bits));
	return other;
}
__device__ __forceinline__ double swap_lanes(double v, int bits) {
	union {
		double d;
		int half[2];
	} u;
	u.d = v;
	asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, -1;" : "=r"(u.half[0]) : "r"(u.half[0]), "r"(bits));
	asm volatile("shfl.sync.bfly.b32 %0, %1, %2, 31, -1;" : "=r"(u.half[1]) : "r"(u.half[1]), "r"(bits));
	return u.d;
}

// round7 rounds to bfloat16, to even: two of them in a word, the first below.
__device__ __forceinline__ unsigned round7(float first, float second) {
	unsigned bits;
	asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(bits) : "f"(second), "f"(first));
	return bits;
}
#else
inline float square_root(float x) { return sqrtf(x); }
inline double square_root(double x) { return sqrt(x); }
inline float swap_lanes(float v, int bits) { return (float)emulate_swap_lanes(v, bits); }
inline double swap_lanes(double v, int bits) { return emulate_swap_lanes(v, bits); }
inline unsigned round7(float first, float second) { return emulate_round7(first) | emulate_round7(second) << 16; }
#endif

// NaN and infinity, for which no header is there.
__device__ __forceinline__ float not_a_number() { return __builtin_nanf(""); }
__device__ __forceinline__ double infinity() { return __builtin_inf(); }

// power_of_two returns 2^n, -1022 <= n <= 1023.
__device__ __forceinline__ double power_of_two(long long n) {
	union {
		long long bits;
		double d;
	} u;
	u.bits = (n + 1023) << 52;
	return u.d;
}

// exponential returns exp(x) to 1e-15 of its value: x = n log 2 + r, |r| <= log(2)/2, and exp(r) by its series.
__device__ __forceinline__ double exponential(double x) {
	const double shift = 0x1.8p52;
	if (!(x < 710)) return x != x ? x : infinity();
	if (x < -746) return 0;
	double n = (x * 0x1.71547652b82fep0 + shift) - shift;
	double r = fused(-n, 0x1.62e42fefa39efp-1, x);
	r = fused(-n, 0x1.abc9e3b39803fp-56, r);
	double y = 1.0 / 6227020800;
	y = fused(y, r, 1.0 / 479001600);
	y = fused(y, r, 1.0 / 39916800);
	y = fused(y, r, 1.0 / 3628800);
	y = fused(y, r, 1.0 / 362880);
	y = fused(y, r, 1.0 / 40320);
	y = fused(y, r, 1.0 / 5040);
	y = fused(y, r, 1.0 / 720);
	y = fused(y, r, 1.0 / 120);
	y = fused(y, r, 1.0 / 24);
	y = fused(y, r, 1.0 / 6);
	y = fused(y, r, 0.5);
	y = fused(y, r, 1);
	y = fused(y, r, 1);
	long long whole = (long long)n, half = whole / 2; // 2^n alone may be out of range
	return y * power_of_two(half) * power_of_two(whole - half);
}

// logarithm returns log(x) for x that is normal, 0, infinite or NaN: x = 2^n z, z in [sqrt(1/2), sqrt(2)], and
// log(z) = 2 artanh((z-1)/(z+1)) by its series.
__device__ __forceinline__ double logarithm(double x) {
	if (!(x > 0)) return x == 0 ? -infinity() : __builtin_nan("");
	if (x == infinity()) return x;
	union {
		double d;
		long long bits;
	} u;
	u.d = x;
	long long n = (u.bits >> 52) - 1023;
	u.bits = (u.bits & 0xfffffffffffffLL) | 0x3ff0000000000000LL;
	double z = u.d;
	if (z > 0x1.6a09e667f3bcdp0) {
		z *= 0.5;
		n++;
	}
	double f = (z - 1) / (z + 1), s = f * f, y = 1.0 / 23;
	y = fused(y, s, 1.0 / 21);
	y = fused(y, s, 1.0 / 19);
	y = fused(y, s, 1.0 / 17);
	y = fused(y, s, 1.0 / 15);
	y = fused(y, s, 1.0 / 13);
	y = fused(y, s, 1.0 / 11);
	y = fused(y, s, 1.0 / 9);
	y = fused(y, s, 1.0 / 7);
	y = fused(y, s, 1.0 / 5);
	y = fused(y, s, 1.0 / 3);
	y = fused(y, s, 1);
	return fused((double)n, 0x1.62e42fefa39efp-1, 2 * f * y);
}

// hyperbolic_tangent returns tanh(x) to 1e-11 of its value.
__device__ __forceinline__ double hyperbolic_tangent(double x) {
	double size = x < 0 ? -x : x;
	if (size < 1e-4) return x - x * x * x / 3;
	if (size > 20) return x < 0 ? -1 : 1;
	double e = exponential(2 * size);
	double y = (e - 1) / (e + 1);
	return x < 0 ? -y : y;
}

// warp_sum returns the sum of v over the warp to each of its lanes, in one order whatever the lane.
__device__ __forceinline__ double warp_sum(double v) {
	for (int bits = 16; bits; bits /= 2) v += swap_lanes(v, bits);
	return v;
}

__device__ __forceinline__ float warp_max(float v) {
	for (int bits = 16; bits; bits /= 2) {
		float other = swap_lanes(v, bits);
		if (other > v) v = other;
	}
	return v;
}

// Sums is the shared memory of block_sum.
struct Sums {
	double of_warp[32];
};

// block_sum returns the sum of v over the block to each of its threads, warps in order. All threads call it, of whole warps.
__device__ __forceinline__ double block_sum(double v, Sums &sums) {
	v = warp_sum(v);
	__syncthreads(); // the last one's sums may still be read
	if (threadIdx.x % 32 == 0) sums.of_warp[threadIdx.x / 32] = v;
	__syncthreads();
	double sum = 0;
	for (unsigned w = 0; w < blockDim.x / 32; w++) sum += sums.of_warp[w];
	return sum;
}

#endif
