//go:build mmcuda && cgo && linux

#include <stdio.h>
#include <stdlib.h>

#include "library.h"

// Names and numbers of cublas_api.h, the same in cuBLAS 11 to 13.
enum {
	OP_N = 0,
	OP_T = 1,
	GEMM_DEFAULT = -1,
};

#define FUNCTIONS(F)                                                                                                                    \
	F(Create_v2, (void **handle))                                                                                                       \
	F(Destroy_v2, (void *handle))                                                                                                       \
	F(SetStream_v2, (void *handle, void *stream))                                                                                       \
	F(SetWorkspace_v2, (void *handle, void *workspace, size_t size))                                                                    \
	F(GemmEx, (void *handle, int trans_a, int trans_b, int m, int n, int k, const void *alpha, const void *a, int type_a, int lda,      \
		const void *b, int type_b, int ldb, const void *beta, void *c, int type_c, int ldc, int compute, int algorithm))

struct mm_blas {
	void *library, *handle;
	int compute;
	FUNCTIONS(MM_MEMBER)
};

void mm_blas_close(mm_blas *b) {
	if (!b) return;
	if (b->handle) b->Destroy_v2(b->handle);
	free(b);
}

// With a workspace of its own cuBLAS allocates nothing, which a capture forbids, and repeats its results. Setting the stream forgets it.
int mm_blas_use(mm_blas *b, void *stream, uint64_t workspace, size_t size) {
	int status = b->SetStream_v2(b->handle, stream);
	return status ? status : b->SetWorkspace_v2(b->handle, (void *)(uintptr_t)workspace, size);
}

mm_blas *mm_blas_open(const char *path, int precision, char *message, size_t size) {
	mm_blas *b = calloc(1, sizeof *b);
	if (!b) {
		snprintf(message, size, "out of memory");
		return 0;
	}
	message[0] = 0;
	b->library = mm_library_open(path, message, size);
#define FIND(name, parameters) b->name = mm_library_find(b->library, path, "cublas" #name, message, size);
	FUNCTIONS(FIND)
#undef FIND
	int status;
	if (!message[0] && (status = b->Create_v2(&b->handle)) != 0) {
		b->handle = 0;
		snprintf(message, size, "%s: starting cuBLAS: status %d", path, status);
	}
	if (message[0]) {
		mm_blas_close(b);
		return 0;
	}
	b->compute = mm_compute_type(precision);
	return b;
}

int mm_blas_multiply(mm_blas *b, int trans_a, int trans_b, int m, int n, int k, uint64_t a, int lda, uint64_t bb, int ldb, uint64_t c, int ldc) {
	float one = 1, zero = 0;
	return b->GemmEx(b->handle, trans_a ? OP_T : OP_N, trans_b ? OP_T : OP_N, m, n, k, &one, (const void *)(uintptr_t)a, MM_R_32F, lda,
		(const void *)(uintptr_t)bb, MM_R_32F, ldb, &zero, (void *)(uintptr_t)c, MM_R_32F, ldc, b->compute, GEMM_DEFAULT);
}
