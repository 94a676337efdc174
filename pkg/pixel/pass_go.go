//go:build !cgo || !linux || !(openblas || dnnl)

package pixel

func passColumns(dst, src []uint8, stride, channels, rows int, s *side) {
	plainColumns(dst, src, stride, channels, rows, s)
}

func passRows(dst []uint8, stride, plane int, src []uint8, channels, width, rows int, s *side) {
	plainRows(dst, stride, plane, src, channels, width, rows, s)
}
