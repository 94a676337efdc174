// Attention among the present tokens of a row (kernel.Tokens), a block a row and head: a warp computes a score, its lanes along the
// head's width d; a thread computes one element of the results, adding over the tokens in order. The queries are taken a few at a
// time, so that their scores fit in shared memory however many tokens there are.
//
// With T tokens, FLOPs 4 T² d a row and head and bytes 16 T d forward, FLOPs 10 T² d and bytes 28 T d backward: T is the number of
// modalities, so these are limited by memory, and by the launch where rows are few.
#include "numbers.h"

constexpr int queries = 16, most_tokens = 64; // kernel.MaxTokens

// Head is one row's tokens as one head sees them.
struct Head {
	const float *qkv, *keep; // (T,3,width) from the head's first column on, (T)
	long long tokens, width, d;

	__device__ __forceinline__ const float *part(long long i, int which) const { return qkv + (3 * i + which) * width; }
	__device__ __forceinline__ bool present(long long i) const { return keep[i] != 0; }
};

__device__ __forceinline__ Head head_of(const float *qkv, const float *keep, long long item, long long tokens, long long heads, long long width) {
	long long h, r = divide(item, heads, h);
	return Head{qkv + r * tokens * 3 * width + h * (width / heads), keep + r * tokens, tokens, width, width / heads};
}

// Scores is what is kept of some queries: weights over the tokens and, backward, the gradients of the weights and then of the scores.
struct Scores {
	double weight[queries][most_tokens], grad[queries][most_tokens];
};

// warp_dot returns a b to each lane of the warp.
__device__ __forceinline__ double warp_dot(const float *a, const float *b, long long d) {
	double sum = 0;
	for (long long e = threadIdx.x % 32; e < d; e += 32) sum += (double)a[e] * (double)b[e];
	return warp_sum(sum);
}

// weigh writes the weights of queries [from,to), softmax(q k / sqrt(d)) over the present tokens. A score that is NaN or infinite
// makes every weight NaN.
__device__ __forceinline__ void weigh(Scores &s, const Head &h, long long from, long long to) {
	double root = square_root((double)h.d);
	for (long long pair = threadIdx.x / 32; pair < (to - from) * h.tokens; pair += blockDim.x / 32) {
		long long j, i = divide(pair, h.tokens, j);
		if (!h.present(from + i) || !h.present(j)) continue;
		double score = warp_dot(h.part(from + i, 0), h.part(j, 1), h.d) / root;
		if (threadIdx.x % 32 == 0) s.weight[i][j] = score;
	}
	__syncthreads();
	long long i = threadIdx.x;
	if (i < to - from && h.present(from + i)) {
		double *w = s.weight[i], most = -infinity(), sum = 0;
		for (long long j = 0; j < h.tokens; j++)
			if (h.present(j) && w[j] > most) most = w[j];
		for (long long j = 0; j < h.tokens; j++) {
			if (!h.present(j)) continue;
			double z = w[j] - most;
			w[j] = z > -infinity() ? exponential(z) : (double)not_a_number();
			sum += w[j];
		}
		for (long long j = 0; j < h.tokens; j++)
			if (h.present(j)) w[j] /= sum;
	}
	__syncthreads();
}

// y_i = sum over present j of weight_ij v_j. qkv (M,T,3,width), keep (M,T), y (M,T,width). Any number of blocks.
extern "C" __global__ void __launch_bounds__(256) mm_attend(float *y, const float *qkv, const float *keep, long long m, long long tokens,
	long long heads, long long width) {
	__shared__ Scores scores;
	for (long long item = blockIdx.x; item < m * heads; item += gridDim.x) {
		Head h = head_of(qkv, keep, item, tokens, heads, width);
		long long head, r = divide(item, heads, head);
		float *out = y + r * tokens * width + head * h.d;
		for (long long from = 0; from < tokens; from += queries) {
			long long to = from + queries < tokens ? from + queries : tokens;
			weigh(scores, h, from, to);
			for (long long t = threadIdx.x; t < (to - from) * h.d; t += blockDim.x) {
				long long e, i = divide(t, h.d, e);
				float sum = 0;
				if (h.present(from + i))
					for (long long j = 0; j < tokens; j++)
						if (h.present(j)) sum += (float)scores.weight[i][j] * h.part(j, 2)[e];
				out[(from + i) * width + e] = sum;
			}
			__syncthreads();
		}
	}
}

// With a the weights and s the scores, da_j = dy v_j, ds_j = a_j (da_j - sum_k a_k da_k) / sqrt(d), and
//
//	dv_j = sum_i a_ij dy_i    dk_j = sum_i ds_ij q_i    dq_i = sum_j ds_ij k_j
//
// dy (M,T,width), qkv and dqkv (M,T,3,width), keep (M,T). Any number of blocks.
extern "C" __global__ void __launch_bounds__(256) mm_attend_grad(float *dqkv, const float *dy, const float *qkv, const float *keep, long long m,
	long long tokens, long long heads, long long width) {
	__shared__ Scores scores;
	for (long long item = blockIdx.x; item < m * heads; item += gridDim.x) {
		Head h = head_of(qkv, keep, item, tokens, heads, width);
		long long head, r = divide(item, heads, head);
		const float *above = dy + r * tokens * width + head * h.d;
		float *out = dqkv + (h.qkv - qkv);
		double root = square_root((double)h.d);
		for (long long from = 0; from < tokens; from += queries) {
			long long to = from + queries < tokens ? from + queries : tokens;
			weigh(scores, h, from, to);
			for (long long pair = threadIdx.x / 32; pair < (to - from) * tokens; pair += blockDim.x / 32) {
				long long j, i = divide(pair, tokens, j);
				if (!h.present(from + i) || !h.present(j)) continue;
				double grad = warp_dot(above + (from + i) * width, h.part(j, 2), h.d);
				if (threadIdx.x % 32 == 0) scores.grad[i][j] = grad;
			}
			__syncthreads();
			long long row = threadIdx.x;
			if (row < to - from && h.present(from + row)) {
				double mean = 0, *w = scores.weight[row], *grad = scores.grad[row];
				for (long long j = 0; j < tokens; j++)
					if (h.present(j)) mean += w[j] * grad[j];
				for (long long j = 0; j < tokens; j++)
					if (h.present(j)) grad[j] = w[j] * (grad[j] - mean) / root;
			}
			__syncthreads();
			for (long long t = threadIdx.x; t < (to - from) * h.d; t += blockDim.x) {
				long long e, i = divide(t, h.d, e);
				float sum = 0;
				if (h.present(from + i))
					for (long long j = 0; j < tokens; j++)
						if (h.present(j)) sum += (float)scores.grad[i][j] * h.part(j, 1)[e];
				out[3 * (from + i) * width + e] = sum;
			}
			for (long long t = threadIdx.x; t < tokens * h.d; t += blockDim.x) {
				long long e, j = divide(t, h.d, e);
				float *dk = out + (3 * j + 1) * width + e, *dv = dk + width;
				float key = from ? *dk : 0, value = from ? *dv : 0; // a thread's own, of the queries before
				if (h.present(j))
					for (long long i = 0; i < to - from; i++) {
						if (!h.present(from + i)) continue;
						value += (float)scores.weight[i][j] * above[(from + i) * width + e];
						key += (float)scores.grad[i][j] * h.part(from + i, 0)[e];
					}
				*dk = key;
				*dv = value;
			}
			__syncthreads();
		}
	}
}

// share_of returns 1 over the number of present tokens.
__device__ __forceinline__ float share_of(const float *keep, long long tokens) {
	int present = 0;
	for (long long i = 0; i < tokens; i++) present += keep[i] != 0;
	return 1 / (float)present;
}

// y = mean over the present tokens of a row, 0 where there is none. x (M,T,N), y (M,N). Bytes 4 m n (tokens + 1), FLOPs m n tokens.
extern "C" __global__ void mm_masked_mean(float *y, const float *x, const float *keep, long long m, long long tokens, long long n) {
	ELEMENTS(i, m * n) {
		long long j, r = divide(i, n, j);
		const float *present = keep + r * tokens;
		float share = share_of(present, tokens), sum = 0;
		for (long long t = 0; t < tokens; t++)
			if (present[t] != 0) sum += share * x[(r * tokens + t) * n + j];
		y[i] = sum;
	}
}

// dy (M,N), dx (M,T,N). Bytes 4 m n (tokens + 1), FLOPs m n tokens.
extern "C" __global__ void mm_masked_mean_grad(float *dx, const float *dy, const float *keep, long long m, long long tokens, long long n) {
	ELEMENTS(i, m * tokens * n) {
		long long j, t, r = divide(divide(i, n, j), tokens, t);
		const float *present = keep + r * tokens;
		dx[i] = present[t] != 0 ? share_of(present, tokens) * dy[r * n + j] : 0;
	}
}
