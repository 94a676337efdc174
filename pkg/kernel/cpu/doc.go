// Package cpu is the kernel.Device of the host's processor.
//
// There are two implementations behind New, chosen when the program is built. Both are held to the same tests.
//
//	go build -tags openblas   C, through cgo, on Linux: a pool of threads of its own, products by an AVX-512 kernel where
//	                          the processor has it and else by OpenBLAS (Debian: libopenblas-dev), linked statically
//	go build                  Go alone: goroutines, products by gonum's Sgemm
//
// The tag is needed, not guessed, because cgo cannot ask whether a library is there; the Makefile does. With cgo off, or
// on another system, the tag changes nothing.
//
// # Determinism
//
// A kernel is cut into parts by its shape and the number of threads, never by which thread is free, so that a run repeats
// to the byte. Except in OpenBLAS, whose order of summation follows the shape, results do not depend on the number of
// threads either, and a row's result does not depend on the other rows of its minibatch. The two implementations differ
// from one another by rounding.
//
// # Speed
//
// The products take about 2 M N K operations; Adam reads and writes 28 bytes a parameter. BenchmarkKernels prints both as
// rates. A thread with nothing to do spins for 60 µs and then sleeps, so that an idle device costs nothing.
//
// The C implementation takes numbers below 1.2e-38 for zero, which a processor computes with a hundred times slower: the
// probabilities of a sure softmax are such, and the moments of a dead unit.
//
// A Device is used by one goroutine at a time; several Devices may run at once, each on threads of its own.
package cpu
