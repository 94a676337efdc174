//go:build openblas && cgo && linux

package dsp

/*
#cgo CFLAGS: -std=gnu11 -O3 -Wall -Wextra -Wno-psabi
#cgo noescape mm_dsp_gather
#cgo nocallback mm_dsp_gather
#cgo noescape mm_dsp_filter
#cgo nocallback mm_dsp_filter
#cgo noescape mm_dsp_pass
#cgo nocallback mm_dsp_pass
#cgo noescape mm_dsp_split
#cgo nocallback mm_dsp_split
#cgo noescape mm_dsp_bands
#cgo nocallback mm_dsp_bands
#cgo noescape mm_dsp_log
#cgo nocallback mm_dsp_log
#cgo noescape mm_dsp_store
#cgo nocallback mm_dsp_store
#cgo noescape mm_dsp_resample
#cgo nocallback mm_dsp_resample
#include "kernels.h"
*/
import "C"

import "unsafe"

// Lengths are checked by what calls these, and by the slices taken here: C checks nothing.

func doubles(x []float64) *C.double { return (*C.double)(unsafe.SliceData(x)) }
func floats(x []float32) *C.float   { return (*C.float)(unsafe.SliceData(x)) }
func ints(x []int32) *C.int32_t     { return (*C.int32_t)(unsafe.SliceData(x)) }

func gather(frames []float64, wave []float32, from *[Lanes]int, window []float64) {
	C.mm_dsp_gather(doubles(frames), floats(wave), (*C.ptrdiff_t)(unsafe.Pointer(from)), doubles(window), C.size_t(len(frames)/Lanes))
}

func filter(frames, window []float64, centre bool, emphasis float64) {
	flag := C.int(0)
	if centre {
		flag = 1
	}
	C.mm_dsp_filter(doubles(frames), doubles(window), C.size_t(len(window)), flag, C.double(emphasis))
}

func pass(x []float64, s stage) {
	blocks := len(x) / (2 * Lanes * s.size)
	C.mm_dsp_pass(doubles(x), doubles(s.twiddles), C.size_t(blocks), C.size_t(s.size), C.int(s.radix))
}

func split(power, z []float64, position []int32, turns []float64) {
	half := len(position)
	_ = power[(half+1)*Lanes-1]
	C.mm_dsp_split(doubles(power), doubles(z), ints(position), doubles(turns), C.size_t(half))
}

func bands(out, rows []float64, b *Bands) {
	C.mm_dsp_bands(doubles(out), doubles(rows), ints(b.First), ints(b.Count), doubles(b.Weights), C.size_t(len(b.First)))
}

func logarithm(x []float64, floor, add float64) {
	C.mm_dsp_log(doubles(x), C.size_t(len(x)/Lanes), C.double(floor), C.double(add))
}

func store(dst []float32, rows []float64, count int) {
	C.mm_dsp_store(floats(dst), doubles(rows), C.size_t(len(rows)/Lanes), C.size_t(count))
}

func resample(dst, x, taps []float32, from, to, reach int) {
	C.mm_dsp_resample(floats(dst), C.size_t(len(dst)), floats(x), C.ptrdiff_t(len(x)), floats(taps), C.ptrdiff_t(from), C.ptrdiff_t(to), C.ptrdiff_t(reach))
}
