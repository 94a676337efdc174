// The threads of a block as fibres, run in an order that a kernel may not depend on.
//
//	MM_EMULATED_ORDER   a seed: blocks, and threads between two barriers, run in an order drawn from it; 0: in theirs (0)
//
// A launch ends the process with a message where a barrier is not reached by all threads of its block, or of its warp. Shared
// memory is NaN when a block starts.
#include "profile.h"
#include "races.h"
#include "shim.h"

#include <setjmp.h>
#include <stdlib.h>
#include <ucontext.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

constexpr size_t stack_size = 256 << 10; // of which the system gives what is touched
constexpr size_t warp = 32;

enum State { ready, at_block_barrier, at_warp_barrier, done };

struct Fibre {
	ucontext_t start;
	jmp_buf at;
	std::unique_ptr<char[]> stack{new char[stack_size]};
	bool entered = false;
	dim3 index;
	State state;
	uint64_t lane[2]; // what emulate_swap_lanes and emulate_swap_bits hand over, by turns
	int turn;
	unsigned a[2][4], b[2][2]; // what emulate_add_product hands over, likewise
};

std::vector<std::unique_ptr<Fibre>> fibres;
Fibre *running;
const char *kernel;
void (*body)(void **);
void **parameters;
std::mt19937_64 random_order;

#ifdef __SANITIZE_ADDRESS__
// AddressSanitizer has to be told of every change of the stack.
ucontext_t scheduler;
const void *scheduler_stack;
size_t scheduler_size;

void to_scheduler() {
	void *fake;
	__sanitizer_start_switch_fiber(&fake, scheduler_stack, scheduler_size);
	swapcontext(&running->start, &scheduler);
	__sanitizer_finish_switch_fiber(fake, &scheduler_stack, &scheduler_size);
}

void to_fibre(Fibre &f) {
	void *fake;
	__sanitizer_start_switch_fiber(&fake, f.stack.get(), stack_size);
	swapcontext(&scheduler, &f.start);
	__sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
}
#else
// setjmp and longjmp change the stack without the system call of swapcontext, which only the first entry needs.
jmp_buf scheduler;

void to_scheduler() {
	if (!_setjmp(running->at)) _longjmp(scheduler, 1);
}

void to_fibre(Fibre &f) {
	if (_setjmp(scheduler)) return;
	if (f.entered) _longjmp(f.at, 1);
	setcontext(&f.start);
}
#endif

// loop runs one thread after another on a fibre.
void loop() {
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_finish_switch_fiber(nullptr, &scheduler_stack, &scheduler_size);
#endif
	for (;;) {
		running->entered = true;
		body(parameters);
		running->state = done;
		to_scheduler();
	}
}

void wait(State at) {
	running->state = at;
	to_scheduler();
}

} // namespace

void emulate_fail(const char *what) {
	fprintf(stderr, "emulated kernel %s, block %u %u %u: %s\n", kernel, blockIdx.x, blockIdx.y, blockIdx.z, what);
	abort();
}

namespace {

Fibre &fibre(size_t t) {
	while (fibres.size() <= t) {
		auto f = std::make_unique<Fibre>();
		getcontext(&f->start);
		f->start.uc_stack.ss_sp = f->stack.get();
		f->start.uc_stack.ss_size = stack_size;
		f->start.uc_link = nullptr;
		makecontext(&f->start, loop, 0);
		fibres.push_back(std::move(f));
	}
	return *fibres[t];
}

// release lets the threads [from,to) that wait at a barrier go on, where all of them do; it fails where some never will.
bool release(size_t from, size_t to, State at) {
	size_t waiting = 0, ended = 0;
	for (size_t t = from; t < to; t++) {
		waiting += fibre(t).state == at;
		ended += fibre(t).state == done;
	}
	if (!waiting || waiting + ended < to - from) return false;
	if (ended) emulate_fail("some threads ended, the others wait at a barrier");
	for (size_t t = from; t < to; t++) fibre(t).state = ready;
	return true;
}

#ifndef __SANITIZE_ADDRESS__
extern "C" __attribute__((weak, visibility("hidden"))) char __start_mm_shared[], __stop_mm_shared[];

void spoil_shared() {
	if (__start_mm_shared) memset(__start_mm_shared, 0xff, __stop_mm_shared - __start_mm_shared);
}
#else
void spoil_shared() {}
#endif

void run_block(std::vector<unsigned> &order, bool shuffled) {
	size_t threads = order.size();
	spoil_shared();
	races_block();
	size_t t = 0;
	for (unsigned z = 0; z < blockDim.z; z++)
		for (unsigned y = 0; y < blockDim.y; y++)
			for (unsigned x = 0; x < blockDim.x; x++) {
				Fibre &f = fibre(t++);
				f.index = {x, y, z};
				f.state = ready;
				f.turn = 0;
			}
	for (;;) {
		if (shuffled) std::shuffle(order.begin(), order.end(), random_order);
		for (unsigned next : order) {
			Fibre &f = *fibres[next];
			if (f.state != ready) continue;
			running = &f;
			threadIdx = f.index;
			races_thread(next, f.stack.get(), stack_size);
			profile_thread(next);
			to_fibre(f);
		}
		bool go = false;
		for (size_t w = 0; w < threads; w += warp) go |= release(w, std::min(w + warp, threads), at_warp_barrier);
		if (go) continue;
		if (release(0, threads, at_block_barrier)) {
			races_barrier();
			continue;
		}
		for (t = 0; t < threads; t++)
			if (fibres[t]->state != done) emulate_fail("threads wait at different barriers");
		return;
	}
}

unsigned long long seed() {
	const char *value = getenv("MM_EMULATED_ORDER");
	return value ? strtoull(value, nullptr, 10) : 0;
}

} // namespace

// What the compiler makes kernels call where an address is off.
extern "C" __attribute__((noreturn)) void __ubsan_handle_type_mismatch_v1_abort(void *, void *) {
	emulate_fail("memory is not at a multiple of the size of what is read or written there");
}

void __syncthreads() { wait(at_block_barrier); }

// One barrier: all have handed theirs over before one reads. Nobody hands the one after the next over, in the same place, before
// all have read this one.
static uint64_t swap(uint64_t v, int bits) {
	unsigned mine = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z);
	int turn = running->turn;
	running->turn = !turn;
	running->lane[turn] = v;
	wait(at_warp_barrier);
	return fibres[mine ^ bits]->lane[turn];
}

double emulate_swap_lanes(double v, int bits) {
	uint64_t mine, other;
	memcpy(&mine, &v, sizeof v);
	other = swap(mine, bits);
	memcpy(&v, &other, sizeof v);
	return v;
}

unsigned emulate_swap_bits(unsigned v, int bits) { return (unsigned)swap(v, bits); }

static float as_float(unsigned bits) {
	float x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

static unsigned as_bits(float x) {
	unsigned bits;
	memcpy(&bits, &x, sizeof bits);
	return bits;
}

unsigned emulate_round10(float x) {
	unsigned bits = as_bits(x);
	return (bits & 0x7f800000) == 0x7f800000 ? bits : (bits + 0x1000) & ~0x1fffu;
}

unsigned emulate_round7(float x) {
	unsigned bits = as_bits(x);
	if (x != x) return 0x7fff;
	return (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
}

// The fragments as the PTX manual has them for mma.m16n8k8 of TF32 and m16n8k16 of bfloat16: with g = lane / 4 and t = lane % 4,
// words (row g, t), (g+8, t), (g, t+4), (g+8, t+4) of a, (t, column g), (t+4, g) of b, and sums (g, 2t), (g, 2t+1), (g+8, 2t),
// (g+8, 2t+1) of c.
void emulate_add_product(int terms, float (&c)[4], const unsigned (&a)[4], const unsigned (&b)[2]) {
	unsigned mine = threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * threadIdx.z), first = mine / 32 * 32, lane = mine % 32;
	int turn = running->turn;
	running->turn = !turn;
	memcpy(running->a[turn], a, sizeof a);
	memcpy(running->b[turn], b, sizeof b);
	wait(at_warp_barrier);
	for (int e = 0; e < 4; e++) {
		unsigned row = lane / 4 + e / 2 * 8, column = lane % 4 * 2 + e % 2;
		for (unsigned word = 0; word < 8; word++) {
			unsigned u = fibres[first + row % 8 * 4 + word % 4]->a[turn][row / 8 + word / 4 * 2];
			unsigned v = fibres[first + column * 4 + word % 4]->b[turn][word / 4];
			if (terms == 1) {
				c[e] += as_float(u) * as_float(v);
				continue;
			}
			c[e] += as_float(u << 16) * as_float(v << 16);
			c[e] += as_float(u & 0xffff0000) * as_float(v & 0xffff0000);
		}
	}
}

void emulate_launch(const char *name, void (*thread)(void **), void **arguments, dim3 grid, dim3 block) {
	kernel = name;
	races_launch(name);
	body = thread;
	parameters = arguments;
	gridDim = grid;
	blockDim = block;
	unsigned long long drawn = seed();
	random_order.seed(drawn);
	std::vector<unsigned> blocks(grid.x * grid.y * grid.z), threads(block.x * block.y * block.z);
	std::iota(blocks.begin(), blocks.end(), 0);
	std::iota(threads.begin(), threads.end(), 0);
	profile_launch(name, blocks);
	if (drawn) std::shuffle(blocks.begin(), blocks.end(), random_order);
	for (unsigned b : blocks) {
		blockIdx = {b % grid.x, b / grid.x % grid.y, b / grid.x / grid.y};
		run_block(threads, drawn != 0);
		profile_block_end();
	}
	profile_launch_end();
}
