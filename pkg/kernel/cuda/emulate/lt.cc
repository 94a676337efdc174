// cuBLASLt as far as pkg/kernel/cuda calls it: products with a bias and ReLU, plain loops, sums in double. It knows no algorithm for
// matrices off a multiple of 16 bytes, as the library knows fewer.
#include <cstdlib>
#include <cstring>
#include <vector>

#include "emulate.h"

namespace {

struct Product {
	int transposed = 0, epilogue = 1;
	const float *bias = nullptr;
};

struct Layout {
	long rows, columns, ld;
};

struct Preference {
	size_t workspace = 0;
	unsigned schemes = 7, alignments[4] = {256, 256, 256, 256};
};

constexpr int invalid = 7, failed = 13, unsupported = 15;

} // namespace

extern "C" {

int cublasLtCreate(void **h) {
	*h = new int;
	return 0;
}

int cublasLtDestroy(void *h) {
	delete (int *)h;
	return 0;
}

int cublasLtMatmulDescCreate(void **d, int compute, int scale) {
	if ((compute != 68 && compute != 75 && compute != 77) || scale != 0) return invalid;
	*d = new Product;
	return 0;
}

int cublasLtMatmulDescDestroy(void *d) {
	delete (Product *)d;
	return 0;
}

int cublasLtMatmulDescSetAttribute(void *d, int attribute, const void *value, size_t size) {
	auto p = (Product *)d;
	switch (attribute) {
	case 3: return size == 4 ? (memcpy(&p->transposed, value, 4), 0) : invalid;
	case 7: return size == 4 ? (memcpy(&p->epilogue, value, 4), 0) : invalid;
	case 8: return size == 8 ? (memcpy(&p->bias, value, 8), 0) : invalid;
	default: return invalid;
	}
}

int cublasLtMatrixLayoutCreate(void **l, int type, uint64_t rows, uint64_t columns, int64_t ld) {
	if (type != 0 || ld < (int64_t)rows) return invalid;
	*l = new Layout{(long)rows, (long)columns, (long)ld};
	return 0;
}

int cublasLtMatrixLayoutDestroy(void *l) {
	delete (Layout *)l;
	return 0;
}

int cublasLtMatmulPreferenceCreate(void **p) {
	*p = new Preference;
	return 0;
}

int cublasLtMatmulPreferenceDestroy(void *p) {
	delete (Preference *)p;
	return 0;
}

int cublasLtMatmulPreferenceSetAttribute(void *preference, int attribute, const void *value, size_t size) {
	auto p = (Preference *)preference;
	if (attribute == 1) return size == 8 ? (memcpy(&p->workspace, value, 8), 0) : invalid;
	if (size != 4) return invalid;
	if (attribute == 3) return memcpy(&p->schemes, value, 4), 0;
	if (attribute >= 5 && attribute <= 8) return memcpy(&p->alignments[attribute - 5], value, 4), 0;
	return invalid;
}

int cublasLtMatmulAlgoGetHeuristic(void *, void *, void *a, void *b, void *c, void *d, void *preference, int wanted, void *results, int *n) {
	auto p = (Preference *)preference;
	auto w = (Layout *)a, x = (Layout *)b, y = (Layout *)d;
	*n = 0;
	if (wanted != 1 || c != d || w->rows != x->rows || y->rows != w->columns || y->columns != x->columns) return invalid;
	if (!p->workspace || p->schemes & 1) return invalid; // sums in the result, as they come
	for (unsigned alignment : p->alignments)
		if (alignment < 16) return unsupported;
	memset(results, 0, 64 + 8 + 4 + 4 + 16); // state 0: it can be done
	*(uint64_t *)results = 42;
	*n = 1;
	return 0;
}

int cublasLtMatmul(void *, void *descriptor, const void *alpha, const void *a, void *al, const void *b, void *bl, const void *beta, const void *c,
	void *, void *d, void *dl, const void *algorithm, void *workspace, size_t size, void *stream) {
	Product p = *(Product *)descriptor;
	Layout w = *(Layout *)al, x = *(Layout *)bl, y = *(Layout *)dl;
	if (*(const float *)alpha != 1 || *(const float *)beta != 0 || c != d || !p.transposed || *(const uint64_t *)algorithm != 42 || !workspace || !size)
		return invalid;
	if (((uintptr_t)a | (uintptr_t)b | (uintptr_t)d) % 16) return unsupported; // another algorithm's matrices
	if (const char *what = getenv("MM_EMULATED_REFUSE"); what && !strcmp(what, "product")) return unsupported; // which it had offered
	auto lies = [](const void *p, const Layout &l) { return emulate_current(p, 4 * (l.ld * (l.columns - 1) + l.rows)); };
	if (!emulate_ready((CUstream)stream) || !lies(a, w) || !lies(b, x) || !lies(d, y) || !emulate_current(workspace, size)) return failed;
	if (p.epilogue & 4 && !emulate_current(p.bias, 4 * y.rows)) return failed;
	emulate_enqueue((CUstream)stream, [=] {
		for (long j = 0; j < y.columns; j++)
			for (long i = 0; i < y.rows; i++) {
				double sum = 0;
				for (long l = 0; l < w.rows; l++) sum += (double)((const float *)a)[i * w.ld + l] * ((const float *)b)[j * x.ld + l];
				float v = (float)sum;
				if (p.epilogue & 4) v += p.bias[i];
				if (p.epilogue & 2 && v < 0) v = 0;
				((float *)d)[j * y.ld + i] = v;
			}
	}, workspace);
	return 0;
}

} // extern "C"
