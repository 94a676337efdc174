//go:build openblas && cgo && linux

// Attention among the present tokens of a row, and their mean. There are a few tokens and many rows, so that a row is one
// thread's, and the weights of one query are all that is held; the gradient computes them again.

#include <math.h>
#include <string.h>

#include "device.h"
#include "exponential.h"

enum { LANES = 16 };

typedef struct {
	float *y;
	const float *x, *dy, *keep;
	size_t m, tokens, heads, n; // n is the width of a token
} operands;

// weights are one query's, of each token.
typedef double weights[MM_MAX_PLAYERS];

// dot sums in LANES chains whatever the vectors.
MM_CLONES static double dot(const float *a, const float *b, size_t n) {
	double lanes[LANES] = {0}, sum = 0;
	size_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (size_t j = 0; j < LANES; j++) lanes[j] += (double)a[i + j] * b[i + j];
	for (size_t j = 0; i + j < n; j++) lanes[j] += (double)a[i + j] * b[i + j];
	for (size_t j = 0; j < LANES; j++) sum += lanes[j];
	return sum;
}

// add adds factor x to y.
MM_CLONES static void add(float *restrict y, const float *restrict x, float factor, size_t n) {
	for (size_t i = 0; i < n; i++) y[i] += factor * x[i];
}

// attend writes the weights of query q over the present tokens, whose keys lie stride apart: softmax(q k / sqrt(d)). A
// score that is NaN or infinite makes every weight NaN.
static void attend(weights w, const float *q, const float *k, size_t stride, const float *keep, size_t tokens, size_t d) {
	double most = -INFINITY, sum = 0, root = sqrt((double)d);
	for (size_t j = 0; j < tokens; j++) {
		if (keep[j] == 0) continue;
		w[j] = dot(q, k + j * stride, d) / root;
		if (w[j] > most) most = w[j];
	}
	for (size_t j = 0; j < tokens; j++) {
		if (keep[j] == 0) continue;
		double z = w[j] - most;
		w[j] = z > -INFINITY ? exponential(z) : NAN;
		sum += w[j];
	}
	for (size_t j = 0; j < tokens; j++)
		if (keep[j] != 0) w[j] /= sum;
}

static void attend_part(mm_device *device, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end, tokens = o->tokens, n = o->n, d = n / o->heads;
	weights w;
	(void)device;
	mm_range(o->m, 1, part, parts, &first, &end);
	for (size_t r = first; r < end; r++) {
		const float *keep = o->keep + r * tokens, *qkv = o->x + r * tokens * 3 * n;
		float *y = o->y + r * tokens * n;
		memset(y, 0, tokens * n * sizeof *y);
		for (size_t h = 0; h < n; h += d)
			for (size_t i = 0; i < tokens; i++) {
				if (keep[i] == 0) continue;
				attend(w, qkv + 3 * i * n + h, qkv + n + h, 3 * n, keep, tokens, d);
				for (size_t j = 0; j < tokens; j++)
					if (keep[j] != 0) add(y + i * n + h, qkv + (3 * j + 2) * n + h, (float)w[j], d);
			}
	}
}

// grad_part adds up, query by query, with a_j its weights and s_j its scores:
//
//	dv_j += a_j dy   da_j = dy v_j   ds_j = a_j (da_j - sum_k a_k da_k)   dq += ds_j k_j / sqrt(d)   dk_j += ds_j q / sqrt(d)
static void grad_part(mm_device *device, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end, tokens = o->tokens, n = o->n, d = n / o->heads;
	double root = sqrt((double)d);
	weights w, dw;
	(void)device;
	mm_range(o->m, 1, part, parts, &first, &end);
	for (size_t r = first; r < end; r++) {
		const float *keep = o->keep + r * tokens, *qkv = o->x + r * tokens * 3 * n, *dy = o->dy + r * tokens * n;
		float *dqkv = o->y + r * tokens * 3 * n;
		memset(dqkv, 0, 3 * tokens * n * sizeof *dqkv);
		for (size_t h = 0; h < n; h += d)
			for (size_t i = 0; i < tokens; i++) {
				if (keep[i] == 0) continue;
				const float *q = qkv + 3 * i * n + h, *up = dy + i * n + h;
				double mean = 0;
				attend(w, q, qkv + n + h, 3 * n, keep, tokens, d);
				for (size_t j = 0; j < tokens; j++) {
					if (keep[j] == 0) continue;
					dw[j] = dot(up, qkv + (3 * j + 2) * n + h, d);
					mean += w[j] * dw[j];
				}
				for (size_t j = 0; j < tokens; j++) {
					if (keep[j] == 0) continue;
					float ds = (float)(w[j] * (dw[j] - mean) / root);
					add(dqkv + (3 * j + 2) * n + h, up, (float)w[j], d);
					add(dqkv + (3 * j + 1) * n + h, q, ds, d);
					add(dqkv + 3 * i * n + h, qkv + (3 * j + 1) * n + h, ds, d);
				}
			}
	}
}

static float share_of(const float *keep, size_t tokens) {
	size_t present = 0;
	for (size_t i = 0; i < tokens; i++) present += keep[i] != 0;
	return present ? 1 / (float)present : 0;
}

static void mean_part(mm_device *device, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end, tokens = o->tokens, n = o->n;
	(void)device;
	mm_range(o->m, 1, part, parts, &first, &end);
	for (size_t r = first; r < end; r++) {
		const float *keep = o->keep + r * tokens;
		float share = share_of(keep, tokens);
		memset(o->y + r * n, 0, n * sizeof *o->y);
		for (size_t i = 0; i < tokens; i++)
			if (keep[i] != 0) add(o->y + r * n, o->x + (r * tokens + i) * n, share, n);
	}
}

static void mean_grad_part(mm_device *device, const void *args, int part, int parts) {
	const operands *o = args;
	size_t first, end, tokens = o->tokens, n = o->n;
	(void)device;
	mm_range(o->m, 1, part, parts, &first, &end);
	for (size_t r = first; r < end; r++) {
		const float *keep = o->keep + r * tokens;
		float share = share_of(keep, tokens);
		memset(o->y + r * tokens * n, 0, tokens * n * sizeof *o->y);
		for (size_t i = 0; i < tokens; i++)
			if (keep[i] != 0) add(o->y + (r * tokens + i) * n, o->dy + r * n, share, n);
	}
}

void mm_attend(mm_device *d, float *y, const float *qkv, const float *keep, size_t m, size_t tokens, size_t heads, size_t n) {
	mm_run(d, attend_part, &(operands){.y = y, .x = qkv, .keep = keep, .m = m, .tokens = tokens, .heads = heads, .n = n},
		mm_parts(d, m * tokens * tokens * n * 2));
}

void mm_attend_grad(mm_device *d, float *dqkv, const float *dy, const float *qkv, const float *keep, size_t m, size_t tokens,
	size_t heads, size_t n) {
	operands o = {.y = dqkv, .x = qkv, .dy = dy, .keep = keep, .m = m, .tokens = tokens, .heads = heads, .n = n};
	mm_run(d, grad_part, &o, mm_parts(d, m * tokens * tokens * n * 5));
}

void mm_masked_mean(mm_device *d, float *y, const float *x, const float *keep, size_t m, size_t tokens, size_t n) {
	mm_run(d, mean_part, &(operands){.y = y, .x = x, .keep = keep, .m = m, .tokens = tokens, .n = n}, mm_parts(d, m * tokens * n));
}

void mm_masked_mean_grad(mm_device *d, float *dx, const float *dy, const float *keep, size_t m, size_t tokens, size_t n) {
	mm_run(d, mean_grad_part, &(operands){.y = dx, .dy = dy, .keep = keep, .m = m, .tokens = tokens, .n = n},
		mm_parts(d, m * tokens * n));
}
