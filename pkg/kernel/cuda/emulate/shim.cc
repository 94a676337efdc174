// The threads of a block as fibres.
#include "shim.h"

#include <ucontext.h>

#include <memory>
#include <vector>

dim3 threadIdx, blockIdx, blockDim, gridDim;

namespace {

constexpr size_t stack_size = 64 << 10;

struct Fibre {
	ucontext_t context;
	std::unique_ptr<char[]> stack{new char[stack_size]};
	dim3 index;
	bool done;
};

std::vector<std::unique_ptr<Fibre>> fibres;
ucontext_t scheduler;
Fibre *running;
void (*body)(void **);
void **parameters;

void enter() {
	body(parameters);
	running->done = true;
}

} // namespace

void __syncthreads() { swapcontext(&running->context, &scheduler); }

static void run_block(size_t threads) {
	while (fibres.size() < threads) fibres.emplace_back(new Fibre);
	size_t t = 0;
	for (unsigned z = 0; z < blockDim.z; z++)
		for (unsigned y = 0; y < blockDim.y; y++)
			for (unsigned x = 0; x < blockDim.x; x++) {
				Fibre &f = *fibres[t++];
				f.index = {x, y, z};
				f.done = false;
				getcontext(&f.context);
				f.context.uc_stack.ss_sp = f.stack.get();
				f.context.uc_stack.ss_size = stack_size;
				f.context.uc_link = &scheduler;
				makecontext(&f.context, enter, 0);
			}
	for (bool left = true; left;) {
		left = false;
		for (t = 0; t < threads; t++) {
			if (fibres[t]->done) continue;
			running = fibres[t].get();
			threadIdx = running->index;
			swapcontext(&scheduler, &running->context);
			left |= !running->done;
		}
	}
}

void emulate_launch(void (*thread)(void **), void **arguments, dim3 grid, dim3 block) {
	body = thread;
	parameters = arguments;
	gridDim = grid;
	blockDim = block;
	for (unsigned z = 0; z < grid.z; z++)
		for (unsigned y = 0; y < grid.y; y++)
			for (unsigned x = 0; x < grid.x; x++) {
				blockIdx = {x, y, z};
				run_block((size_t)block.x * block.y * block.z);
			}
}
