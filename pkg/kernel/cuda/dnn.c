//go:build mmcuda && cgo && linux

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "library.h"

// Names and numbers of cudnn.h, the same in cuDNN 8 and 9. The algorithms named repeat their results.
enum {
	NCHW = 0,
	NHWC = 1,
	FLOAT = 0,
	BFLOAT16 = 9,
	CROSS_CORRELATION = 1,
	TENSOR_OP_MATH = 1,
	FMA_MATH = 3,
	FORWARD_IMPLICIT_PRECOMPUTED_GEMM = 1,
	BACKWARD_DATA_ALGORITHM_1 = 1,
	BACKWARD_FILTER_ALGORITHM_1 = 1,
	DETERMINISTIC = 1,
};

// What cuDNN expects of an algorithm: cudnnConvolutionFwdAlgoPerf_t and its likes for the other directions.
typedef struct {
	int algorithm, status;
	float time;
	size_t memory;
	int determinism, math, reserved[3];
} expectation;

// It expects something of each of its algorithms, eight in a direction at most, once or with each kind of arithmetic.
enum { EXPECTATIONS = 16 };

#define FUNCTIONS(F)                                                                                                                    \
	F(Create, (void **handle))                                                                                                          \
	F(Destroy, (void *handle))                                                                                                          \
	F(SetStream, (void *handle, void *stream))                                                                                          \
	F(CreateTensorDescriptor, (void **descriptor))                                                                                      \
	F(DestroyTensorDescriptor, (void *descriptor))                                                                                      \
	F(SetTensor4dDescriptor, (void *descriptor, int format, int type, int n, int c, int h, int w))                                      \
	F(CreateFilterDescriptor, (void **descriptor))                                                                                      \
	F(DestroyFilterDescriptor, (void *descriptor))                                                                                      \
	F(SetFilter4dDescriptor, (void *descriptor, int type, int format, int k, int c, int h, int w))                                      \
	F(CreateConvolutionDescriptor, (void **descriptor))                                                                                 \
	F(DestroyConvolutionDescriptor, (void *descriptor))                                                                                 \
	F(SetConvolution2dDescriptor, (void *descriptor, int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w, int mode, int type)) \
	F(SetConvolutionMathType, (void *descriptor, int type))                                                                             \
	F(GetConvolutionForwardWorkspaceSize, (void *handle, void *x, void *w, void *conv, void *y, int algorithm, size_t *size))           \
	F(GetConvolutionBackwardDataWorkspaceSize, (void *handle, void *w, void *dy, void *conv, void *dx, int algorithm, size_t *size))    \
	F(GetConvolutionBackwardFilterWorkspaceSize, (void *handle, void *x, void *dy, void *conv, void *dw, int algorithm, size_t *size))  \
	F(ConvolutionForward, (void *handle, const void *alpha, void *xd, const void *x, void *wd, const void *w, void *conv, int algorithm, \
		void *workspace, size_t size, const void *beta, void *yd, void *y))                                                             \
	F(ConvolutionBackwardData, (void *handle, const void *alpha, void *wd, const void *w, void *dyd, const void *dy, void *conv,        \
		int algorithm, void *workspace, size_t size, const void *beta, void *dxd, void *dx))                                            \
	F(ConvolutionBackwardFilter, (void *handle, const void *alpha, void *xd, const void *x, void *dyd, const void *dy, void *conv,      \
		int algorithm, void *workspace, size_t size, const void *beta, void *dwd, void *dw))

// What may be missing: without it the algorithms named above are used.
#define CHOOSERS(F)                                                                                                                     \
	F(GetConvolutionForwardAlgorithm_v7, (void *handle, void *x, void *w, void *conv, void *y, int wanted, int *n, expectation *all))   \
	F(GetConvolutionBackwardDataAlgorithm_v7, (void *handle, void *w, void *dy, void *conv, void *dx, int wanted, int *n, expectation *all)) \
	F(GetConvolutionBackwardFilterAlgorithm_v7, (void *handle, void *x, void *dy, void *conv, void *dw, int wanted, int *n, expectation *all))

struct mm_dnn {
	void *library, *handle;
	int math;
	FUNCTIONS(MM_MEMBER)
	CHOOSERS(MM_MEMBER)
};

struct mm_plan {
	int direction, algorithm;
	void *x, *y, *w, *conv; // descriptors
};

void mm_dnn_close(mm_dnn *d) {
	if (!d) return;
	if (d->handle) d->Destroy(d->handle);
	free(d);
}

int mm_dnn_use(mm_dnn *d, void *stream) { return d->SetStream(d->handle, stream); }

mm_dnn *mm_dnn_open(const char *path, int precision, int choose, char *message, size_t size) {
	mm_dnn *d = calloc(1, sizeof *d);
	if (!d) {
		snprintf(message, size, "out of memory");
		return 0;
	}
	message[0] = 0;
	d->library = mm_library_open(path, message, size);
#define FIND(name, parameters) d->name = mm_library_find(d->library, path, "cudnn" #name, message, size);
	FUNCTIONS(FIND)
#undef FIND
	char missing[1] = {0};
#define FIND(name, parameters) d->name = choose ? mm_library_find(d->library, path, "cudnn" #name, missing, sizeof missing) : 0;
	CHOOSERS(FIND)
#undef FIND
	int status;
	if (!message[0] && (status = d->Create(&d->handle)) != 0) {
		d->handle = 0;
		snprintf(message, size, "%s: starting cuDNN: status %d", path, status);
	}
	if (message[0]) {
		mm_dnn_close(d);
		return 0;
	}
	// Of float32 maps TF32, for bfloat16 too: what cuDNN converts them to by itself otherwise is float16, in which small gradients become 0.
	d->math = precision ? TENSOR_OP_MATH : FMA_MATH;
	return d;
}

void mm_dnn_forget(mm_dnn *d, mm_plan *p) {
	if (!p) return;
	if (p->x) d->DestroyTensorDescriptor(p->x);
	if (p->y) d->DestroyTensorDescriptor(p->y);
	if (p->w) d->DestroyFilterDescriptor(p->w);
	if (p->conv) d->DestroyConvolutionDescriptor(p->conv);
	free(p);
}

static int describe(mm_dnn *d, mm_plan *p, const mm_conv *c, int layout) {
	int s, format = layout == MM_PLAIN ? NCHW : NHWC, type = layout == MM_LAST_NARROW ? BFLOAT16 : FLOAT;
	if ((s = d->CreateTensorDescriptor(&p->x)) || (s = d->CreateTensorDescriptor(&p->y)) || (s = d->CreateFilterDescriptor(&p->w)) ||
		(s = d->CreateConvolutionDescriptor(&p->conv)))
		return s;
	if ((s = d->SetTensor4dDescriptor(p->x, format, type, c->n, c->c, c->h, c->w)) ||
		(s = d->SetTensor4dDescriptor(p->y, format, type, c->n, c->k, c->oh, c->ow)) ||
		(s = d->SetFilter4dDescriptor(p->w, type, format, c->k, c->c, c->kh, c->kw)))
		return s;
	if ((s = d->SetConvolution2dDescriptor(p->conv, c->pad_h, c->pad_w, c->stride_h, c->stride_w, 1, 1, CROSS_CORRELATION, FLOAT))) return s;
	return d->SetConvolutionMathType(p->conv, d->math);
}

static int measure(mm_dnn *d, const mm_plan *p, size_t *size) {
	switch (p->direction) {
	case MM_FORWARD:
		return d->GetConvolutionForwardWorkspaceSize(d->handle, p->x, p->w, p->conv, p->y, p->algorithm, size);
	case MM_GRAD_INPUT:
		return d->GetConvolutionBackwardDataWorkspaceSize(d->handle, p->w, p->y, p->conv, p->x, p->algorithm, size);
	default:
		return d->GetConvolutionBackwardFilterWorkspaceSize(d->handle, p->x, p->y, p->conv, p->w, p->algorithm, size);
	}
}

// usual returns the algorithm that cuDNN has for most convolutions.
static int usual(const mm_plan *p) {
	return p->direction == MM_FORWARD ? FORWARD_IMPLICIT_PRECOMPUTED_GEMM : p->direction == MM_GRAD_INPUT ? BACKWARD_DATA_ALGORITHM_1 : BACKWARD_FILTER_ALGORITHM_1;
}

// choose takes the algorithm that cuDNN expects to be the fastest of those that repeat their results and work in no more than MM_DNN_ROOM bytes. It
// measures nothing, so that the choice repeats too. It returns 0 where there is none.
static int choose(mm_dnn *d, mm_plan *p, size_t *size) {
	expectation all[EXPECTATIONS];
	int s = -1, n = 0;
	if (p->direction == MM_FORWARD && d->GetConvolutionForwardAlgorithm_v7)
		s = d->GetConvolutionForwardAlgorithm_v7(d->handle, p->x, p->w, p->conv, p->y, EXPECTATIONS, &n, all);
	if (p->direction == MM_GRAD_INPUT && d->GetConvolutionBackwardDataAlgorithm_v7)
		s = d->GetConvolutionBackwardDataAlgorithm_v7(d->handle, p->w, p->y, p->conv, p->x, EXPECTATIONS, &n, all);
	if (p->direction == MM_GRAD_WEIGHT && d->GetConvolutionBackwardFilterAlgorithm_v7)
		s = d->GetConvolutionBackwardFilterAlgorithm_v7(d->handle, p->x, p->y, p->conv, p->w, EXPECTATIONS, &n, all);
	for (int i = 0; !s && i < n; i++) {
		p->algorithm = all[i].algorithm;
		if (d->math != FMA_MATH && all[i].math == FMA_MATH) continue; // it is expected without tensor cores, which it would be run on
		if (!all[i].status && all[i].determinism == DETERMINISTIC && !measure(d, p, size) && *size <= MM_DNN_ROOM) return 1;
	}
	return 0;
}

int mm_dnn_usual(const mm_plan *p) { return p->algorithm == usual(p); }

int mm_dnn_settle(mm_dnn *d, mm_plan *p, size_t *workspace) {
	if (p->algorithm == usual(p)) return 0;
	p->algorithm = usual(p);
	return !measure(d, p, workspace);
}

mm_plan *mm_dnn_plan(mm_dnn *d, int direction, const mm_conv *c, int layout, size_t *workspace, char *message, size_t size) {
	mm_plan *p = calloc(1, sizeof *p);
	if (!p) {
		snprintf(message, size, "out of memory");
		return 0;
	}
	p->direction = direction;
	int s = describe(d, p, c, layout);
	if (!s && choose(d, p, workspace)) return p;
	p->algorithm = usual(p);
	if (!s) s = measure(d, p, workspace);
	if (!s) return p;
	snprintf(message, size, "cuDNN status %d", s);
	mm_dnn_forget(d, p);
	return 0;
}

int mm_dnn_run(mm_dnn *d, const mm_plan *p, uint64_t x, uint64_t w, uint64_t y, uint64_t workspace, size_t workspace_size) {
	float one = 1, zero = 0;
	void *xs = (void *)(uintptr_t)x, *ws = (void *)(uintptr_t)w, *ys = (void *)(uintptr_t)y, *room = (void *)(uintptr_t)workspace;
	switch (p->direction) {
	case MM_FORWARD:
		return d->ConvolutionForward(d->handle, &one, p->x, xs, p->w, ws, p->conv, p->algorithm, room, workspace_size, &zero, p->y, ys);
	case MM_GRAD_INPUT:
		return d->ConvolutionBackwardData(d->handle, &one, p->w, ws, p->y, ys, p->conv, p->algorithm, room, workspace_size, &zero, p->x, xs);
	default:
		return d->ConvolutionBackwardFilter(d->handle, &one, p->x, xs, p->y, ys, p->conv, p->algorithm, room, workspace_size, &zero, p->w, ws);
	}
}
