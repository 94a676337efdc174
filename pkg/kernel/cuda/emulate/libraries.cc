// cuBLAS and cuDNN as far as pkg/kernel/cuda calls them, on the emulated driver's streams: plain loops, sums in double. As in the
// libraries, alpha, beta and descriptors are read when the call is made, matrices when it runs. What they are given has to be whole matrices
// in the memory of the card that is current, cuDNN's at a multiple of 16 bytes, which its kernels take for granted.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "emulate.h"
#include "shim.h"

namespace {

struct Handle {
	CUstream stream = nullptr;
	void *workspace = nullptr;
};

// Descriptor is sizes; of a tensor, how they lie and its type, too.
struct Descriptor {
	int v[8] = {};
	bool last = false, narrow = false;

	// at returns the place of (a,b,i,j) of v.
	long at(long a, long b, long i, long j) const { return last ? ((a * v[2] + i) * v[3] + j) * v[1] + b : ((a * v[1] + b) * v[2] + i) * v[3] + j; }
	long size() const { return (long)v[0] * v[1] * v[2] * v[3]; }
	bool lies(const void *p) const { return (uintptr_t)p % 16 == 0 && emulate_current(p, (size_t)size() * (narrow ? 2 : 4)); }
	double load(const void *p, long i) const {
		if (!narrow) return ((const float *)p)[i];
		unsigned bits = (unsigned)((const unsigned short *)p)[i] << 16;
		float f;
		memcpy(&f, &bits, 4);
		return f;
	}
	void store(void *p, const std::vector<double> &sums) const {
		for (size_t i = 0; i < sums.size(); i++) {
			if (narrow) ((unsigned short *)p)[i] = (unsigned short)emulate_round7((float)sums[i]);
			else ((float *)p)[i] = (float)sums[i];
		}
	}
};

// What is expected of an algorithm, as cudnn.h has it.
struct Expectation {
	int algorithm, status;
	float time;
	size_t memory;
	int determinism, math, reserved[3];
};

// The algorithms that the emulated cuDNN offers, the one that it expects to be the fastest first: one that does not repeat its results, one that
// works in too much, one that it does not do after all, one without tensor cores alone, and two for everything. All compute the same.
enum { loose = 0, usual = 1, roomy = 2, dropped = 3, chosen = 4, coreless = 5 };
constexpr int fma_math = 3; // CUDNN_FMA_MATH

int expect(size_t size, int wanted, int *n, Expectation *all) {
	const Expectation found[] = {{loose, 0, 1, size, 0, 0, {}}, {roomy, 0, 2, (size_t)2 << 30, 1, 0, {}}, {dropped, 9, 3, size, 1, 0, {}},
		{coreless, 0, 4, size, 1, fma_math, {}}, {chosen, 0, 5, size, 1, 0, {}}, {usual, 0, 6, size, 1, 0, {}}};
	*n = 0;
	for (const Expectation &e : found)
		if (*n < wanted) all[(*n)++] = e;
	return 0;
}

// refused tells whether MM_EMULATED_REFUSE names channels "last" when asked, as of a library that does not have them, or "run" when it runs, or
// "chosen", the algorithm that it expected most of when it runs;
// "all" and "all run" are both layouts.
bool refused(const Descriptor &d, bool running, int algorithm = usual, int math = fma_math) {
	if (algorithm != usual && algorithm != chosen && (algorithm != coreless || math != fma_math)) return true;
	const char *what = getenv("MM_EMULATED_REFUSE");
	if (!what) return false;
	if (algorithm != usual && !strcmp(what, "chosen")) return true;
	return !strcmp(what, running ? "all run" : "all") || (d.last && !strcmp(what, running ? "run" : "last"));
}

// Convolution is the sizes of one: x (n,c,h,w), w (k,c,kh,kw), y (n,k,oh,ow).
struct Convolution {
	Descriptor dx, dw, dy;
	long n, c, h, w, k, kh, kw, oh, ow, ph, pw, sh, sw;
	int math;

	Convolution(void *xd, void *wd, void *yd, void *cd) : dx(*(Descriptor *)xd), dw(*(Descriptor *)wd), dy(*(Descriptor *)yd) {
		const int *x = dx.v, *f = dw.v, *y = dy.v, *p = ((Descriptor *)cd)->v;
		n = x[0], c = x[1], h = x[2], w = x[3], k = f[0], kh = f[2], kw = f[3], oh = y[2], ow = y[3], ph = p[0], pw = p[1], sh = p[2], sw = p[3], math = p[4];
	}

	// fits tells whether the sizes, layouts and types agree, as the libraries ask for.
	bool fits() const {
		const int *f = dw.v, *y = dy.v;
		if (dw.last != dx.last || dy.last != dx.last || dw.narrow != dx.narrow || dy.narrow != dx.narrow) return false;
		return f[1] == c && y[0] == n && y[1] == k && oh == (h + 2 * ph - kh) / sh + 1 && ow == (w + 2 * pw - kw) / sw + 1;
	}

	// lies tells whether a call's operands are where they may be, and its workspace is what was asked for.
	bool lies(void *h, const void *x, const void *w, const void *y, void *room, size_t size) const;

	// each calls f with the places of x, w and y in every term of the convolution.
	template <class F>
	void each(F f) const {
		for (long b = 0; b < n; b++)
			for (long o = 0; o < k; o++)
				for (long i = 0; i < oh; i++)
					for (long j = 0; j < ow; j++)
						for (long q = 0; q < c; q++)
							for (long r = 0; r < kh; r++)
								for (long s = 0; s < kw; s++) {
									long u = i * sh + r - ph, v = j * sw + s - pw;
									if (u < 0 || u >= h || v < 0 || v >= w) continue;
									f(dx.at(b, q, u, v), dw.at(o, q, r, s), dy.at(b, o, i, j));
								}
	}
};

// workspace is what a convolution of n images asks for.
size_t workspace(long n) { return 4096 * (size_t)n; }

bool Convolution::lies(void *h, const void *x, const void *w, const void *y, void *room, size_t size) const {
	if (!emulate_ready(((Handle *)h)->stream) || size < workspace(n) || !emulate_current(room, size)) return false;
	return dx.lies(x) && dw.lies(w) && dy.lies(y);
}

bool plain(const void *alpha, const void *beta) { return *(const float *)alpha == 1 && *(const float *)beta == 0; }

} // namespace

extern "C" {

int cublasCreate_v2(void **h) {
	*h = new Handle;
	return 0;
}

int cublasDestroy_v2(void *h) {
	delete (Handle *)h;
	return 0;
}

int cublasSetStream_v2(void *h, void *stream) {
	*(Handle *)h = {(CUstream)stream, nullptr}; // which forgets cuBLAS's workspace
	return 0;
}

int cublasSetWorkspace_v2(void *h, void *workspace, size_t size) {
	if ((uintptr_t)workspace % 256 || !emulate_current(workspace, size)) return 7;
	((Handle *)h)->workspace = workspace;
	return 0;
}

int cublasGemmEx(void *h, int trans_a, int trans_b, int m, int n, int k, const void *alpha, const void *a, int type_a, int lda, const void *b,
	int type_b, int ldb, const void *beta, void *c, int type_c, int ldc, int compute, int) {
	if (type_a || type_b || type_c || !plain(alpha, beta) || compute < 68 || compute > 77) return 7;
	if (lda < (trans_a ? k : m) || ldb < (trans_b ? n : k) || ldc < m) return 7;
	if (!emulate_ready(((Handle *)h)->stream) || !((Handle *)h)->workspace) return 14; // it would allocate one
	auto lies = [](const void *p, long ld, long rows, long columns) { return !rows || !columns || emulate_current(p, 4 * (ld * (columns - 1) + rows)); };
	if (!lies(a, lda, trans_a ? k : m, trans_a ? m : k) || !lies(b, ldb, trans_b ? n : k, trans_b ? k : n) || !lies(c, ldc, m, n)) return 13;
	auto x = (const float *)a, y = (const float *)b;
	auto z = (float *)c;
	emulate_enqueue(((Handle *)h)->stream, [=] {
		for (long j = 0; j < n; j++)
			for (long i = 0; i < m; i++) {
				double sum = 0;
				for (long l = 0; l < k; l++) sum += (double)x[trans_a ? i * lda + l : l * lda + i] * y[trans_b ? l * ldb + j : j * ldb + l];
				z[j * ldc + i] = (float)sum;
			}
	}, ((Handle *)h)->workspace);
	return 0;
}

int cudnnCreate(void **h) { return cublasCreate_v2(h); }
int cudnnDestroy(void *h) { return cublasDestroy_v2(h); }
int cudnnSetStream(void *h, void *stream) { return cublasSetStream_v2(h, stream); }

static int create(void **d) {
	*d = new Descriptor;
	return 0;
}

static int destroy(void *d) {
	delete (Descriptor *)d;
	return 0;
}

int cudnnCreateTensorDescriptor(void **d) { return create(d); }
int cudnnDestroyTensorDescriptor(void *d) { return destroy(d); }
int cudnnCreateFilterDescriptor(void **d) { return create(d); }
int cudnnDestroyFilterDescriptor(void *d) { return destroy(d); }
int cudnnCreateConvolutionDescriptor(void **d) { return create(d); }
int cudnnDestroyConvolutionDescriptor(void *d) { return destroy(d); }

int cudnnSetTensor4dDescriptor(void *d, int format, int type, int n, int c, int h, int w) {
	if (format > 1 || (type != 0 && type != 9)) return 3;
	*(Descriptor *)d = {{n, c, h, w}, format == 1, type == 9};
	return 0;
}

int cudnnSetFilter4dDescriptor(void *d, int type, int format, int k, int c, int h, int w) {
	return cudnnSetTensor4dDescriptor(d, format, type, k, c, h, w);
}

int cudnnSetConvolution2dDescriptor(void *d, int ph, int pw, int sh, int sw, int dh, int dw, int mode, int type) {
	if (dh != 1 || dw != 1 || mode != 1 || type != 0) return 3;
	*(Descriptor *)d = {{ph, pw, sh, sw}, false, false};
	return 0;
}

int cudnnSetConvolutionMathType(void *d, int type) {
	((Descriptor *)d)->v[4] = type;
	return 0;
}

static int measure(void *xd, void *wd, void *yd, void *cd, int algorithm, size_t *size) {
	Convolution c(xd, wd, yd, cd);
	if (!c.fits()) return 3;
	if (refused(c.dx, false) || algorithm == dropped) return 9;
	*size = algorithm == roomy ? (size_t)2 << 30 : workspace(c.n);
	return 0;
}

static int choose(void *xd, void *wd, void *yd, void *cd, int wanted, int *n, void *all) {
	Convolution c(xd, wd, yd, cd);
	return c.fits() ? expect(workspace(c.n), wanted, n, (Expectation *)all) : 3;
}

int cudnnGetConvolutionForwardAlgorithm_v7(void *, void *xd, void *wd, void *cd, void *yd, int wanted, int *n, void *all) {
	return choose(xd, wd, yd, cd, wanted, n, all);
}

int cudnnGetConvolutionBackwardDataAlgorithm_v7(void *, void *wd, void *dyd, void *cd, void *dxd, int wanted, int *n, void *all) {
	return choose(dxd, wd, dyd, cd, wanted, n, all);
}

int cudnnGetConvolutionBackwardFilterAlgorithm_v7(void *, void *xd, void *dyd, void *cd, void *dwd, int wanted, int *n, void *all) {
	return choose(xd, dwd, dyd, cd, wanted, n, all);
}

int cudnnGetConvolutionForwardWorkspaceSize(void *, void *xd, void *wd, void *cd, void *yd, int algorithm, size_t *size) {
	return measure(xd, wd, yd, cd, algorithm, size);
}

int cudnnGetConvolutionBackwardDataWorkspaceSize(void *, void *wd, void *dyd, void *cd, void *dxd, int algorithm, size_t *size) {
	return measure(dxd, wd, dyd, cd, algorithm, size);
}

int cudnnGetConvolutionBackwardFilterWorkspaceSize(void *, void *xd, void *dyd, void *cd, void *dwd, int algorithm, size_t *size) {
	return measure(xd, dwd, dyd, cd, algorithm, size);
}

int cudnnConvolutionForward(void *h, const void *alpha, void *xd, const void *x, void *wd, const void *w, void *cd, int algorithm, void *room, size_t size,
	const void *beta, void *yd, void *y) {
	Convolution c(xd, wd, yd, cd);
	if (!plain(alpha, beta) || !c.lies(h, x, w, y, room, size)) return 3;
	if (refused(c.dx, true, algorithm, c.math)) return 9;
	emulate_enqueue(((Handle *)h)->stream, [=] {
		std::vector<double> sums(c.dy.size());
		c.each([&](long i, long j, long o) { sums[o] += c.dx.load(x, i) * c.dw.load(w, j); });
		c.dy.store(y, sums);
	}, room);
	return 0;
}

int cudnnConvolutionBackwardData(void *h, const void *alpha, void *wd, const void *w, void *dyd, const void *dy, void *cd, int algorithm, void *room,
	size_t size, const void *beta, void *dxd, void *dx) {
	Convolution c(dxd, wd, dyd, cd);
	if (!plain(alpha, beta) || !c.lies(h, dx, w, dy, room, size)) return 3;
	if (refused(c.dx, true, algorithm, c.math)) return 9;
	emulate_enqueue(((Handle *)h)->stream, [=] {
		std::vector<double> sums(c.dx.size());
		c.each([&](long i, long j, long o) { sums[i] += c.dy.load(dy, o) * c.dw.load(w, j); });
		c.dx.store(dx, sums);
	}, room);
	return 0;
}

int cudnnConvolutionBackwardFilter(void *h, const void *alpha, void *xd, const void *x, void *dyd, const void *dy, void *cd, int algorithm, void *room,
	size_t size, const void *beta, void *dwd, void *dw) {
	Convolution c(xd, dwd, dyd, cd);
	if (!plain(alpha, beta) || !c.lies(h, x, dw, dy, room, size)) return 3;
	if (refused(c.dx, true, algorithm, c.math)) return 9;
	emulate_enqueue(((Handle *)h)->stream, [=] {
		std::vector<double> sums(c.dw.size());
		c.each([&](long i, long j, long o) { sums[j] += c.dy.load(dy, o) * c.dx.load(x, i); });
		c.dw.store(dw, sums);
	}, room);
	return 0;
}

} // extern "C"
