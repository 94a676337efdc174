// Package dsp is the arithmetic of sound: spectra of frames, sums in bands, logarithms, resampling.
//
// Frames are transformed Lanes at a time: one frame a column of a (rows, Lanes) matrix, so that every step is the same arithmetic on all the columns of a row and needs no shuffling inside a vector.
//
// The transform of real frames of even length n is a complex one of n/2,
//
//	X(k) = E(k) + exp(-2 pi i k/n) O(k)
//
// with E and O the transforms of the even and the odd samples (Cooley and Tukey 1965; Sorensen, Jones, Heideman and Burrus 1987),
// computed in place with radices 4, 2, 3 and 5, decimated in frequency: n log n operations. Lengths that are odd, or
// have another prime factor, go through gonum's FFTPACK, a frame at a time.
//
// All is in float64: a float32 transform loses the quiet bins beside a loud one, of which a logarithm makes much. With cgo, and the
// build tag openblas, the kernels are C over vectors of Lanes, compiled for AVX-512, AVX2 and plain processors and chosen when
// the program starts; else they are Go. The two differ by rounding.
package dsp
