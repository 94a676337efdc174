//go:build !(openblas && cgo && linux)

package dsp

func gather(frames []float64, wave []float32, from *[Lanes]int, window []float64) {
	goGather(frames, wave, from, window)
}

func filter(frames, window []float64, centre bool, emphasis float64) {
	goFilter(frames, window, centre, emphasis)
}

func pass(x []float64, s stage)                                   { goPass(x, s) }
func split(power, z []float64, position []int32, turns []float64) { goSplit(power, z, position, turns) }
func bands(out, rows []float64, b *Bands)                         { goBands(out, rows, b) }
func logarithm(x []float64, floor, add float64)                   { goLogarithm(x, floor, add) }
func store(dst []float32, rows []float64, count int)              { goStore(dst, rows, count) }
func resample(dst, x, taps []float32, from, to, reach int)        { goResample(dst, x, taps, from, to, reach) }
