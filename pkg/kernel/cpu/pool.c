//go:build openblas && cgo && linux

// A small pool of threads. A kernel is cut into parts by its shape and the number of threads alone, and any thread may
// take any part: who was quick changes nothing in a result. The caller takes parts like the others, so that a thread
// that another process keeps from running delays nothing. A thread with nothing to do spins for SPIN_NS, which covers the
// time between two kernels of a training step, and then sleeps: an idle device costs nothing, and two tools of one pipe
// do not take each other's cores.

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "device.h"

enum { SPIN_NS = 60000, SPINS_A_LOOK = 32 };

struct mm_pool {
	mm_device *device;
	pthread_t *workers; // threads - 1
	mm_task task;
	const void *args;
	pthread_mutex_t mutex;
	pthread_cond_t work, done;
	atomic_int stop;
	_Alignas(64) atomic_ullong ticket; // see below
	_Alignas(64) atomic_int pending;   // parts that are not finished
	_Alignas(64) atomic_int sleepers;  // workers asleep or about to be
	atomic_int waiting;                // the caller is asleep or about to be
};

// A ticket is the kernel's number, its number of parts, and the next part to take, in 32, 16 and 16 bits. One word, so
// that a thread that looked before the kernel changed cannot take a part after: its exchange fails.
static inline unsigned ticket_parts(unsigned long long t) { return t >> 16 & 0xffff; }
static inline unsigned ticket_next(unsigned long long t) { return t & 0xffff; }
static inline int open_ticket(unsigned long long t) { return ticket_next(t) < ticket_parts(t); }

static inline void relax(void) {
#if defined(__x86_64__)
	__builtin_ia32_pause();
#elif defined(__aarch64__)
	__asm__ volatile("yield");
#endif
}

// Numbers below 1e-38 are taken for zero within kernels: a processor computes with them a hundred times slower, and they are
// all over a softmax that is sure and the moments of a unit that is dead. restore gives the caller's way back.
static inline unsigned flush(void) {
#if defined(__x86_64__)
	unsigned before = __builtin_ia32_stmxcsr();
	__builtin_ia32_ldmxcsr(before | 0x8040); // flush to zero, denormals are zero
	return before;
#else
	return 0;
#endif
}

static inline void restore(unsigned before) {
#if defined(__x86_64__)
	__builtin_ia32_ldmxcsr(before);
#else
	(void)before;
#endif
}

static long long nanoseconds(void) {
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

// SPIN waits for a condition and gives up after SPIN_NS, as 0.
#define SPIN(condition)                                            \
	({                                                             \
		int met = 0;                                               \
		long long end = 0;                                         \
		for (;;) {                                                 \
			for (int i = 0; i < SPINS_A_LOOK && !met; i++) {       \
				met = (condition);                                 \
				if (!met) relax();                                 \
			}                                                      \
			if (met) break;                                        \
			long long now = nanoseconds();                         \
			if (end == 0) end = now + SPIN_NS;                     \
			if (now > end) break;                                  \
		}                                                          \
		met;                                                       \
	})

// take computes one part, if any is left to take.
static int take(struct mm_pool *p) {
	unsigned long long t = atomic_load(&p->ticket);
	do {
		if (!open_ticket(t)) return 0;
	} while (!atomic_compare_exchange_weak(&p->ticket, &t, t + 1));
	p->task(p->device, p->args, ticket_next(t), ticket_parts(t));
	if (atomic_fetch_sub(&p->pending, 1) == 1 && atomic_load(&p->waiting)) {
		pthread_mutex_lock(&p->mutex);
		pthread_cond_signal(&p->done);
		pthread_mutex_unlock(&p->mutex);
	}
	return 1;
}

static void *work(void *argument) {
	struct mm_pool *p = argument;
	flush();
	while (!atomic_load(&p->stop)) {
		if (take(p)) continue;
		if (SPIN(open_ticket(atomic_load_explicit(&p->ticket, memory_order_relaxed)) || atomic_load(&p->stop))) continue;
		pthread_mutex_lock(&p->mutex);
		// Sequentially consistent, as is the caller's pair: either it sees the sleeper, or the sleeper sees the work.
		atomic_fetch_add(&p->sleepers, 1);
		while (!open_ticket(atomic_load(&p->ticket)) && !atomic_load(&p->stop)) pthread_cond_wait(&p->work, &p->mutex);
		atomic_fetch_sub(&p->sleepers, 1);
		pthread_mutex_unlock(&p->mutex);
	}
	return 0;
}

static void wake(struct mm_pool *p) {
	if (!atomic_load(&p->sleepers)) return;
	pthread_mutex_lock(&p->mutex);
	pthread_cond_broadcast(&p->work);
	pthread_mutex_unlock(&p->mutex);
}

static void run_parts(struct mm_pool *p, mm_task task, const void *args, int parts) {
	p->task = task, p->args = args;
	atomic_store(&p->pending, parts);
	const unsigned long long number = (atomic_load(&p->ticket) >> 32) + 1;
	atomic_store(&p->ticket, number << 32 | (unsigned long long)parts << 16);
	wake(p);
	while (take(p)) {
	}
	if (SPIN(atomic_load_explicit(&p->pending, memory_order_acquire) == 0)) return;
	pthread_mutex_lock(&p->mutex);
	atomic_store(&p->waiting, 1);
	while (atomic_load(&p->pending) != 0) pthread_cond_wait(&p->done, &p->mutex);
	atomic_store(&p->waiting, 0);
	pthread_mutex_unlock(&p->mutex);
}

void mm_run(mm_device *d, mm_task task, const void *args, int parts) {
	const unsigned before = flush();
	if (parts > 1)
		run_parts(d->pool, task, args, parts);
	else
		task(d, args, 0, 1);
	restore(before);
}

int mm_parts(const mm_device *d, size_t n) {
	size_t parts = n / MM_GRAIN;
	return parts < 1 ? 1 : parts < (size_t)d->threads ? (int)parts : d->threads;
}

struct mm_pool *mm_pool_open(mm_device *d) {
	struct mm_pool *p = aligned_alloc(64, (sizeof *p + 63) / 64 * 64);
	if (!p) return 0;
	*p = (struct mm_pool){.device = d};
	pthread_mutex_init(&p->mutex, 0);
	pthread_cond_init(&p->work, 0);
	pthread_cond_init(&p->done, 0);
	p->workers = calloc(d->threads, sizeof *p->workers);
	int started = 0;
	if (p->workers) {
		// Signals are the Go runtime's: its own threads take them, ours none.
		sigset_t all, old;
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		while (started < d->threads - 1 && !pthread_create(&p->workers[started], 0, work, p)) started++;
		pthread_sigmask(SIG_SETMASK, &old, 0);
	}
	if (started == d->threads - 1) return p;
	mm_pool_close(p, started);
	return 0;
}

void mm_pool_close(struct mm_pool *p, int started) {
	atomic_store(&p->stop, 1);
	wake(p);
	for (int i = 0; i < started; i++) pthread_join(p->workers[i], 0);
	pthread_mutex_destroy(&p->mutex);
	pthread_cond_destroy(&p->work);
	pthread_cond_destroy(&p->done);
	free(p->workers);
	free(p);
}
