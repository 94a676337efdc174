// The kernels in C, over rows of 8 doubles; kernels.go has the same in Go, and what each does.
#include <stddef.h>
#include <stdint.h>

void mm_dsp_gather(double *frames, const float *wave, const ptrdiff_t *from, const double *window, size_t n);
void mm_dsp_filter(double *frames, const double *window, size_t n, int centre, double emphasis);
void mm_dsp_pass(double *x, const double *twiddles, size_t blocks, size_t size, int radix);
void mm_dsp_split(double *power, const double *z, const int32_t *position, const double *turns, size_t half);
void mm_dsp_bands(double *out, const double *rows, const int32_t *first, const int32_t *count, const double *weights, size_t bands);
void mm_dsp_log(double *x, size_t rows, double floor, double add);
void mm_dsp_store(float *dst, const double *rows, size_t n, size_t count);
void mm_dsp_resample(float *dst, size_t n, const float *x, ptrdiff_t length, const float *taps, ptrdiff_t from, ptrdiff_t to, ptrdiff_t reach);
