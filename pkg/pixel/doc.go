// Package pixel resizes pictures as PIL and torchvision do: bilinear and antialiased, by a triangle filter as wide as the
// reduction.
//
// Pixel i of n, out of m, is the mean of the pixels k around it, weighed by
//
//	max(0, 1 - |k + 1/2 - c| / s)    c = (i + 1/2) m/n    s = max(1, m/n)
//
// for k from floor(c - s + 1/2) up to floor(c + s + 1/2), the second not included, rows and columns one after the other. (Pillow 9,
// src/libImaging/Resample.c; torch.nn.functional.interpolate with antialias=True computes the same.)
//
// A Resizer takes pixels of 8 bits and gives, to the bit, what PIL's Image.resize(size, Image.BILINEAR) gives: columns first,
// weights of 22 bits, and the result rounded to 8 bits between the passes. A Frame says how a picture of any size becomes one of a
// fixed size: stretched, cut or with a border. Planes resizes float32, and rounds nothing.
//
// Cost: a multiplication for each tap of the filter, 2 s or so, of the pixels of both passes; only rows that the result depends on are
// looked at. With a C compiler (build tags openblas or dnnl) the passes of a Resizer run in C, several pixels an instruction. Resizers and
// Planes keep their memory, and belong to one goroutine.
package pixel
