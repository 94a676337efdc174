//go:build dnnl && cgo && linux

#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "native_library.h"
#include "native_pool.h"

enum { GRAIN = 16384 };           // elements below which a second thread costs more than it saves
enum { LARGE_PAGE = 2 << 20 };    // bytes

#define TEXT(x) #x
#define NAME(major) "libdnnl.so." TEXT(major)

static dn_library library;
static char failure[256];

static void *find(void *from, const char *name) {
	void *f = from ? dlsym(from, name) : 0;
	if (!f && !failure[0]) snprintf(failure, sizeof failure, "%s", dlerror());
	return f;
}

// load opens both libraries. OpenMP reads its settings once, when it is loaded: unless the user has a wish, its threads spin
// for some 50 microseconds, the time between two kernels, and then sleep, so that two tools of one pipe do not take each
// other's cores. The setting is not left for programs that this one starts.
static void load(void) {
	int ours = !getenv("OMP_WAIT_POLICY") && !getenv("GOMP_SPINCOUNT");
	if (ours) setenv("GOMP_SPINCOUNT", "1000", 0);
	void *gomp = dlopen("libgomp.so.1", RTLD_NOW | RTLD_GLOBAL);
	if (ours) unsetenv("GOMP_SPINCOUNT");
	library.parallel = find(gomp, "GOMP_parallel");
	library.set_num_threads = find(gomp, "omp_set_num_threads");
	library.get_thread_num = find(gomp, "omp_get_thread_num");
	library.get_num_threads = find(gomp, "omp_get_num_threads");
	void *dnnl = failure[0] ? 0 : dlopen(NAME(DNNL_VERSION_MAJOR), RTLD_NOW);
#define LOAD(name) library.name = find(dnnl, "dnnl_" #name);
	DN_FUNCTIONS(LOAD)
#undef LOAD
}

static dn_engine *fail(dn_engine *e, char *message, size_t size, const char *why) {
	snprintf(message, size, "%s", why);
	dn_close(e);
	return 0;
}

dn_engine *dn_open(int threads, int narrow, char *message, size_t size) {
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	pthread_once(&once, load);
	if (failure[0]) return fail(0, message, size, failure);
	dn_engine *e = calloc(1, sizeof *e);
	if (!e) return fail(0, message, size, "out of memory");
	e->lib = &library;
	e->threads = threads;
	e->narrow = narrow;
	e->wide = dn_pool_wide();
	if (e->lib->engine_create(&e->engine, dnnl_cpu, 0)) return fail(e, message, size, "oneDNN finds no processor");
	if (e->lib->stream_create(&e->stream, e->engine, dnnl_stream_default_flags)) return fail(e, message, size, "oneDNN starts no stream");
	return e;
}

void dn_close(dn_engine *e) {
	if (!e) return;
	if (e->stream) e->lib->stream_destroy(e->stream);
	if (e->engine) e->lib->engine_destroy(e->engine);
	free(e->scratch);
	free(e->weights);
	free(e->scaled);
	free(e->widened[0]);
	free(e->widened[1]);
	free(e->moved[0]);
	free(e->moved[1]);
	free(e->sums);
	free(e);
}

void dn_portable(dn_engine *e) { e->wide = 0; }
int dn_wide(const dn_engine *e) { return e->wide; }

int dn_multiplies_bf16(void) {
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
	return __builtin_cpu_supports("amx-bf16") != 0;
#else
	return 0;
#endif
}

int dn_grow(void **memory, size_t *size, size_t needed) {
	if (*size >= needed) return 1;
	free(*memory);
	size_t page = needed < LARGE_PAGE ? 4096 : LARGE_PAGE;
	*size = (needed + page - 1) / page * page;
	*memory = aligned_alloc(page, *size);
	if (!*memory) *size = 0;
	if (*memory && page == LARGE_PAGE) madvise(*memory, *size, MADV_HUGEPAGE); // transformed maps are written to many pages at once
	return *memory != 0;
}

double *dn_sums(dn_engine *e, size_t n) {
	void *p = e->sums;
	int ok = dn_grow(&p, &e->sums_size, n * sizeof *e->sums);
	e->sums = p;
	return ok ? e->sums : 0;
}

typedef struct {
	const dn_library *lib;
	dn_task task;
	const void *args;
} job;

static void work(void *data) {
	const job *j = data;
	j->task(j->args, j->lib->get_thread_num(), j->lib->get_num_threads());
}

void dn_run(dn_engine *e, dn_task task, const void *args, int parts) {
	if (parts <= 1) {
		task(args, 0, 1);
		return;
	}
	job j = {e->lib, task, args};
	e->lib->parallel(work, &j, (unsigned)parts, 0);
}

int dn_threads(const dn_engine *e) { return e->threads; }

int dn_parts(const dn_engine *e, size_t n) {
	size_t parts = n / GRAIN;
	return parts < 1 ? 1 : parts < (size_t)e->threads ? (int)parts : e->threads;
}
