//go:build dnnl && cgo && linux

// Pixels of blocked maps in code for every processor.

#ifndef DN_HALF_H
#define DN_HALF_H

#include "native.h"

// The 16 channels of a pixel are DN_HALVES times a dn_half: compilers turn comparisons of 32 bytes into good code on every
// generation with AVX2, those of 64 bytes into scalar code on some. Memory decides the speed, not the width.
enum { DN_HALVES = 2, DN_HALF = DN_LANE / DN_HALVES };
typedef float dn_half __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t dn_mask __attribute__((vector_size(32), aligned(4), may_alias)); // each all bits or none
static inline __attribute__((always_inline)) dn_half dn_where(dn_mask m, dn_half v) { return (dn_half)(m & (dn_mask)v); }
typedef uint32_t dn_bits __attribute__((vector_size(32), aligned(4), may_alias));
typedef uint16_t dn_short __attribute__((vector_size(16), aligned(2), may_alias));

// dn_round gives the bits of v rounded to bfloat16, to even, in the upper half of each; what is not a number stays none.
static inline __attribute__((always_inline)) dn_bits dn_round(dn_half v) {
	dn_bits bits = (dn_bits)v, rounded = bits + 0x7fff + (bits >> 16 & 1), none = bits | 0x400000, odd = (dn_bits)(v != v);
	return (none & odd) | (rounded & ~odd);
}

// dn_get returns half number i of maps, dn_put writes it.
static inline __attribute__((always_inline)) dn_half dn_get(const void *maps, size_t i, int narrow) {
	if (!narrow) return ((const dn_half *)maps)[i];
	return (dn_half)(__builtin_convertvector(((const dn_short *)maps)[i], dn_bits) << 16);
}

static inline __attribute__((always_inline)) void dn_put(void *maps, size_t i, dn_half v, int narrow) {
	if (narrow) {
		((dn_short *)maps)[i] = __builtin_convertvector(dn_round(v) >> 16, dn_short);
	} else {
		((dn_half *)maps)[i] = v;
	}
}

// DN_EITHER runs a statement with narrow as a constant.
#define DN_EITHER(is_narrow, statement) \
	if (is_narrow) {                    \
		enum { narrow = 1 };            \
		statement                       \
	} else {                            \
		enum { narrow = 0 };            \
		statement                       \
	}

#endif
