//go:build cgo && linux && (openblas || dnnl)

package pixel

/*
#cgo CFLAGS: -std=gnu11 -O3 -Wall -Wextra -Wno-psabi
#include "pass.h"
*/
import "C"

import "unsafe"

func bytes(p []uint8) *C.uint8_t  { return (*C.uint8_t)(unsafe.Pointer(unsafe.SliceData(p))) }
func words(p []int32) *C.int32_t  { return (*C.int32_t)(unsafe.Pointer(unsafe.SliceData(p))) }
func halves(p []int16) *C.int16_t { return (*C.int16_t)(unsafe.Pointer(unsafe.SliceData(p))) }

func passColumns(dst, src []uint8, stride, channels, rows int, s *side) {
	C.px_columns(bytes(dst), C.size_t(len(s.first)), bytes(src), C.size_t(len(src)), C.size_t(stride), C.size_t(channels), C.size_t(rows),
		words(s.first), words(s.fixed), halves(s.split), C.size_t(s.width), C.size_t(s.groups()))
}

func passRows(dst []uint8, stride, plane int, src []uint8, channels, width, rows int, s *side) {
	C.px_rows(bytes(dst), C.size_t(stride), C.size_t(plane), C.size_t(len(s.first)), bytes(src), C.size_t(channels), C.size_t(width),
		C.size_t(rows), C.int32_t(s.reach0), words(s.first), words(s.fixed), halves(s.split), C.size_t(s.width), C.size_t(s.groups()))
}

// groups returns the number of groups of four taps of an output.
func (s *side) groups() int { return (s.width + 3) / 4 }
