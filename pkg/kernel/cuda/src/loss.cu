// The weighted softmax cross-entropy, a warp a row: lane l takes the classes l, l+32, ... A label that is no class makes the
// loss and the row's gradient NaN. Bytes 4 m c read (twice, the second time from the cache), FLOPs about 25 m c in float64.
#include "numbers.h"

// Row is one row's largest logit and the sum of exp(x - largest), known to all lanes.
struct Row {
	double most, sum;
};

__device__ __forceinline__ Row row_of(const float *x, long long c) {
	float most = -(float)infinity(); // not x[0], which another lane may be writing already
	for (long long j = threadIdx.x % 32; j < c; j += 32)
		if (x[j] > most) most = x[j];
	Row row = {warp_max(most), 0};
	double sum = 0;
	for (long long j = threadIdx.x % 32; j < c; j += 32) sum += exponential((double)x[j] - row.most);
	row.sum = warp_sum(sum);
	return row;
}

__device__ __forceinline__ bool is_class(float label, long long c) { return label >= 0 && label < (float)c; }

// losses = weight (log sum exp(x) - x[label]), a row each. logits (M,C). Any number of blocks: the grid's warps stride over the rows.
extern "C" __global__ void __launch_bounds__(256) mm_cross_entropies(double *losses, const float *logits, const float *label, const float *weight,
	long long m, long long c) {
	long long warps = blockDim.x / 32;
	for (long long r = blockIdx.x * warps + threadIdx.x / 32; r < m; r += gridDim.x * warps) {
		const float *x = logits + r * c;
		Row row = row_of(x, c);
		if (threadIdx.x % 32 != 0) continue;
		bool ok = is_class(label[r], c);
		losses[r] = ok ? (double)weight[r] * (logarithm(row.sum) + row.most - (double)x[(long long)label[r]]) : not_a_number();
	}
}

// loss[0] = 1/M sum of losses. One block, whose threads take every 256th, and their sums are added in order. Bytes 8 m.
extern "C" __global__ void __launch_bounds__(256) mm_mean_loss(float *loss, const double *losses, long long m) {
	__shared__ Sums sums;
	double sum = 0;
	for (long long r = threadIdx.x; r < m; r += blockDim.x) sum += losses[r];
	sum = block_sum(sum, sums);
	if (threadIdx.x == 0) loss[0] = (float)(sum / (double)m);
}

// dlogits = upstream weight / M (softmax(x) - onehot(label)); dlogits may be logits. Bytes 8 m c, FLOPs about 50 m c in float64.
// Any number of blocks: the grid's warps stride over the rows.
extern "C" __global__ void __launch_bounds__(256) mm_softmax_cross_entropy_grad(float *dlogits, const float *logits, const float *label,
	const float *weight, const float *upstream, long long m, long long c) {
	long long warps = blockDim.x / 32;
	for (long long r = blockIdx.x * warps + threadIdx.x / 32; r < m; r += gridDim.x * warps) {
		const float *x = logits + r * c;
		Row row = row_of(x, c);
		bool ok = is_class(label[r], c);
		long long target = ok ? (long long)label[r] : -1;
		double factor = ok ? (double)upstream[0] / (double)m * (double)weight[r] : not_a_number();
		for (long long j = threadIdx.x % 32; j < c; j += 32) {
			double p = exponential((double)x[j] - row.most) / row.sum;
			dlogits[r * c + j] = (float)((j == target ? p - 1 : p) * factor);
		}
	}
}
