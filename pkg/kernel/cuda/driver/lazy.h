#ifndef MM_LAZY_H
#define MM_LAZY_H

#include "cuda.h"

// mm_driver_open opens the driver and starts it. Where that fails, message says why, or is empty and the result does.
CUresult mm_driver_open(const char *path, char *message, size_t size);

#endif
