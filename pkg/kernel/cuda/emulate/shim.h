// What CUDA C has beyond C++, for the sources of ../src compiled for the CPU. A block's threads are fibres of one thread:
// __syncthreads lets the others run up to theirs. Blocks run one after another, so that shared memory can be static.
#ifndef MM_SHIM_H
#define MM_SHIM_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cstddef>
#include <utility>

#define __global__
#define __device__
#define __host__
#ifdef __SANITIZE_ADDRESS__
#define __shared__ static // AddressSanitizer guards what is in no section of ours
#else
#define __shared__ static __attribute__((section("mm_shared")))
#endif
#define __forceinline__ inline
#define __launch_bounds__(...)
#define __restrict__ __restrict

struct dim3 {
	unsigned x, y, z;
};

extern dim3 threadIdx, blockIdx, blockDim, gridDim;

void __syncthreads();

// emulate_swap_lanes returns the v of the thread whose lane differs in bits; emulate_swap_bits keeps all bits of a NaN too.
double emulate_swap_lanes(double v, int bits);
unsigned emulate_swap_bits(unsigned v, int bits);

// emulate_fail ends the process, naming the kernel and the block.
[[noreturn]] void emulate_fail(const char *what);

// Tensor cores: float32 rounded to 10 bits behind the point, away from zero where halfway, and to bfloat16, to even; and c += a b of
// the warp's fragments, of one or two terms in a word.
unsigned emulate_round10(float x);
unsigned emulate_round7(float x);
void emulate_add_product(int terms, float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]);

// emulate_launch runs thread(arguments) for every thread of the grid of the kernel of that name.
void emulate_launch(const char *name, void (*thread)(void **), void **arguments, dim3 grid, dim3 block);

// emulate_register adds a kernel to those that the emulated driver finds by name.
void emulate_register(const char *name, void (*thread)(void **), int parameters);

// Call unpacks a kernel's parameters, each of 8 bytes.
template <class... A, size_t... I>
void emulate_call(void (*kernel)(A...), void **arguments, std::index_sequence<I...>) {
	kernel(*(A *)arguments[I]...);
}

template <class... A>
constexpr bool emulate_eight(void (*)(A...)) {
	return ((sizeof(A) == 8) && ...);
}

template <class... A>
constexpr int emulate_count(void (*)(A...)) {
	return sizeof...(A);
}

template <class... A>
void emulate_unpack(void (*kernel)(A...), void **arguments) {
	emulate_call(kernel, arguments, std::index_sequence_for<A...>{});
}

// EMULATE(name) makes a kernel known. The tests write one for every __global__ function that they find in the sources.
#define EMULATE(name)                                                                                                         \
	static_assert(emulate_eight(name), #name ": a parameter that does not take 8 bytes");                                     \
	static void emulate_thread_##name(void **arguments) { emulate_unpack(name, arguments); }                                  \
	__attribute__((constructor)) static void emulate_add_##name() {                                                           \
		emulate_register(#name, emulate_thread_##name, emulate_count(name));                                                  \
	}

#endif
