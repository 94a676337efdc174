package dsp

// Shape is how the samples of a frame are prepared for the transform: the first Skip rows of a frame and those after its window
// are zero, the window between.
type Shape struct {
	Skip     int
	Window   []float64
	Centre   bool    // the mean of the samples under the window is taken off first
	Emphasis float64 // then this times the sample before, the first one standing before itself
}

// Gather writes count frames, hop samples apart, the first at wave[0], to the columns of frames, (n, Lanes); the columns from count on
// repeat the first. Each frame takes n samples of wave.
func Gather(frames []float64, wave []float32, hop, count int, s *Shape) {
	n := len(frames) / Lanes
	var at [Lanes]int
	for lane := range at {
		if lane < count {
			at[lane] = lane * hop
		}
	}
	_ = wave[(count-1)*hop+n-1] // the kernel in C checks nothing
	clear(frames[:s.Skip*Lanes])
	clear(frames[(s.Skip+len(s.Window))*Lanes:])
	inside := frames[s.Skip*Lanes:][:len(s.Window)*Lanes]
	if !s.Centre && s.Emphasis == 0 {
		gather(inside, wave[s.Skip:], &at, s.Window)
		return
	}
	gather(inside, wave[s.Skip:], &at, nil)
	filter(inside, s.Window, s.Centre, s.Emphasis)
}

// Bands are sums of neighbouring rows, each row times a weight: of band m the rows First[m] to First[m]+Count[m]-1, and the next
// Count[m] of Weights.
type Bands struct {
	First, Count []int32
	Weights      []float64
}

// Apply writes the sums to out, (bands, Lanes).
func (b *Bands) Apply(out, rows []float64) {
	bands(out[:len(b.First)*Lanes], rows, b)
}

// Log replaces every number x, 0 or above, with log(max(x, floor) + add).
func Log(x []float64, floor, add float64) { logarithm(x, floor, add) }

// Root replaces every number with its square root.
func Root(x []float64) { root(x) }

// Store writes the first count columns of rows to count rows of dst, one after another.
func Store(dst []float32, rows []float64, count int) {
	n := len(rows) / Lanes
	store(dst[:n*count], rows, count)
}

// Spread writes the first count columns of row i to dst[i*stride] and after: columns become neighbours.
func Spread(dst []float32, stride int, rows []float64, count int) {
	n := len(rows) / Lanes
	_ = dst[(n-1)*stride+count-1] // the kernel in C checks nothing
	spread(dst, stride, rows, count)
}
