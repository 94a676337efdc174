//go:build openblas && cgo && linux

// Opening and closing a device, and its memory.

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "device.h"
#include "gemm.h"

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
	for (int i = 0; ready && d->avx512 && i < threads; i++) ready = (d->packs[i] = mm_alloc(MM_PACK)) != 0;
	if (ready && threads > 1) ready = (d->pool = mm_pool_open(d)) != 0;
	if (!ready) {
		mm_close(d);
		return 0;
	}
	return d;
}

void mm_close(mm_device *d) {
	if (d->pool) mm_pool_close(d->pool, d->threads - 1);
	for (int i = 0; d->packs && i < d->threads; i++) mm_free(d->packs[i], MM_PACK);
	free(d->packs);
	free(d->partials);
	free(d);
}

// What mm_alloc takes from the system itself. A fault a page takes longer than what is done with most pages, on a virtual
// machine above all, so that all of them are made at once.
enum { MAPPED = 1 << 17 };

static size_t bytes_of(size_t n) { return n ? (n * sizeof(float) + 63) / 64 * 64 : 64; }

float *mm_alloc(size_t n) {
	if (n > SIZE_MAX / 8) return 0;
	size_t bytes = bytes_of(n);
	if (bytes >= MAPPED) {
		void *p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
		return p == MAP_FAILED ? 0 : p;
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
