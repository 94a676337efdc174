// The kernels in C, over rows of 8 doubles: one AVX-512 register, two of AVX2, four of SSE. Each function is compiled for all three
// and chosen when the program starts. kernels.go and samples.go have the same in Go, and what each does.
#include <stddef.h>
#include <stdint.h>

#define CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))

enum { LANES = 8 };
typedef double row __attribute__((vector_size(64), aligned(8), may_alias));

void mm_dsp_gather(double *frames, const float *wave, const ptrdiff_t *from, const double *window, size_t n);
void mm_dsp_filter(double *frames, const double *window, size_t n, int centre, double emphasis);
void mm_dsp_passes(double *x, const int32_t *radices, size_t stages, const double *twiddles, size_t half);
void mm_dsp_split(double *power, const double *z, const int32_t *position, const double *turns, size_t half);
void mm_dsp_bands(double *out, const double *rows, const int32_t *first, const int32_t *count, const double *weights, size_t bands);
void mm_dsp_log(double *x, size_t rows, double floor, double add);
void mm_dsp_root(double *x, size_t rows);
void mm_dsp_spread(float *dst, size_t stride, const double *rows, size_t n, size_t count);
void mm_dsp_store(float *dst, const double *rows, size_t n, size_t count);
void mm_dsp_mix(float *dst, size_t n, const uint8_t *b, int encoding, size_t channels);
void mm_dsp_phases(double *out, size_t n, const double *rows, const float *taps, const int64_t *places, size_t width);
