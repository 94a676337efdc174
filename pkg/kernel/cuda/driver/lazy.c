//go:build mmcuda && cgo && linux

// The CUDA driver, opened when it is asked for: a program that is built against it starts where there is none. Every function
// looks itself up on its first call.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

#include "lazy.h"

// Seen by nobody else: the driver calls its own functions by these names.
#pragma GCC visibility push(hidden)

static void *library;

static void *find(const char *name) {
	return library ? dlsym(library, name) : 0;
}

// cuInit is what gorgonia.org/cu calls when the program starts, and what would end it where there is no driver: mm_driver_open
// does what it is for.
CUresult cuInit(unsigned int flags) {
	(void)flags;
	return CUDA_SUCCESS;
}

CUresult mm_driver_open(const char *path, char *message, size_t size) {
	message[0] = 0;
	void *opened = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!opened) {
		snprintf(message, size, "%s", dlerror());
		return CUDA_ERROR_NOT_INITIALIZED;
	}
	CUresult (*init)(unsigned int) = dlsym(opened, "cuInit");
	if (!init) {
		snprintf(message, size, "%s: no cuInit in it", path);
		return CUDA_ERROR_NOT_FOUND;
	}
	CUresult result = init(0);
	if (result == CUDA_SUCCESS) library = opened;
	return result;
}

#define DRIVER(name, parameters, arguments)                                                                          \
	CUresult name parameters {                                                                                       \
		static CUresult(*found) parameters;                                                                          \
		CUresult(*function) parameters = __atomic_load_n(&found, __ATOMIC_RELAXED);                                  \
		if (!function) {                                                                                             \
			if (!(function = find(#name))) return library ? CUDA_ERROR_NOT_FOUND : CUDA_ERROR_NOT_INITIALIZED;       \
			__atomic_store_n(&found, function, __ATOMIC_RELAXED);                                                    \
		}                                                                                                            \
		return function arguments;                                                                                   \
	}
#include "functions.h"
