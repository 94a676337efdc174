// What the emulated libraries share.
#ifndef MM_EMULATE_H
#define MM_EMULATE_H

#include <functional>

#include "../driver/cuda.h"

// emulate_enqueue queues host work on an emulated stream, or adds it to the graph that the stream is capturing. Nothing that works in the same
// memory may run at the same time.
void emulate_enqueue(CUstream stream, std::function<void()> work, const void *works_in = nullptr);

// emulate_position is how much has been queued on a stream, and emulate_run_until runs as much of it.
unsigned long long emulate_position(CUstream stream);
void emulate_run_until(CUstream stream, unsigned long long at);

// emulate_inside tells whether a stream and n bytes at p are of the card of a context.
bool emulate_inside(CUcontext context, CUstream stream, CUdeviceptr p, size_t n);

// emulate_ready tells whether a stream is of the card whose context is current, and emulate_current whether n bytes at p are memory of it.
bool emulate_ready(CUstream stream);
bool emulate_current(const void *p, size_t n);

#endif
