// What clang needs to compile the kernels with no CUDA toolkit. The tests' shim takes its place on the CPU.
#ifndef MM_DEVICE_H
#define MM_DEVICE_H

#ifdef __CUDA__
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __host__ __attribute__((host))
#define __shared__ __attribute__((shared))
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#define __restrict__ __restrict

struct uint3 {
	unsigned x, y, z;
};
struct dim3 {
	unsigned x, y, z;
};
#include <__clang_cuda_builtin_vars.h>
#endif

// ELEMENTS(i, n) strides over n elements with all threads of the grid.
#define ELEMENTS(i, n) \
	for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x)

#endif
