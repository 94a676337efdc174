// cuBLAS, cuBLASLt, cuDNN and NCCL, opened at run time: as much of their interfaces as is called here.
#ifndef MM_LIBRARY_H
#define MM_LIBRARY_H

#include <stddef.h>
#include <stdint.h>

typedef struct mm_blas mm_blas;
typedef struct mm_dnn mm_dnn;

// mm_library_open opens a library for good, and mm_library_find looks a function of it up. Both return 0 where it is missing and say so in
// message, unless that says something already.
void *mm_library_open(const char *path, char *message, size_t size);
void *mm_library_find(void *library, const char *path, const char *name, char *message, size_t size);

// MM_MEMBER declares one of the functions that a file lists, by its name without the library's. scripts/cuda-headers holds the lists, and
// the numbers beside them, to the libraries' own headers.
#define MM_MEMBER(name, parameters) int(*name) parameters;

// Names and numbers of cublas_api.h and library_types.h, the same in cuBLAS 11 to 13.
enum { MM_R_32F = 0, MM_COMPUTE_32F = 68, MM_COMPUTE_32F_FAST_16BF = 75, MM_COMPUTE_32F_FAST_TF32 = 77 };
enum { MM_BLAS_INVALID_VALUE = 7, MM_BLAS_ARCH_MISMATCH = 8, MM_BLAS_NOT_SUPPORTED = 15 };

// mm_compute_type is how cuBLAS and cuBLASLt multiply in a precision, as mm_blas_open takes it.
static inline int mm_compute_type(int precision) {
	return precision == 2 ? MM_COMPUTE_32F_FAST_16BF : precision == 1 ? MM_COMPUTE_32F_FAST_TF32 : MM_COMPUTE_32F;
}

// mm_blas_open opens the library at path, or says why not in message. Its results follow the precision: 0 float32, 1 tf32, 2 bf16.
mm_blas *mm_blas_open(const char *path, int precision, char *message, size_t size);
void mm_blas_close(mm_blas *b);

// mm_blas_use has the library work on a stream from now on, and in memory of its own; it returns cuBLAS's status.
int mm_blas_use(mm_blas *b, void *stream, uint64_t workspace, size_t size);

// mm_blas_multiply computes c = op(a) op(b), column major; it returns cuBLAS's status.
int mm_blas_multiply(mm_blas *b, int trans_a, int trans_b, int m, int n, int k, uint64_t a, int lda, uint64_t bb, int ldb, uint64_t c, int ldc);

typedef struct mm_lt mm_lt;
typedef struct mm_product mm_product;

// mm_lt_open is mm_blas_open for cuBLASLt, which works in as much memory.
mm_lt *mm_lt_open(const char *path, size_t workspace_size, int precision, char *message, size_t size);
void mm_lt_close(mm_lt *l);

// mm_lt_plan prepares y = x wᵀ + bias and max(0, y) where relu is set, x (m,k), w (n,k), y (m,n), row major, for memory aligned as
// what is given; 0 where the library does not do that. bias may be 0.
mm_product *mm_lt_plan(mm_lt *l, int m, int n, int k, int relu, uint64_t y, uint64_t x, uint64_t w, uint64_t bias);
void mm_lt_forget(mm_lt *l, mm_product *p);

// mm_lt_linear queues it on a stream, to work in memory of as many bytes as mm_lt_open was told; it returns cuBLASLt's status.
int mm_lt_linear(mm_lt *l, mm_product *p, uint64_t y, uint64_t x, uint64_t w, uint64_t bias, uint64_t workspace, void *stream);

// What cuDNN 8 says of what it does not do, and cuDNN 9, which gives a number from 3000 to 3999.
#define MM_DNN_UNSUPPORTED(status) ((status) == 9 || (status) / 1000 == 3)
static inline int mm_dnn_unsupported(int status) { return MM_DNN_UNSUPPORTED(status); }

// mm_dnn_open is mm_blas_open for cuDNN. choose tells whether cuDNN's expectations choose algorithms.
mm_dnn *mm_dnn_open(const char *path, int precision, int choose, char *message, size_t size);
void mm_dnn_close(mm_dnn *d);

// mm_dnn_use has the library work on a stream from now on; it returns cuDNN's status.
int mm_dnn_use(mm_dnn *d, void *stream);

// A convolution in cuDNN's terms.
typedef struct {
	int n, c, h, w, k, kh, kw, stride_h, stride_w, pad_h, pad_w, oh, ow;
} mm_conv;

enum { MM_FORWARD, MM_GRAD_INPUT, MM_GRAD_WEIGHT };

// How operands lie: feature maps (N,C,H,W) and weights (K,C,KH,KW), or channels last, both, in float32 or in bfloat16.
enum { MM_PLAIN, MM_LAST, MM_LAST_NARROW };

typedef struct mm_plan mm_plan;

// MM_DNN_ROOM is the most bytes that an algorithm which is chosen may work in: 1 GiB.
#define MM_DNN_ROOM ((size_t)1 << 30)

// mm_dnn_plan prepares one direction of a convolution by a deterministic algorithm, and tells the workspace that it needs.
mm_plan *mm_dnn_plan(mm_dnn *d, int direction, const mm_conv *c, int layout, size_t *workspace, char *message, size_t size);
void mm_dnn_forget(mm_dnn *d, mm_plan *p);

// mm_dnn_settle goes over to the algorithm that cuDNN has for most convolutions, and tells its workspace; it returns 0 where that is the plan's
// already, or is none for it.
int mm_dnn_settle(mm_dnn *d, mm_plan *p, size_t *workspace);

// mm_dnn_usual tells whether a plan's algorithm is that one.
int mm_dnn_usual(const mm_plan *p);

// mm_dnn_run computes y from x and w, or x from w and y, or w from x and y, as the direction says.
int mm_dnn_run(mm_dnn *d, const mm_plan *p, uint64_t x, uint64_t w, uint64_t y, uint64_t workspace, size_t workspace_size);

typedef struct mm_nccl mm_nccl;

// mm_nccl_open opens the library at path and connects n cards, given by their numbers, or says why not in message.
mm_nccl *mm_nccl_open(const char *path, const int *cards, int n, char *message, size_t size);
void mm_nccl_close(mm_nccl *l);

// A move of n float32 from one card's memory to another's; the cards are counted as mm_nccl_open was given them.
typedef struct {
	int from, to;
	uint64_t source, target;
	size_t n;
} mm_move;

// mm_nccl_move queues n moves at once, each on the streams of both its cards; it returns NCCL's status.
int mm_nccl_move(mm_nccl *l, const mm_move *all, int n, void *const *streams);

#endif
