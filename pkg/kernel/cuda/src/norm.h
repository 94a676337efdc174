// The formulas of batch normalisation (Ioffe and Szegedy 2015), of one channel, wherever its elements lie.
#ifndef MM_NORM_H
#define MM_NORM_H

#include "numbers.h"

// Line is y = scale x + shift, of one channel. Its rounding tells the sign of a result again, to the bit.
struct Line {
	float scale, shift;
	__device__ __forceinline__ float operator()(float x) const { return x * scale + shift; }
};

__device__ __forceinline__ Line line_of(float gamma, float beta, float mean, float inv_std) {
	float scale = gamma * inv_std;
	return Line{scale, beta - mean * scale};
}
__device__ __forceinline__ Line line_of(const float *gamma, const float *beta, const float *mean, const float *inv_std, long long c) {
	return line_of(gamma[c], beta[c], mean[c], inv_std[c]);
}

// positive is max(0, v) where relu is set, and keeps a NaN.
__device__ __forceinline__ float positive(float v, bool relu) { return relu && v < 0 ? 0 : v; }

struct Normalise {
	const float *gamma, *beta, *mean, *inv_std;
	__device__ __forceinline__ Line operator()(long long c) const { return line_of(gamma, beta, mean, inv_std, c); }
};

struct Folded {
	const float *scale, *shift;
	__device__ __forceinline__ Line operator()(long long c) const { return Line{scale[c], shift[c]}; }
};

// keep_statistics writes a channel's mean and 1 / sqrt(biased variance + epsilon), and moves the running ones, the variance unbiased, from
// the sums over count elements of their differences from first, and of the squares.
__device__ __forceinline__ void keep_statistics(float *mean, float *inv_std, float *running_mean, float *running_var, long long channel,
	double first, double sum, double squares, double count, double momentum, double epsilon) {
	double variance = (squares - sum * sum / count) / count, average = first + sum / count;
	if (variance < 0) variance = 0; // by rounding; keeps a NaN
	mean[channel] = (float)average;
	inv_std[channel] = (float)(1 / square_root(variance + epsilon));
	double unbiased = variance * count / (count > 2 ? count - 1 : 1);
	running_mean[channel] = (float)((1 - momentum) * (double)running_mean[channel] + momentum * average);
	running_var[channel] = (float)((1 - momentum) * (double)running_var[channel] + momentum * unbiased);
}

// Slope is dx = gamma inv_std (g - dbeta / count - x^ dgamma / count), part being 1 / count.
struct Slope {
	double factor, average, centre, slope;

	Slope() = default;
	__device__ __forceinline__ Slope(float dgamma, float dbeta, float gamma, float mean, float inv_std, double part) {
		double inverse = (double)inv_std;
		factor = (double)gamma * inverse;
		average = (double)dbeta * part;
		centre = (double)mean;
		slope = inverse * (double)dgamma * part;
	}
	__device__ __forceinline__ Slope(const float *dgamma, const float *dbeta, const float *gamma, const float *mean, const float *inv_std,
		long long c, double part)
		: Slope(dgamma[c], dbeta[c], gamma[c], mean[c], inv_std[c], part) {}
	__device__ __forceinline__ float operator()(float g, float x) const {
		return (float)(factor * ((double)g - average - ((double)x - centre) * slope));
	}
};

#endif
