//go:build openblas && cgo && linux

#ifndef MM_EXPONENTIAL_H
#define MM_EXPONENTIAL_H

#include <stdint.h>
#include <string.h>

// exponential returns exp(x) for x <= 0, to 1e-15 of its value; 0 below -708. The loop of its callers becomes vectors, as
// a call to the library's would not. x = n log 2 + r, |r| <= log(2)/2, and exp(r) by its series up to r^13/13!.
static inline __attribute__((always_inline)) double exponential(double x) {
	const double shift = 0x1.8p52;
	double clamped = x < -708 ? -708 : x; // keeps a NaN
	double shifted = clamped * 0x1.71547652b82fep0 + shift;
	double n = shifted - shift;
	double r = clamped - n * 0x1.62e42fefa3800p-1;
	r -= n * 0x1.ef35793c76730p-45;
	double y = 1.0 / 6227020800;
	y = y * r + 1.0 / 479001600;
	y = y * r + 1.0 / 39916800;
	y = y * r + 1.0 / 3628800;
	y = y * r + 1.0 / 362880;
	y = y * r + 1.0 / 40320;
	y = y * r + 1.0 / 5040;
	y = y * r + 1.0 / 720;
	y = y * r + 1.0 / 120;
	y = y * r + 1.0 / 24;
	y = y * r + 1.0 / 6;
	y = y * r + 0.5;
	y = y * r + 1;
	y = y * r + 1;
	uint64_t bits;
	memcpy(&bits, &shifted, sizeof bits);
	bits = (bits + 1023) << 52; // 2^n: the low bits of shifted hold n
	double scale;
	memcpy(&scale, &bits, sizeof scale);
	return x < -708 ? 0 : y * scale;
}

#endif
