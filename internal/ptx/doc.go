// Package ptx translates PTX, which NVIDIA's driver compiles for a card, to C++ for a processor, so that tests run the very text that a card
// would be given.
//
// It knows what clang writes for the kernels of pkg/kernel/cuda, and no more: entries whose parameters take 8 bytes, registers, static
// .shared arrays, guards, branches, integers of 16 to 64 bits, float32 and float64, shared and global memory by 1 to 16 bytes, one barrier,
// butterfly shuffles of a whole warp, and products of tensor cores in TF32 and bfloat16. All else is an error that names the line. What an
// instruction does is in pkg/kernel/cuda/emulate/instructions.h, which every unit includes; the threads are those of shim.h there.
//
// Source: NVIDIA, Parallel Thread Execution ISA, version 7.8.
//
// Limits: the bits of a NaN that arithmetic makes are the processor's, where a card has one NaN; products of tensor cores are summed in
// float32, term after term, which the manual leaves open; a branch that is said to be uniform is not held to it.
package ptx
