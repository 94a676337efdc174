//go:build openblas && cgo && linux

package dsp

/*
#cgo CFLAGS: -std=gnu11 -O3 -Wall -Wextra -Wno-psabi
#cgo noescape mm_dsp_gather
#cgo nocallback mm_dsp_gather
#cgo noescape mm_dsp_filter
#cgo nocallback mm_dsp_filter
#cgo noescape mm_dsp_passes
#cgo nocallback mm_dsp_passes
#cgo noescape mm_dsp_split
#cgo nocallback mm_dsp_split
#cgo noescape mm_dsp_bands
#cgo nocallback mm_dsp_bands
#cgo noescape mm_dsp_log
#cgo nocallback mm_dsp_log
#cgo noescape mm_dsp_store
#cgo nocallback mm_dsp_store
#cgo noescape mm_dsp_root
#cgo nocallback mm_dsp_root
#cgo noescape mm_dsp_spread
#cgo nocallback mm_dsp_spread
#cgo noescape mm_dsp_mix
#cgo nocallback mm_dsp_mix
#cgo noescape mm_dsp_phases
#cgo nocallback mm_dsp_phases
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

func passes(x []float64, radices []int32, twiddles []float64, half int) {
	C.mm_dsp_passes(doubles(x), ints(radices), C.size_t(len(radices)), doubles(twiddles), C.size_t(half))
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

func root(x []float64) { C.mm_dsp_root(doubles(x), C.size_t(len(x)/Lanes)) }

func spread(dst []float32, stride int, rows []float64, count int) {
	C.mm_dsp_spread(floats(dst), C.size_t(stride), doubles(rows), C.size_t(len(rows)/Lanes), C.size_t(count))
}

func mix(dst []float32, b []byte, e Encoding, channels int) {
	C.mm_dsp_mix(floats(dst), C.size_t(len(dst)), (*C.uint8_t)(unsafe.SliceData(b)), C.int(e), C.size_t(channels))
}

func phases(out, rows []float64, taps []float32, places []int64, width int) {
	C.mm_dsp_phases(doubles(out), C.size_t(len(out)/Lanes), doubles(rows), floats(taps), (*C.int64_t)(unsafe.SliceData(places)), C.size_t(width))
}
