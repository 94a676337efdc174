// The convolutions of conv.cu on tensor cores, of operands rounded to TF32 and bfloat16 (tensor.h). FLOPs and bytes are the same.
// Never run on a card. Any grid: the blocks stride over the tiles.
#include "convolve.h"

extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_tf32(float *y, const float *x, const float *w, long long n, CONV) {
	CONVOLVE(Cores<Round10>, nullptr, nullptr, nullptr, false);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_affine_tf32(float *y, const float *x, const float *w, const float *scale,
	const float *shift, const float *residual, long long n, CONV, long long relu) {
	CONVOLVE(Cores<Round10>, scale, shift, residual, relu != 0);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_grad_input_tf32(float *dx, const float *dy, const float *w, long long n, CONV) {
	CONVOLVE_BACK(Cores<Round10>);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_grad_weight_tf32(float *partial, const float *dy, const float *x, long long n, CONV,
	long long splits) {
	CONVOLVE_WEIGHT(Cores<Round10>);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_bf16(float *y, const float *x, const float *w, long long n, CONV) {
	CONVOLVE(Cores<Round7>, nullptr, nullptr, nullptr, false);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_affine_bf16(float *y, const float *x, const float *w, const float *scale,
	const float *shift, const float *residual, long long n, CONV, long long relu) {
	CONVOLVE(Cores<Round7>, scale, shift, residual, relu != 0);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_grad_input_bf16(float *dx, const float *dy, const float *w, long long n, CONV) {
	CONVOLVE_BACK(Cores<Round7>);
}
extern "C" __global__ void __launch_bounds__(256, 2) mm_conv_grad_weight_bf16(float *partial, const float *dy, const float *x, long long n, CONV,
	long long splits) {
	CONVOLVE_WEIGHT(Cores<Round7>);
}
