// Batch normalisation (Ioffe and Szegedy 2015). Feature maps are (N,C,pixels). Every kernel reads and writes its maps once and
// computes some 10 FLOPs an element: all are limited by memory.
#include "norm.h"

// Walk is a thread's elements of one channel: runs of 4 pixels where that divides them, else of 1, every blockDim.x-th of the run.
struct Walk {
	long long image, pixel, images, pixels, channels, channel, images_on, pixels_on;
	int run;

	__device__ __forceinline__ Walk(long long n, long long c, long long pixels, long long channel)
		: images(n), pixels(pixels), channels(c), channel(channel), run(pixels % 4 == 0 ? 4 : 1) {
		image = divide(threadIdx.x * run, pixels, pixel);
		images_on = divide(blockDim.x * run, pixels, pixels_on);
	}
	__device__ __forceinline__ bool more() const { return image < images; }
	__device__ __forceinline__ long long at() const { return (image * channels + channel) * pixels + pixel; }
	__device__ __forceinline__ void next() {
		image += images_on;
		pixel += pixels_on;
		if (pixel >= pixels) {
			pixel -= pixels;
			image++;
		}
	}
};

// ahead is how many runs a thread has on their way before it adds them: channels are few, and a block alone has to fill its
// multiprocessor's part of the memory's bandwidth. For the same reason blocks have up to 1024 threads.
constexpr int ahead = 4;

// load reads a run of four elements from p, with one access where quads is set, or of one.
__device__ __forceinline__ Quad load(const float *p, int run, bool quads) {
	if (run == 1) return Quad{p[0], 0, 0, 0};
	if (quads) return read(p);
	return Quad{p[0], p[1], p[2], p[3]};
}

// A channel's mean and 1 / sqrt(biased variance + epsilon); the running ones move by momentum, the variance unbiased. A block a
// channel. Sums are of differences from the channel's first element, in float64: no digits are lost where the mean is large.
// Bytes 4 n c pixels.
extern "C" __global__ void __launch_bounds__(1024) mm_batch_norm_stats(float *mean, float *inv_std, float *running_mean, float *running_var,
	const float *x, long long n, long long c, long long pixels, double momentum, double epsilon) {
	__shared__ Sums sums;
	for (long long channel = blockIdx.x; channel < c; channel += gridDim.x) {
		double first = (double)x[channel * pixels], sum = 0, squares = 0;
		bool quads = aligned(x);
		for (Walk w(n, c, pixels, channel); w.more();) {
			Quad v[ahead];
			bool here[ahead];
#pragma unroll
			for (int k = 0; k < ahead; k++, w.next())
				if ((here[k] = w.more())) v[k] = load(x + w.at(), w.run, quads);
#pragma unroll
			for (int k = 0; k < ahead; k++) {
				if (!here[k]) continue;
				if (w.run == 4) {
					double p = v[k].x - first, q = v[k].y - first, r = v[k].z - first, s = v[k].w - first;
					sum += (p + q) + (r + s);
					squares += (p * p + q * q) + (r * r + s * s);
				} else {
					double d = v[k].x - first;
					sum += d;
					squares += d * d;
				}
			}
		}
		sum = block_sum(sum, sums);
		squares = block_sum(squares, sums);
		if (threadIdx.x == 0) {
			keep_statistics(mean, inv_std, running_mean, running_var, channel, first, sum, squares, (double)(n * pixels), momentum, epsilon);
		}
	}
}

// transform writes y = line(channel)(x) + residual, and max(0, y) where relu is set.
template <class F>
__device__ __forceinline__ void transform(float *y, const float *x, const float *residual, long long n, long long c, long long pixels, bool relu,
	F line) {
	bool quads = pixels % 4 == 0 && aligned(y, x, residual);
	long long step = quads ? 4 : 1;
	ELEMENTS(item, n * c * pixels / step) {
		long long rest, channel, i = item * step;
		divide(divide(i, pixels, rest), c, channel);
		Line l = line(channel);
		if (!quads) {
			float v = l(x[i]);
			if (residual) v += residual[i];
			y[i] = positive(v, relu);
			continue;
		}
		Quad v = read(x + i);
		v = Quad{l(v.x), l(v.y), l(v.z), l(v.w)};
		if (residual) {
			Quad r = read(residual + i);
			v = Quad{v.x + r.x, v.y + r.y, v.z + r.z, v.w + r.w};
		}
		write(y + i, Quad{positive(v.x, relu), positive(v.y, relu), positive(v.z, relu), positive(v.w, relu)});
	}
}

// y = gamma (x - mean) inv_std + beta + residual. Bytes 8 n c pixels, 12 with a residual.
extern "C" __global__ void __launch_bounds__(256) mm_batch_norm(float *y, const float *x, const float *residual, const float *gamma,
	const float *beta, const float *mean, const float *inv_std, long long n, long long c, long long pixels, long long relu) {
	transform(y, x, residual, n, c, pixels, relu != 0, Normalise{gamma, beta, mean, inv_std});
}

// y = scale x + shift + residual. Bytes 8 n c pixels, 12 with a residual.
extern "C" __global__ void __launch_bounds__(256) mm_affine(float *y, const float *x, const float *scale, const float *shift,
	const float *residual, long long n, long long c, long long pixels, long long relu) {
	transform(y, x, residual, n, c, pixels, relu != 0, Folded{scale, shift});
}

// scale = gamma / sqrt(running variance + epsilon), shift = beta - scale running mean.
extern "C" __global__ void mm_fold_norm(float *scale, float *shift, const float *gamma, const float *beta, const float *running_mean,
	const float *running_var, long long c, double epsilon) {
	ELEMENTS(i, c) {
		double f = (double)gamma[i] / square_root((double)running_var[i] + epsilon);
		scale[i] = (float)f;
		shift[i] = (float)((double)beta[i] - f * (double)running_mean[i]);
	}
}

// Through reads a run of x and of dy where the activation let it through: y tells where it is given, else x, from which the result is
// computed again.
struct Through {
	const float *dy, *x, *y;
	bool relu, quads;

	__device__ __forceinline__ Quad operator()(long long i, int run, const Line &line, Quad &in) const {
		in = load(x + i, run, quads);
		Quad g = load(dy + i, run, quads);
		if (!relu) return g;
		Quad r = y ? load(y + i, run, quads) : Quad{line(in.x), line(in.y), line(in.z), line(in.w)};
		return Quad{r.x > 0 ? g.x : 0, r.y > 0 ? g.y : 0, r.z > 0 ? g.z : 0, r.w > 0 ? g.w : 0};
	}
};

// dbeta = sum g, dgamma = sum g x^, with g = dy where the activation let it through and x^ the normalised input. A block a channel.
// y may be null. Bytes 8 n c pixels, 12 with y.
extern "C" __global__ void __launch_bounds__(1024) mm_batch_norm_grad_sums(float *dgamma, float *dbeta, const float *dy, const float *x,
	const float *y, const float *gamma, const float *beta, const float *mean, const float *inv_std, long long n, long long c,
	long long pixels, long long relu) {
	__shared__ Sums sums;
	Through through{dy, x, y, relu != 0, aligned(dy, x, y)};
	for (long long channel = blockIdx.x; channel < c; channel += gridDim.x) {
		Line line = line_of(gamma, beta, mean, inv_std, channel);
		double centre = (double)mean[channel], sum = 0, dot = 0;
		for (Walk w(n, c, pixels, channel); w.more();) {
			Quad v[ahead / 2], g[ahead / 2]; // zeros where there is nothing
#pragma unroll
			for (int k = 0; k < ahead / 2; k++, w.next()) {
				v[k] = g[k] = Quad{0, 0, 0, 0};
				if (w.more()) g[k] = through(w.at(), w.run, line, v[k]);
			}
#pragma unroll
			for (int k = 0; k < ahead / 2; k++) {
				const float in[4] = {v[k].x, v[k].y, v[k].z, v[k].w}, up[4] = {g[k].x, g[k].y, g[k].z, g[k].w};
#pragma unroll
				for (int e = 0; e < 4; e++) {
					if (e >= w.run) break;
					sum += (double)up[e];
					dot += (double)up[e] * ((double)in[e] - centre);
				}
			}
		}
		sum = block_sum(sum, sums);
		dot = block_sum(dot, sums);
		if (threadIdx.x == 0) {
			dbeta[channel] = (float)sum;
			dgamma[channel] = (float)(dot * (double)inv_std[channel]);
		}
	}
}

// dx = gamma inv_std (g - dbeta / count - x^ dgamma / count), and dresidual = g where it is not null. dx or dresidual may be dy.
// Bytes 12 n c pixels, 4 more for each of y and dresidual.
extern "C" __global__ void __launch_bounds__(256) mm_batch_norm_grad(float *dx, float *dresidual, const float *dgamma, const float *dbeta,
	const float *dy, const float *x, const float *y, const float *gamma, const float *beta, const float *mean, const float *inv_std,
	long long n, long long c, long long pixels, long long relu) {
	bool quads = pixels % 4 == 0 && aligned(dx, dresidual, dy) && aligned(x, y);
	Through through{dy, x, y, relu != 0, quads};
	double part = 1 / (double)(n * pixels);
	int step = quads ? 4 : 1;
	ELEMENTS(item, n * c * pixels / step) {
		long long rest, channel, i = item * step;
		divide(divide(i, pixels, rest), c, channel);
		Line line = line_of(gamma, beta, mean, inv_std, channel);
		Slope grad(dgamma, dbeta, gamma, mean, inv_std, channel, part);
		Quad v, g = through(i, step, line, v);
		if (!quads) {
			if (dresidual) dresidual[i] = g.x;
			dx[i] = grad(g.x, v.x);
			continue;
		}
		if (dresidual) write(dresidual + i, g);
		write(dx + i, Quad{grad(g.x, v.x), grad(g.y, v.y), grad(g.z, v.z), grad(g.w, v.w)});
	}
}
