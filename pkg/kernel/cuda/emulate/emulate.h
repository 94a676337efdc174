// What the emulated libraries share.
#ifndef MM_EMULATE_H
#define MM_EMULATE_H

#include <functional>

#include "../driver/cuda.h"

// emulate_enqueue queues host work on an emulated stream, or adds it to the graph that the stream is capturing.
void emulate_enqueue(CUstream stream, std::function<void()> work);

#endif
