// A kernel with a race, for the test that races are found: each thread reads what its neighbour wrote, with a barrier between them or not.
#include "device.h"

extern "C" __global__ void mm_racy(float *y, long long barrier) {
	__shared__ float x[256];
	x[threadIdx.x] = (float)threadIdx.x;
	if (barrier) __syncthreads();
	y[256 * (barrier & blockIdx.x) + threadIdx.x] = x[(threadIdx.x + 1) % 256];
}
