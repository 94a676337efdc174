// What units that internal/ptx translated from PTX are made of. Source: NVIDIA, Parallel Thread Execution ISA, version 7.8.
#ifndef MM_INSTRUCTIONS_H
#define MM_INSTRUCTIONS_H

#include "shim.h"

#include <cmath>
#include <limits>
#include <type_traits>

#pragma GCC diagnostic ignored "-Wunused-label"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"

#define INLINE __attribute__((always_inline)) inline // at -O1 too, where threads would call thousands of one line

#include "profile.h"

// What a card fails at.
extern "C" [[noreturn]] void __ubsan_handle_type_mismatch_v1_abort(void *, void *); // an address that is no multiple of the access's size
[[noreturn]] void emulate_fail(const char *what);

template <class T, class S>
INLINE T from_bits(S bits) {
	static_assert(sizeof(T) == sizeof(S), "as many bits");
	T v;
	memcpy(&v, &bits, sizeof v);
	return v;
}
INLINE uint32_t bits_of(float v) { return from_bits<uint32_t>(v); }
INLINE uint64_t bits_of(double v) { return from_bits<uint64_t>(v); }

// odd is what a register holds that nobody wrote.
template <class T>
INLINE T odd() {
	if constexpr (std::is_same_v<T, bool>) return true;
	else if constexpr (std::is_same_v<T, float>) return from_bits<float>(0x7fa5a5a5u);
	else if constexpr (std::is_same_v<T, double>) return from_bits<double>(0x7ff5a5a5a5a5a5a5ul);
	else return (T)0xa5a5a5a5a5a5a5a5ul;
}

// Own is the shared memory of a kernel.
template <int N>
struct Own {
	struct {
		uint64_t at, size;
	} arrays[N ? N : 1];

	INLINE bool holds(uint64_t p, uint64_t size) const {
		for (int i = 0; i < N; i++)
			if (p - arrays[i].at <= arrays[i].size - size) return true;
		return false;
	}
};

template <int SIZE, int N>
INLINE uint64_t global_place(uint64_t p, const Own<N> &own) {
	if (__builtin_expect(p % SIZE != 0, 0)) __ubsan_handle_type_mismatch_v1_abort(nullptr, nullptr);
	if (__builtin_expect(own.holds(p, 1), 0)) emulate_fail("ld.global or st.global of shared memory");
	return p;
}

template <int SIZE, int N>
INLINE uint64_t shared_place(uint64_t p, const Own<N> &own) {
	if (__builtin_expect(p % SIZE != 0, 0)) __ubsan_handle_type_mismatch_v1_abort(nullptr, nullptr);
	if (__builtin_expect(!own.holds(p, SIZE), 0)) emulate_fail("ld.shared or st.shared outside of the kernel's arrays");
	return p;
}

// at is memory as a number, whatever else has it as another.
template <class T>
INLINE auto &at(uint64_t p) {
	typedef T __attribute__((may_alias)) Any;
	return *(Any *)p;
}

template <class T>
INLINE T parameter(const void *p, int offset) {
	T v;
	memcpy(&v, (const char *)p + offset, sizeof v);
	return v;
}

template <class T>
INLINE T quotient(T a, T b) {
	if (b == 0) emulate_fail("a division by 0");
	if (std::is_signed_v<T> && b == (T)-1) return (T)(0 - (uint64_t)a); // the lowest number's is itself
	return a / b;
}

template <class T>
INLINE T remainder_of(T a, T b) {
	if (b == 0) emulate_fail("a division by 0");
	if (std::is_signed_v<T> && b == (T)-1) return 0;
	return a % b;
}

// Shifts by more than there are bits are by as many.
template <class T>
INLINE T shift_left(T a, uint32_t b) {
	return b >= 8 * sizeof(T) ? 0 : (T)((uint64_t)a << b);
}

template <class T>
INLINE T shift_right(T a, uint32_t b) {
	if (b >= 8 * sizeof(T)) return a < 0 ? (T)-1 : 0;
	return a >> b;
}

// extract is bfe: count bits of a from bit first on. The manual takes 8 bits of both; bits beyond the last are 0.
template <class T>
INLINE T extract(T a, uint32_t first, uint32_t count) {
	a = shift_right(a, first & 255);
	count &= 255;
	return count >= 8 * sizeof(T) ? a : a & (((T)1 << count) - 1);
}

INLINE int16_t negative(int16_t a) { return (int16_t)(0 - (uint32_t)a); }
INLINE int32_t negative(int32_t a) { return (int32_t)(0 - (uint32_t)a); }
INLINE int64_t negative(int64_t a) { return (int64_t)(0 - (uint64_t)a); }
INLINE float negative(float a) { return -a; }
INLINE double negative(double a) { return -a; }

INLINE bool differ(float a, float b) { return a < b || a > b; }
INLINE bool differ(double a, double b) { return a < b || a > b; }
template <class T>
INLINE bool differ(T a, T b) {
	return a != b;
}

// towards_zero is cvt.rzi, which ends at the type's ends. NaN is 0, or the top bit alone where one of the types has 64.
template <class T, class F>
INLINE T towards_zero(F v) {
	constexpr T least = std::numeric_limits<T>::min(), most = std::numeric_limits<T>::max();
	constexpr F end = (F)((uint64_t)1 << (8 * sizeof(T) - 2)) * (std::is_signed_v<T> ? 2 : 4);
	if (v != v) return sizeof(T) < 8 && sizeof(F) < 8 ? 0 : (T)((uint64_t)1 << (8 * sizeof(T) - 1));
	if (v >= end) return most;
	if (v <= (F)least) return least;
	return (T)v;
}

// KERNEL makes a kernel known to the emulated driver.
#define KERNEL(name, parameters) \
	__attribute__((constructor)) static void add_##name() { emulate_register(#name, thread_##name, parameters); }

#endif
