//go:build mmcuda && cgo && linux

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>

#include "library.h"

void *mm_library_open(const char *path, char *message, size_t size) {
	if (message[0]) return 0;
	// Never closed: these libraries have threads of their own and much that runs when a thread ends.
	void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	if (!library) snprintf(message, size, "%s", dlerror());
	return library;
}

void *mm_library_find(void *library, const char *path, const char *name, char *message, size_t size) {
	if (message[0]) return 0;
	void *found = dlsym(library, name);
	if (!found) snprintf(message, size, "%s: no %s", path, name);
	return found;
}
