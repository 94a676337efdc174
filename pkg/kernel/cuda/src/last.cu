// Batch normalisation (Ioffe and Szegedy 2015) of feature maps channels last, (rows,C), in float32 and bfloat16: norm.cu's results from
// another layout. All are limited by memory. Sums over rows are taken in runs, whose number the shape tells: partial holds the two sums
// (2,C,runs), and behind them C numbers, in float64.
#include "last.h"
#include "norm.h"

// The sums of the differences from the first row, and of their squares. Bytes sizeof(T) rows c.
template <class T>
__device__ __forceinline__ void statistics(double *partial, const T *x, long long rows, long long c, long long runs, double *shared) {
	constexpr int N = across<T>;
	float first[N];
	sum_columns<2, N>(
		Strips<N>(rows, c, runs), shared, [&](long long channel) { load(first, x + channel); },
		[&](long long i, double(&sums)[2][N]) {
			float v[N];
			load(v, x + i);
#pragma unroll
			for (int e = 0; e < N; e++) {
				double d = (double)v[e] - (double)first[e];
				sums[0][e] += d;
				sums[1][e] += d * d;
			}
		},
		[&](long long run, long long channel, int kind, double sum) {
			partial[(kind * c + channel) * runs + run] = sum;
			if (run == 0 && kind == 0) partial[2 * c * runs + channel] = (double)one(x + channel);
		});
}

extern "C" __global__ void __launch_bounds__(256) mm_last_statistics(double *partial, const float *x, long long rows, long long c, long long runs) {
	__shared__ double shared[256 * 2 * across<float>];
	statistics(partial, x, rows, c, runs, shared);
}
extern "C" __global__ void __launch_bounds__(256) mm_last_statistics_bf16(double *partial, const bf16 *x, long long rows, long long c, long long runs) {
	__shared__ double shared[256 * 2 * across<bf16>];
	statistics(partial, x, rows, c, runs, shared);
}

// run_sum returns the sum of a channel's partial sums to each lane of its warp, in an order that their number tells.
__device__ __forceinline__ double run_sum(const double *partial, long long runs) {
	double sum = 0;
	for (long long r = threadIdx.x % 32; r < runs; r += 32) sum += partial[r];
	return warp_sum(sum);
}

// The channels' statistics from the partial sums over so many rows, a warp a channel. Bytes 16 c runs.
extern "C" __global__ void __launch_bounds__(256) mm_last_keep_statistics(float *mean, float *inv_std, float *running_mean, float *running_var,
	const double *partial, long long rows, long long c, long long runs, double momentum, double epsilon) {
	for (long long channel = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32; channel < c; channel += gridDim.x * (blockDim.x / 32)) {
		double sum = run_sum(partial + channel * runs, runs), squares = run_sum(partial + (c + channel) * runs, runs);
		if (threadIdx.x % 32 == 0)
			keep_statistics(mean, inv_std, running_mean, running_var, channel, partial[2 * c * runs + channel], sum, squares, (double)rows, momentum, epsilon);
	}
}

// Parameters reads those of N channels from a channel on, as lines.
struct Parameters {
	const float *gamma, *beta, *mean, *inv_std;

	template <int N>
	__device__ __forceinline__ void lines(Line (&l)[N], long long channel) const {
		float g[N], b[N], m[N], s[N];
		numbers(g, gamma + channel);
		numbers(b, beta + channel);
		numbers(m, mean + channel);
		numbers(s, inv_std + channel);
#pragma unroll
		for (int e = 0; e < N; e++) l[e] = line_of(g[e], b[e], m[e], s[e]);
	}
};

struct FoldedParameters {
	const float *scale, *shift;

	template <int N>
	__device__ __forceinline__ void lines(Line (&l)[N], long long channel) const {
		float a[N], b[N];
		numbers(a, scale + channel);
		numbers(b, shift + channel);
#pragma unroll
		for (int e = 0; e < N; e++) l[e] = Line{a[e], b[e]};
	}
};

// y = line(x) + residual, a line a channel, and max(0, y) where relu is set. Bytes 2 sizeof(T) rows c, 3 with a residual.
template <class T, class P>
__device__ __forceinline__ void transform(T *y, const T *x, const T *residual, long long rows, long long c, long long runs, bool relu, P parameters) {
	constexpr int N = across<T>;
	Line l[N];
	each_row(
		Strips<N>(rows, c, runs), [&](long long channel) { parameters.lines(l, channel); },
		[&](long long i) {
			float v[N], r[N];
			load(v, x + i);
			if (residual) load(r, residual + i);
#pragma unroll
			for (int e = 0; e < N; e++) {
				v[e] = l[e](v[e]);
				if (residual) v[e] += r[e];
				v[e] = positive(v[e], relu);
			}
			store(y + i, v);
		});
}

extern "C" __global__ void __launch_bounds__(256) mm_last_batch_norm(float *y, const float *x, const float *residual, const float *gamma,
	const float *beta, const float *mean, const float *inv_std, long long rows, long long c, long long runs, long long relu) {
	transform(y, x, residual, rows, c, runs, relu != 0, Parameters{gamma, beta, mean, inv_std});
}
extern "C" __global__ void __launch_bounds__(256) mm_last_batch_norm_bf16(bf16 *y, const bf16 *x, const bf16 *residual, const float *gamma,
	const float *beta, const float *mean, const float *inv_std, long long rows, long long c, long long runs, long long relu) {
	transform(y, x, residual, rows, c, runs, relu != 0, Parameters{gamma, beta, mean, inv_std});
}

extern "C" __global__ void __launch_bounds__(256) mm_last_affine(float *y, const float *x, const float *scale, const float *shift,
	const float *residual, long long rows, long long c, long long runs, long long relu) {
	transform(y, x, residual, rows, c, runs, relu != 0, FoldedParameters{scale, shift});
}
extern "C" __global__ void __launch_bounds__(256) mm_last_affine_bf16(bf16 *y, const bf16 *x, const float *scale, const float *shift,
	const bf16 *residual, long long rows, long long c, long long runs, long long relu) {
	transform(y, x, residual, rows, c, runs, relu != 0, FoldedParameters{scale, shift});
}

// through reads x and dy where the activation let it through: y tells where it is given, else x, from which the result is computed again.
template <class T, int N>
__device__ __forceinline__ void through(float (&g)[N], float (&in)[N], const T *dy, const T *x, const T *y, bool relu, long long i,
	const Line (&line)[N]) {
	float r[N];
	load(in, x + i);
	load(g, dy + i);
	if (!relu) return;
	if (y) load(r, y + i);
#pragma unroll
	for (int e = 0; e < N; e++)
		if (!((y ? r[e] : line[e](in[e])) > 0)) g[e] = 0;
}

// The sums of g and of g (x - mean), g = dy where the activation let it through. y may be null. Bytes 2 sizeof(T) rows c, 3 with y.
template <class T>
__device__ __forceinline__ void grad_sums(double *partial, const T *dy, const T *x, const T *y, const float *gamma, const float *beta,
	const float *mean, const float *inv_std, long long rows, long long c, long long runs, bool relu, double *shared) {
	Line line[4];
	double centre[4];
	sum_columns<2, 4>(
		Strips<4>(rows, c, runs), shared,
		[&](long long channel) {
			float means[4];
			numbers(means, mean + channel);
			Parameters{gamma, beta, mean, inv_std}.lines(line, channel);
#pragma unroll
			for (int e = 0; e < 4; e++) centre[e] = (double)means[e];
		},
		[&](long long i, double(&sums)[2][4]) {
			float g[4], in[4];
			through(g, in, dy, x, y, relu, i, line);
#pragma unroll
			for (int e = 0; e < 4; e++) {
				sums[0][e] += (double)g[e];
				sums[1][e] += (double)g[e] * ((double)in[e] - centre[e]);
			}
		},
		[&](long long run, long long channel, int kind, double sum) { partial[(kind * c + channel) * runs + run] = sum; });
}

extern "C" __global__ void __launch_bounds__(256) mm_last_grad_sums(double *partial, const float *dy, const float *x, const float *y,
	const float *gamma, const float *beta, const float *mean, const float *inv_std, long long rows, long long c, long long runs, long long relu) {
	__shared__ double shared[256 * 2 * 4];
	grad_sums(partial, dy, x, y, gamma, beta, mean, inv_std, rows, c, runs, relu != 0, shared);
}
extern "C" __global__ void __launch_bounds__(256) mm_last_grad_sums_bf16(double *partial, const bf16 *dy, const bf16 *x, const bf16 *y,
	const float *gamma, const float *beta, const float *mean, const float *inv_std, long long rows, long long c, long long runs, long long relu) {
	__shared__ double shared[256 * 2 * 4];
	grad_sums(partial, dy, x, y, gamma, beta, mean, inv_std, rows, c, runs, relu != 0, shared);
}

// dbeta = sum g, dgamma = sum g x^ from the partial sums, a warp a channel. Bytes 16 c runs.
extern "C" __global__ void __launch_bounds__(256) mm_last_keep_grad_sums(float *dgamma, float *dbeta, const double *partial, const float *inv_std,
	long long c, long long runs) {
	for (long long channel = blockIdx.x * (blockDim.x / 32) + threadIdx.x / 32; channel < c; channel += gridDim.x * (blockDim.x / 32)) {
		double sum = run_sum(partial + channel * runs, runs), dot = run_sum(partial + (c + channel) * runs, runs);
		if (threadIdx.x % 32 == 0) {
			dbeta[channel] = (float)sum;
			dgamma[channel] = (float)(dot * (double)inv_std[channel]);
		}
	}
}

// dx as Slope says, and dresidual = g where it is not null. dx or dresidual may be dy. Bytes 3 sizeof(T) rows c, one more for each of
// y and dresidual.
template <class T>
__device__ __forceinline__ void batch_norm_grad(T *dx, T *dresidual, const float *dgamma, const float *dbeta, const T *dy, const T *x, const T *y,
	const float *gamma, const float *beta, const float *mean, const float *inv_std, long long rows, long long c, long long runs, bool relu) {
	double part = 1 / (double)rows;
	Line line[4];
	Slope grad[4];
	each_row(
		Strips<4>(rows, c, runs),
		[&](long long channel) {
			float dg[4], db[4], g[4], b[4], m[4], s[4];
			numbers(dg, dgamma + channel);
			numbers(db, dbeta + channel);
			numbers(g, gamma + channel);
			numbers(b, beta + channel);
			numbers(m, mean + channel);
			numbers(s, inv_std + channel);
#pragma unroll
			for (int e = 0; e < 4; e++) {
				line[e] = line_of(g[e], b[e], m[e], s[e]);
				grad[e] = Slope(dg[e], db[e], g[e], m[e], s[e], part);
			}
		},
		[&](long long i) {
			float g[4], in[4];
			through(g, in, dy, x, y, relu, i, line);
			if (dresidual) store(dresidual + i, g);
#pragma unroll
			for (int e = 0; e < 4; e++) g[e] = grad[e](g[e], in[e]);
			store(dx + i, g);
		});
}

extern "C" __global__ void __launch_bounds__(256) mm_last_batch_norm_grad(float *dx, float *dresidual, const float *dgamma, const float *dbeta,
	const float *dy, const float *x, const float *y, const float *gamma, const float *beta, const float *mean, const float *inv_std, long long rows,
	long long c, long long runs, long long relu) {
	batch_norm_grad(dx, dresidual, dgamma, dbeta, dy, x, y, gamma, beta, mean, inv_std, rows, c, runs, relu != 0);
}
extern "C" __global__ void __launch_bounds__(256) mm_last_batch_norm_grad_bf16(bf16 *dx, bf16 *dresidual, const float *dgamma, const float *dbeta,
	const bf16 *dy, const bf16 *x, const bf16 *y, const float *gamma, const float *beta, const float *mean, const float *inv_std, long long rows,
	long long c, long long runs, long long relu) {
	batch_norm_grad(dx, dresidual, dgamma, dbeta, dy, x, y, gamma, beta, mean, inv_std, rows, c, runs, relu != 0);
}
