// Package driver stands between gorgonia.org/cu and the CUDA driver, libcuda.so.1.
//
// The driver is on machines with a card only, so a program must not need it to start: every function of the driver is
// defined here (lazy.c) and finds the real one on its first call, after Open. cuda.h declares what gorgonia.org/cu compiles
// against, so that building needs no CUDA toolkit; libcuda.a is empty, and is there because gorgonia.org/cu asks the linker
// for a library of that name. Both folders are given to the build by CGO_CFLAGS and CGO_LDFLAGS (make cuda).
//
// The build tag is mmcuda, not cuda, which would switch on Gorgonia's own CUDA code (docs/adr/0008).
package driver
