// Kernels that take elements one by one. Bytes are 4 an operand and element, FLOPs 1 to 3: all are limited by memory, and by
// the launch where the operands fit in the cache. tanh and sigmoid take some 40 operations in float64, which a card with half
// as many float64 units as float32 hides.
#include "last.h"

// map writes y = f(a, b), four elements at a time where the addresses allow it. b may be a.
template <class F>
__device__ __forceinline__ void map(float *y, const float *a, const float *b, long long n, F f) {
	long long quads = aligned(y, a, b) ? n / 4 : 0;
	ELEMENTS(q, quads) {
		Quad u = quad(a + 4 * q), v = quad(b + 4 * q);
		quad(y + 4 * q) = Quad{f(u.x, v.x), f(u.y, v.y), f(u.z, v.z), f(u.w, v.w)};
	}
	ELEMENTS(i, n - 4 * quads) y[4 * quads + i] = f(a[4 * quads + i], b[4 * quads + i]);
}

struct Sum {
	__device__ float operator()(float a, float b) const { return a + b; }
};
struct Product {
	__device__ float operator()(float a, float b) const { return a * b; }
};
struct Multiple {
	float factor;
	__device__ float operator()(float x, float) const { return factor * x; }
};
struct ReLUGrad {
	__device__ float operator()(float dy, float y) const { return y > 0 ? dy : 0; }
};
struct Tanh {
	__device__ float operator()(float x, float) const { return (float)hyperbolic_tangent(x); }
};
struct TanhGrad {
	__device__ float operator()(float dy, float y) const { return dy * (1 - y * y); }
};
struct Sigmoid {
	__device__ float operator()(float x, float) const { return (float)(1 / (1 + exponential(-(double)x))); }
};
struct SigmoidGrad {
	__device__ float operator()(float dy, float y) const { return dy * (y * (1 - y)); }
};

// Bytes 4 n.
extern "C" __global__ void mm_fill(float *y, double value, long long n) {
	float v = (float)value;
	long long quads = aligned(y) ? n / 4 : 0;
	ELEMENTS(q, quads) quad(y + 4 * q) = Quad{v, v, v, v};
	ELEMENTS(i, n - 4 * quads) y[4 * quads + i] = v;
}

// Bytes 12 n, FLOPs n.
extern "C" __global__ void mm_add(float *y, const float *a, const float *b, long long n) { map(y, a, b, n, Sum()); }

// Bytes 12 n, FLOPs n.
extern "C" __global__ void mm_mul(float *y, const float *a, const float *b, long long n) { map(y, a, b, n, Product()); }

// Bytes 8 n, FLOPs n.
extern "C" __global__ void mm_scale(float *y, const float *x, long long n, double factor) {
	map(y, x, x, n, Multiple{(float)factor});
}

// Bytes 12 n, FLOPs n.
extern "C" __global__ void mm_relu_grad(float *dx, const float *dy, const float *y, long long n) { map(dx, dy, y, n, ReLUGrad()); }

// Bytes 8 n, FLOPs 40 n in float64.
extern "C" __global__ void mm_tanh(float *y, const float *x, long long n) { map(y, x, x, n, Tanh()); }

// Bytes 12 n, FLOPs 3 n.
extern "C" __global__ void mm_tanh_grad(float *dx, const float *dy, const float *y, long long n) { map(dx, dy, y, n, TanhGrad()); }

// Bytes 8 n, FLOPs 35 n in float64.
extern "C" __global__ void mm_sigmoid(float *y, const float *x, long long n) { map(y, x, x, n, Sigmoid()); }

// Bytes 12 n, FLOPs 3 n.
extern "C" __global__ void mm_sigmoid_grad(float *dx, const float *dy, const float *y, long long n) {
	map(dx, dy, y, n, SigmoidGrad());
}

// y = (x - mean) scale. x, y (M,N,pixels); mean, scale (N). Bytes 8 m n pixels, FLOPs 2 m n pixels.
extern "C" __global__ void mm_standardize(float *y, const float *x, const float *mean, const float *scale, long long m, long long n,
	long long pixels) {
	ELEMENTS(i, m * n * pixels) {
		long long rest, c;
		divide(divide(i, pixels, rest), n, c);
		y[i] = (x[i] - mean[c]) * scale[c];
	}
}

// Of feature maps in bfloat16: n is a multiple of 16, y = f(a, b).
template <class F>
__device__ __forceinline__ void map_maps(bf16 *y, const bf16 *a, const bf16 *b, long long n, F f) {
	ELEMENTS(item, n / 8) {
		float u[8], v[8];
		load(u, a + 8 * item);
		load(v, b + 8 * item);
#pragma unroll
		for (int e = 0; e < 8; e++) u[e] = f(u[e], v[e]);
		store(y + 8 * item, u);
	}
}

// Bytes 6 n, FLOPs n.
extern "C" __global__ void __launch_bounds__(256) mm_add_maps(bf16 *y, const bf16 *a, const bf16 *b, long long n) { map_maps(y, a, b, n, Sum()); }

// Bytes 6 n, FLOPs n.
extern "C" __global__ void __launch_bounds__(256) mm_relu_grad_maps(bf16 *dx, const bf16 *dy, const bf16 *y, long long n) { map_maps(dx, dy, y, n, ReLUGrad()); }
