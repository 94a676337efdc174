// What translated units call at every instruction and at every access to memory: with -DMM_COUNTS what profile.cc counts, else nothing.
//
//	MM_EMULATED_PROFILE   a file to which each launch adds what it did (none)
//	MM_EMULATED_BLOCKS    run no more blocks of a launch than that, spread over it: what is left out stays undone (all)
#ifndef MM_PROFILE_H
#define MM_PROFILE_H

#include <stdint.h>

#include <vector>

#ifdef MM_COUNTS
// What instructions are counted as.
#define PROFILE_CLASSES(X)                                                                                               \
	X(fma) X(float32) X(float64) X(tensor) X(convert) X(integer) X(multiply64) X(divide) X(divide64)         \
	X(load_global) X(store_global) X(load_shared) X(store_shared) X(shuffle) X(barrier) X(branch)
#define PROFILE_ENUM(class) profile_##class,
enum ProfileClass { PROFILE_CLASSES(PROFILE_ENUM) profile_classes };

enum ProfileSpace { profile_global_memory, profile_shared_memory };

extern unsigned long long profile_counts[profile_classes];

// profile_touch is an access by the running thread, at that line of the PTX.
void profile_touch(int line, ProfileSpace space, bool writes, uint64_t address, int size);

#define COUNT(class) profile_counts[profile_##class]++
#define TOUCH(line, space, writes, address, size) profile_touch(line, profile_##space, writes, address, size)

void profile_launch(const char *kernel, std::vector<unsigned> &blocks); // leaves those that are to run
void profile_thread(unsigned number);                                  // the one that runs now
void profile_block_end();
void profile_launch_end();
#else
#define COUNT(class)
#define TOUCH(line, space, writes, address, size)
inline void profile_launch(const char *, std::vector<unsigned> &) {}
inline void profile_thread(unsigned) {}
inline void profile_block_end() {}
inline void profile_launch_end() {}
#endif

#endif
