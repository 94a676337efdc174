//go:build mmcuda && cgo && linux

#include <stdio.h>
#include <stdlib.h>

#include "library.h"

// Names and numbers of cublasLt.h, the same in cuBLAS 11 to 13.
enum {
	DESC_TRANSA = 3,
	DESC_EPILOGUE = 7,
	DESC_BIAS_POINTER = 8,
	EPILOGUE_DEFAULT = 1,
	EPILOGUE_RELU = 2,
	EPILOGUE_BIAS = 4,
	PREFERENCE_MAX_WORKSPACE = 1,
	PREFERENCE_REDUCTION_SCHEMES = 3,
	PREFERENCE_MIN_ALIGNMENT_A = 5, // then B, C, D
	REDUCTION_COMPUTE_TYPE = 2,
	REDUCTION_OUTPUT_TYPE = 4,
};

// What cublasLtMatmulAlgoGetHeuristic writes: cublasLtMatmulHeuristicResult_t.
typedef struct {
	struct {
		uint64_t data[8];
	} algorithm;
	size_t workspace;
	int state;
	float waves;
	int reserved[4];
} heuristic;

#define FUNCTIONS(F)                                                                                                                    \
	F(Create, (void **handle))                                                                                                          \
	F(Destroy, (void *handle))                                                                                                          \
	F(MatmulDescCreate, (void **descriptor, int compute, int scale))                                                                    \
	F(MatmulDescDestroy, (void *descriptor))                                                                                            \
	F(MatmulDescSetAttribute, (void *descriptor, int attribute, const void *value, size_t size))                                        \
	F(MatrixLayoutCreate, (void **layout, int type, uint64_t rows, uint64_t columns, int64_t ld))                                       \
	F(MatrixLayoutDestroy, (void *layout))                                                                                              \
	F(MatmulPreferenceCreate, (void **preference))                                                                                      \
	F(MatmulPreferenceDestroy, (void *preference))                                                                                      \
	F(MatmulPreferenceSetAttribute, (void *preference, int attribute, const void *value, size_t size))                                  \
	F(MatmulAlgoGetHeuristic, (void *handle, void *descriptor, void *a, void *b, void *c, void *d, void *preference, int wanted,         \
		heuristic *results, int *n))                                                                                                    \
	F(Matmul, (void *handle, void *descriptor, const void *alpha, const void *a, void *al, const void *b, void *bl, const void *beta,   \
		const void *c, void *cl, void *d, void *dl, const void *algorithm, void *workspace, size_t size, void *stream))

struct mm_lt {
	void *library, *handle;
	size_t workspace_size;
	int compute;
	FUNCTIONS(MM_MEMBER)
};

struct mm_product {
	void *descriptor, *w, *x, *y;
	heuristic chosen;
};

void mm_lt_close(mm_lt *l) {
	if (!l) return;
	if (l->handle) l->Destroy(l->handle);
	free(l);
}

mm_lt *mm_lt_open(const char *path, size_t workspace_size, int precision, char *message, size_t size) {
	mm_lt *l = calloc(1, sizeof *l);
	if (!l) {
		snprintf(message, size, "out of memory");
		return 0;
	}
	message[0] = 0;
	l->library = mm_library_open(path, message, size);
#define FIND(name, parameters) l->name = mm_library_find(l->library, path, "cublasLt" #name, message, size);
	FUNCTIONS(FIND)
#undef FIND
	int status;
	if (!message[0] && (status = l->Create(&l->handle)) != 0) {
		l->handle = 0;
		snprintf(message, size, "%s: starting cuBLASLt: status %d", path, status);
	}
	if (message[0]) {
		mm_lt_close(l);
		return 0;
	}
	l->workspace_size = workspace_size;
	l->compute = mm_compute_type(precision);
	return l;
}

void mm_lt_forget(mm_lt *l, mm_product *p) {
	if (!p) return;
	if (p->descriptor) l->MatmulDescDestroy(p->descriptor);
	if (p->w) l->MatrixLayoutDestroy(p->w);
	if (p->x) l->MatrixLayoutDestroy(p->x);
	if (p->y) l->MatrixLayoutDestroy(p->y);
	free(p);
}

// align returns the largest power of two, at most 256, that an address is a multiple of.
static uint32_t align(uint64_t address) {
	uint64_t low = address & -address;
	return low && low < 256 ? (uint32_t)low : 256;
}

static int choose(mm_lt *l, mm_product *p, uint64_t y, uint64_t x, uint64_t w) {
	void *preference = 0;
	int s = l->MatmulPreferenceCreate(&preference);
	if (s) return s;
	// Split sums go through the workspace in a fixed order, never into the result as they come.
	uint32_t schemes = REDUCTION_COMPUTE_TYPE | REDUCTION_OUTPUT_TYPE, alignments[] = {align(w), align(x), align(y), align(y)};
	s = l->MatmulPreferenceSetAttribute(preference, PREFERENCE_MAX_WORKSPACE, &l->workspace_size, sizeof l->workspace_size);
	if (!s) s = l->MatmulPreferenceSetAttribute(preference, PREFERENCE_REDUCTION_SCHEMES, &schemes, sizeof schemes);
	for (int i = 0; !s && i < 4; i++)
		s = l->MatmulPreferenceSetAttribute(preference, PREFERENCE_MIN_ALIGNMENT_A + i, &alignments[i], sizeof alignments[i]);
	int found = 0;
	if (!s) s = l->MatmulAlgoGetHeuristic(l->handle, p->descriptor, p->w, p->x, p->y, p->y, preference, 1, &p->chosen, &found);
	l->MatmulPreferenceDestroy(preference);
	if (!s && !found) s = -1;
	return s ? s : p->chosen.state;
}

mm_product *mm_lt_plan(mm_lt *l, int m, int n, int k, int relu, uint64_t y, uint64_t x, uint64_t w, uint64_t bias) {
	mm_product *p = calloc(1, sizeof *p);
	if (!p) return 0;
	// y is (n,m) to cuBLAS, whose matrices are column major: y = wᵀ x, w being (k,n) and x (k,m).
	int transposed = 1, epilogue = (relu ? EPILOGUE_RELU : 0) | (bias ? EPILOGUE_BIAS : 0);
	if (!epilogue) epilogue = EPILOGUE_DEFAULT;
	int s = l->MatmulDescCreate(&p->descriptor, l->compute, MM_R_32F);
	if (!s) s = l->MatmulDescSetAttribute(p->descriptor, DESC_TRANSA, &transposed, sizeof transposed);
	if (!s) s = l->MatmulDescSetAttribute(p->descriptor, DESC_EPILOGUE, &epilogue, sizeof epilogue);
	if (!s && bias) s = l->MatmulDescSetAttribute(p->descriptor, DESC_BIAS_POINTER, &bias, sizeof bias);
	if (!s) s = l->MatrixLayoutCreate(&p->w, MM_R_32F, k, n, k);
	if (!s) s = l->MatrixLayoutCreate(&p->x, MM_R_32F, k, m, k);
	if (!s) s = l->MatrixLayoutCreate(&p->y, MM_R_32F, n, m, n);
	if (!s) s = choose(l, p, y, x, w);
	if (!s) return p;
	mm_lt_forget(l, p);
	return 0;
}

int mm_lt_linear(mm_lt *l, mm_product *p, uint64_t y, uint64_t x, uint64_t w, uint64_t bias, uint64_t workspace, void *stream) {
	float one = 1, zero = 0;
	int s = bias ? l->MatmulDescSetAttribute(p->descriptor, DESC_BIAS_POINTER, &bias, sizeof bias) : 0;
	if (s) return s;
	return l->Matmul(l->handle, p->descriptor, &one, (const void *)(uintptr_t)w, p->w, (const void *)(uintptr_t)x, p->x, &zero,
		(const void *)(uintptr_t)y, p->y, (void *)(uintptr_t)y, p->y, &p->chosen.algorithm, (void *)(uintptr_t)workspace, l->workspace_size,
		stream);
}
