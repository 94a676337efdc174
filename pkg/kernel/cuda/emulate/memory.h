// The memory of emulated cards.
#ifndef MM_MEMORY_H
#define MM_MEMORY_H

#include <cstddef>

// emulate_take returns n bytes, at a multiple of 256, all of them 0xff, which is NaN: nobody may read what nobody wrote. Null where there is
// no room. emulate_give gives them back.
void *emulate_take(size_t n);
void emulate_give(void *p, size_t n);

#endif
