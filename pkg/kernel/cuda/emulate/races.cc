// Races between the threads of a kernel. A build with -fsanitize=thread makes the compiler report every access to memory; what it
// reports to is here, in place of the library that knows the threads of a processor: two accesses to one place, one of which writes, by
// two threads of a block with no __syncthreads between them, or by two blocks, end the process. What lanes hand to each other by
// shuffles orders no memory, here as on a card.
#ifdef MM_RACES

#include "races.h"

#include <stdlib.h>

#include <vector>

namespace {

constexpr int nobody = -1, many = -2;

// Access is the last one of its kind to a place: which thread's, in which block, and between which two barriers.
struct Access {
	int thread = nobody;
	unsigned block, interval;
};

struct Place {
	uintptr_t address = 0;
	unsigned launch = 0; // what is of another launch is empty
	Access read, write;
};

std::vector<Place> places(1 << 20);
size_t used;
unsigned launch, block, interval;
int thread;
const char *name, *own_stack;
size_t own_stack_size;

extern "C" __attribute__((weak, visibility("hidden"))) char __start_mm_shared[], __stop_mm_shared[];

bool shared(uintptr_t p) { return __start_mm_shared && p >= (uintptr_t)__start_mm_shared && p < (uintptr_t)__stop_mm_shared; }

Place &find(uintptr_t address) {
	for (size_t i = (address * 0x9e3779b97f4a7c15) >> 20;; i++) {
		Place &p = places[i % places.size()];
		if (p.launch != launch) {
			p = Place();
			p.address = address;
			p.launch = launch;
			used++;
			return p;
		}
		if (p.address == address) return p;
	}
}

void grow() {
	std::vector<Place> before(2 * places.size());
	before.swap(places);
	used = 0;
	for (const Place &p : before)
		if (p.launch == launch) find(p.address) = p;
}

bool races(const Access &a, uintptr_t address) {
	if (a.thread == nobody) return false;
	if (a.block == block) return a.interval == interval && a.thread != thread;
	return !shared(address); // which is another's in another block
}

void access(uintptr_t address, bool writes) {
	if (2 * used > places.size()) grow();
	Place &p = find(address);
	if (races(p.write, address) || (writes && races(p.read, address))) {
		fprintf(stderr, "emulated kernel %s, block %u %u %u: thread %d %s %s memory that another one uses: no barrier is between them\n", name,
			blockIdx.x, blockIdx.y, blockIdx.z, thread, writes ? "writes" : "reads", shared(address) ? "shared" : "the card's");
		abort();
	}
	Access &a = writes ? p.write : p.read;
	bool others = a.thread != nobody && a.thread != thread && (a.block != block || a.interval == interval);
	a = {others && !writes ? many : thread, block, interval};
}

// report is an access of so many bytes. They are kept by fours, in shared memory by twos, for tensor cores are given halves of words
// there; a float64 or an int64 is nothing else to anybody.
void report(const void *p, size_t size, bool writes) {
	auto from = (uintptr_t)p;
	if (!name || (from >= (uintptr_t)own_stack && from < (uintptr_t)own_stack + own_stack_size)) return;
	size_t step = size == 8 ? 8 : shared(from) ? 2 : 4;
	for (size_t at = 0; at < size; at += step) access(from + at, writes);
}

} // namespace

void races_launch(const char *kernel) {
	name = kernel;
	launch++;
	used = 0;
}
void races_block() { block++, interval++; }
void races_barrier() { interval++; }
void races_thread(unsigned number, const char *stack, size_t size) {
	thread = (int)number;
	own_stack = stack;
	own_stack_size = size;
}

#define REPORT(size)                                                                    \
	void __tsan_read##size(void *p) { report(p, size, false); }                         \
	void __tsan_write##size(void *p) { report(p, size, true); }                         \
	void __tsan_unaligned_read##size(void *p) { report(p, size, false); }               \
	void __tsan_unaligned_write##size(void *p) { report(p, size, true); }
extern "C" {
REPORT(1)
REPORT(2)
REPORT(4)
REPORT(8)
REPORT(16)
void __tsan_read_range(void *p, size_t size) { report(p, size, false); }
void __tsan_write_range(void *p, size_t size) { report(p, size, true); }
void __tsan_init() {}
void __tsan_func_entry(void *) {}
void __tsan_func_exit() {}
}

#endif
