//go:build !(openblas && cgo && linux)

package dsp

func gather(frames []float64, wave []float32, from *[Lanes]int, window []float64) {
	goGather(frames, wave, from, window)
}

func filter(frames, window []float64, centre bool, emphasis float64) {
	goFilter(frames, window, centre, emphasis)
}

func passes(x []float64, radices []int32, twiddles []float64, half int) {
	goPasses(x, radices, twiddles, half)
}

func phases(out, rows []float64, taps []float32, places []int64, width int) {
	goPhases(out, rows, taps, places, width)
}

func split(power, z []float64, position []int32, turns []float64) { goSplit(power, z, position, turns) }
func bands(out, rows []float64, b *Bands)                         { goBands(out, rows, b) }
func logarithm(x []float64, floor, add float64)                   { goLogarithm(x, floor, add) }
func store(dst []float32, rows []float64, count int)              { goStore(dst, rows, count) }
func root(x []float64)                                            { goRoot(x) }
func spread(dst []float32, stride int, rows []float64, count int) { goSpread(dst, stride, rows, count) }
func mix(dst []float32, b []byte, e Encoding, channels int)       { goMix(dst, b, e, channels) }
