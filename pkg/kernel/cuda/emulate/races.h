// What races.cc has to be told of a launch.
#ifndef MM_RACES_H
#define MM_RACES_H

#include "shim.h"

#ifdef MM_RACES
void races_launch(const char *kernel);
void races_block();                                                    // the next one begins
void races_barrier();                                                  // all threads of the block have passed one
void races_thread(unsigned number, const char *stack, size_t size);    // the one that runs now
#else
inline void races_launch(const char *) {}
inline void races_block() {}
inline void races_barrier() {}
inline void races_thread(unsigned, const char *, size_t) {}
#endif

#endif
