// Much memory is taken for workspaces of which tests touch little: it is pages of a file that are copied when they are written.
#include "memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>

namespace {

constexpr size_t large = 4 << 20, piece = 1 << 20;

#ifdef MM_COUNTS
constexpr int fresh = 0; // where a few blocks of each launch run, what the others would write is read
#else
constexpr int fresh = 0xff;
#endif

// pattern is a file of a piece of fresh memory, or -1.
int pattern() {
	static int file = [] {
		int f = memfd_create("pattern", 0);
		if (f < 0 || ftruncate(f, piece)) return -1;
		void *p = mmap(nullptr, piece, PROT_READ | PROT_WRITE, MAP_SHARED, f, 0);
		if (p == MAP_FAILED) return -1;
		memset(p, fresh, piece);
		munmap(p, piece);
		return f;
	}();
	return file;
}

} // namespace

void *emulate_take(size_t n) {
	if (n < large || pattern() < 0) {
		void *p = aligned_alloc(256, (n + 255) / 256 * 256);
		if (p) memset(p, fresh, n);
		return p;
	}
	auto p = (char *)mmap(nullptr, n, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) return nullptr;
	for (size_t at = 0; at < n; at += piece) {
		void *part = mmap(p + at, std::min(piece, n - at), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, pattern(), 0);
		if (part == MAP_FAILED) {
			munmap(p, n);
			return nullptr;
		}
	}
	return p;
}

void emulate_give(void *p, size_t n) {
	if (n < large || pattern() < 0) free(p);
	else munmap(p, n);
}
