// The products of linear.cu on tensor cores, of operands rounded to TF32 and bfloat16, in tiles of 64 x 128 (tensor.h). FLOPs and bytes
// are the same; a card multiplies some 8 and 16 times as many a second as in float32, so that memory limits products of fewer than
// some hundreds of rows and columns. Never run on a card. Any grid: the blocks stride over the tiles.
#include "linear.h"

extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_tf32(float *y, const float *x, const float *w, const float *b, long long m,
	long long n, long long k, long long relu) {
	LINEAR(Cores<Round10>);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_grad_weight_tf32(float *dw, const float *dy, const float *x, long long m,
	long long n, long long k) {
	LINEAR_GRAD_WEIGHT(Cores<Round10>);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_grad_input_tf32(float *dx, const float *dy, const float *w, long long m,
	long long n, long long k) {
	LINEAR_GRAD_INPUT(Cores<Round10>);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_bf16(float *y, const float *x, const float *w, const float *b, long long m,
	long long n, long long k, long long relu) {
	LINEAR(Cores<Round7>);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_grad_weight_bf16(float *dw, const float *dy, const float *x, long long m,
	long long n, long long k) {
	LINEAR_GRAD_WEIGHT(Cores<Round7>);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_linear_grad_input_bf16(float *dx, const float *dy, const float *w, long long m,
	long long n, long long k) {
	LINEAR_GRAD_INPUT(Cores<Round7>);
}
