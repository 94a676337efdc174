// The optimizer steps, over all parameters in one launch: they lie in one run.
#include "numbers.h"

// partial[b] is the sum of squares of block b's elements: runs of equal length, cut by the number of blocks. Bytes 4 n, FLOPs
// 2 n in float64.
extern "C" __global__ void __launch_bounds__(256) mm_square_sums(double *partial, const float *g, long long n) {
	__shared__ Sums sums;
	long long run = (n + gridDim.x - 1) / gridDim.x;
	long long from = blockIdx.x * run, to = from + run < n ? from + run : n;
	double sum = 0;
	for (long long i = from + threadIdx.x; i < to; i += blockDim.x) sum += (double)g[i] * (double)g[i];
	sum = block_sum(sum, sums);
	if (threadIdx.x == 0) partial[blockIdx.x] = sum;
}

// scale[0] = min(1, max_norm / (norm + 1e-6)), which keeps a NaN. One block.
extern "C" __global__ void __launch_bounds__(256) mm_clip_scale(float *scale, const double *partial, long long parts, double max_norm) {
	__shared__ Sums sums;
	double sum = 0;
	for (long long i = threadIdx.x; i < parts; i += blockDim.x) sum += partial[i];
	sum = block_sum(sum, sums);
	if (threadIdx.x != 0) return;
	double factor = max_norm / (square_root(sum) + 1e-6);
	scale[0] = (float)(factor > 1 ? 1 : factor);
}

// The scalars are taken in float64 and rounded once, as PyTorch does.
struct Adam {
	float shrink, decay, beta1, rest1, beta2, rest2, correction, epsilon, step, scale;

	__device__ void operator()(float &p, float g, float &m, float &v) const {
		float q = p * shrink;
		g = g * scale + decay * q;
		m = m * beta1 + g * rest1;
		v = v * beta2 + g * g * rest2;
		p = q - step * (m / (square_root(v) * correction + epsilon));
	}
};

// Adam and AdamW (kernel.Adam, whose Rates rates are). Bytes 28 n (p, m, v read and written, g read), FLOPs 13 n: limited by memory.
extern "C" __global__ void __launch_bounds__(256) mm_adam(float *p, const float *g, float *m, float *v, const float *scale,
	const float *rates, long long n, double beta1, double beta2, double epsilon, double weight_decay, long long decoupled) {
	Adam step;
	step.shrink = rates[0];
	step.decay = decoupled ? 0 : (float)weight_decay;
	step.beta1 = (float)beta1;
	step.rest1 = (float)(1 - beta1);
	step.beta2 = (float)beta2;
	step.rest2 = (float)(1 - beta2);
	step.correction = rates[1];
	step.epsilon = (float)epsilon;
	step.step = rates[2];
	step.scale = scale ? scale[0] : 1;
	long long quads = aligned(p, g, m) && aligned(v) ? n / 4 : 0;
	ELEMENTS(i, quads) {
		Quad a = quad(p + 4 * i), b = quad(g + 4 * i), c = quad(m + 4 * i), d = quad(v + 4 * i);
		step(a.x, b.x, c.x, d.x);
		step(a.y, b.y, c.y, d.y);
		step(a.z, b.z, c.z, d.z);
		step(a.w, b.w, c.w, d.w);
		quad(p + 4 * i) = a;
		quad(m + 4 * i) = c;
		quad(v + 4 * i) = d;
	}
	ELEMENTS(i, n - 4 * quads) {
		long long j = 4 * quads + i;
		step(p[j], g[j], m[j], v[j]);
	}
}

// SGD (kernel.SGD, whose Rates rates are); buf is null where there is no momentum. Bytes 20 n, FLOPs 6 n.
extern "C" __global__ void __launch_bounds__(256) mm_sgd(float *p, const float *g, float *buf, const float *scale, const float *rates,
	long long n, double weight_decay) {
	float rate = rates[0], keep = rates[1], decay = (float)weight_decay, factor = scale ? scale[0] : 1;
	ELEMENTS(i, n) {
		float d = g[i] * factor + decay * p[i];
		if (buf) {
			d += keep * buf[i];
			buf[i] = d;
		}
		p[i] -= rate * d;
	}
}
