//go:build openblas && cgo && linux

// Opening and closing a device, and its memory.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "device.h"
#include "gemm.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

void openblas_set_num_threads(int threads);

// OpenBLAS 0.3.21 takes a processor that is newer than itself for the oldest it knows, which is five times slower; this
// names a core by its instruction sets before OpenBLAS's own constructor looks. Its threads, which nothing here uses, would spin for
// the first tens of milliseconds of every process: there are to be none.
__attribute__((constructor(101))) static void prepare_openblas(void) {
	setenv("OPENBLAS_NUM_THREADS", "1", 1);
#if defined(__x86_64__)
	__builtin_cpu_init();
	const char *core = 0;
	if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) core = "Haswell";
	if (core && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512vl"))
		core = "SkylakeX";
	if (core) setenv("OPENBLAS_CORETYPE", core, 0);
#endif
}

mm_device *mm_open(int threads) {
	// One thread a call: the parts are this device's own pool's, and OpenBLAS's would fight them for the cores.
	openblas_set_num_threads(1);
	mm_device *d = calloc(1, sizeof *d);
	if (!d) return 0;
	d->threads = threads;
	d->avx512 = mm_gemm_supported();
	d->partials = calloc(MM_PARTIALS, sizeof *d->partials);
	d->packs = calloc(threads, sizeof *d->packs);
	int ready = d->partials && d->packs;
	if (ready && d->avx512) {
		ready = (d->packs[0] = mm_alloc((size_t)threads * MM_PACK)) != 0;
		for (int i = 1; ready && i < threads; i++) d->packs[i] = d->packs[i - 1] + MM_PACK;
	}
	if (ready && threads > 1) ready = (d->pool = mm_pool_open(d)) != 0;
	if (!ready) {
		mm_close(d);
		return 0;
	}
	return d;
}

void mm_close(mm_device *d) {
	if (d->pool) mm_pool_close(d->pool, d->threads - 1);
	if (d->packs) mm_free(d->packs[0], (size_t)d->threads * MM_PACK);
	free(d->packs);
	free(d->partials);
	free(d);
}

// What mm_alloc takes from the system itself. A fault a page takes longer than what is done with most pages, on a virtual
// machine above all, so that all of them are made at once, and of the system's huge ones where it has them.
enum { MAPPED = 1 << 17, HUGE = 1 << 21 };

static size_t bytes_of(size_t n) { return n ? (n * sizeof(float) + 63) / 64 * 64 : 64; }

float *mm_alloc(size_t n) {
	if (n > SIZE_MAX / 8) return 0;
	size_t bytes = bytes_of(n);
	if (bytes >= MAPPED) {
		int later = bytes >= HUGE;
		void *p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | (later ? 0 : MAP_POPULATE), -1, 0);
		if (p == MAP_FAILED) return 0;
		if (later) {
			madvise(p, bytes, MADV_HUGEPAGE); // where it fails, as what follows does before Linux 5.14, faults make the pages
			madvise(p, bytes, MADV_POPULATE_WRITE);
		}
		return p;
	}
	float *p = aligned_alloc(64, bytes);
	if (p) memset(p, 0, bytes);
	return p;
}

void mm_free(float *p, size_t n) {
	if (p && bytes_of(n) >= MAPPED)
		munmap(p, bytes_of(n));
	else
		free(p);
}
