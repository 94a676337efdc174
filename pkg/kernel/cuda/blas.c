//go:build mmcuda && cgo && linux

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

#include "library.h"

// Names and numbers of cublas_api.h, the same in cuBLAS 11 to 13.
enum {
	OP_N = 0,
	OP_T = 1,
	GEMM_DEFAULT = -1,
	POINTER_MODE_HOST = 0,
};

struct mm_blas {
	void *library, *handle;
	int compute;
	int (*destroy)(void *);
	int (*gemm)(void *, int, int, int, int, int, const void *, const void *, int, int, const void *, int, int, const void *, void *, int, int,
		int, int);
};

void mm_blas_close(mm_blas *b) {
	if (!b) return;
	if (b->handle) b->destroy(b->handle);
	if (b->library) dlclose(b->library);
	free(b);
}

mm_blas *mm_blas_open(const char *path, void *stream, uint64_t workspace, size_t workspace_size, int precision, char *message, size_t size) {
	mm_blas *b = calloc(1, sizeof *b);
	if (!b) {
		snprintf(message, size, "out of memory");
		return 0;
	}
	if (!(b->library = dlopen(path, RTLD_NOW | RTLD_LOCAL))) {
		snprintf(message, size, "%s", dlerror());
		mm_blas_close(b);
		return 0;
	}
	int (*create)(void **) = dlsym(b->library, "cublasCreate_v2");
	int (*set_stream)(void *, void *) = dlsym(b->library, "cublasSetStream_v2");
	int (*set_workspace)(void *, void *, size_t) = dlsym(b->library, "cublasSetWorkspace_v2");
	b->destroy = dlsym(b->library, "cublasDestroy_v2");
	b->gemm = dlsym(b->library, "cublasGemmEx");
	int status = -1;
	if (!create || !set_stream || !set_workspace || !b->destroy || !b->gemm) {
		snprintf(message, size, "%s: not cuBLAS", path);
	} else if ((status = create(&b->handle)) != 0) {
		b->handle = 0;
		snprintf(message, size, "%s: starting cuBLAS: status %d", path, status);
	} else if ((status = set_stream(b->handle, stream)) != 0 || (status = set_workspace(b->handle, (void *)(uintptr_t)workspace, workspace_size)) != 0) {
		// With a workspace of its own cuBLAS allocates nothing, which a capture forbids, and repeats its results.
		snprintf(message, size, "%s: setting cuBLAS up: status %d", path, status);
	}
	if (status != 0) {
		mm_blas_close(b);
		return 0;
	}
	b->compute = mm_compute_type(precision);
	return b;
}

int mm_blas_multiply(mm_blas *b, int trans_a, int trans_b, int m, int n, int k, uint64_t a, int lda, uint64_t bb, int ldb, uint64_t c, int ldc) {
	float one = 1, zero = 0;
	return b->gemm(b->handle, trans_a ? OP_T : OP_N, trans_b ? OP_T : OP_N, m, n, k, &one, (const void *)(uintptr_t)a, MM_R_32F, lda,
		(const void *)(uintptr_t)bb, MM_R_32F, ldb, &zero, (void *)(uintptr_t)c, MM_R_32F, ldc, b->compute, GEMM_DEFAULT);
}
