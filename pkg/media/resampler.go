package media

import (
	"fmt"
	"math"

	"mmtools/pkg/media/dsp"
)

// The low-pass filter of a Resampler, the parameters of resampy's kaiser_best: zero crossings on each side, cut-off as a share of the
// lower Nyquist frequency, and the shape of the Kaiser window.
const (
	resampleZeros   = 64
	resampleRolloff = 0.9475937167399596
	resampleBeta    = 14.769656459379492
)

// maxResampleTable bounds the filter of one pair of rates: 32 MiB.
const maxResampleTable = 1 << 23

// Resampler changes the rate of a sound by band-limited interpolation with a Kaiser-windowed sinc (J. O. Smith, Digital
// Audio Resampling, 1984-2002; the filter of resampy and of torchaudio's sinc_interp_kaiser at the same parameters):
//
//	y[n] = sum_k x[k] h(n/to - k/from),   h(t) = (f/from) sinc(f t) I0(beta sqrt(1 - (f t/zeros)^2)) / I0(beta),  |f t| < zeros
//
// with f = rolloff * min(from, to) and x zero outside its range. The output has ceil(len(x) to / from) samples; y[0] lies at
// x[0]. h depends only on n modulo to/gcd, so one row of taps a phase is made in advance. A Resampler may be shared.
type Resampler struct {
	from, to int // divided by their greatest common divisor
	reach    int // taps on each side of a position
	filter   dsp.Filter
}

// NewResampler makes the filter from one rate to another, both in frames a second and positive. An unequal pair with few
// common divisors, such as 44101 to 16000, takes a large table; beyond 32 MiB it is an error.
func NewResampler(from, to int) (*Resampler, error) {
	if from < 1 || to < 1 {
		return nil, fmt.Errorf("resampling %d to %d: rates must be positive", from, to)
	}
	g := gcd(from, to)
	r := &Resampler{from: from / g, to: to / g}
	if r.from == r.to {
		return r, nil
	}
	cutoff := resampleRolloff * float64(min(r.from, r.to))
	r.reach = int(math.Ceil(resampleZeros * float64(r.from) / cutoff))
	width := 2*r.reach + 1
	if width > maxResampleTable/r.to {
		return nil, fmt.Errorf("resampling %d to %d: the filter needs %d phases of %d taps; choose a rate with a larger common divisor", from, to, r.to, width)
	}
	taps := make([]float32, r.to*width)
	rate, norm := cutoff/float64(r.from), 1/besselI0(resampleBeta) // zero crossings an input sample
	for phase := range r.to {
		for k := range width {
			// An output at phase/to past an input sample lies this far behind tap k, in zero crossings.
			u := rate * (float64(phase)/float64(r.to) + float64(r.reach-k))
			if math.Abs(u) < resampleZeros {
				edge := u / resampleZeros
				taps[phase*width+k] = float32(rate * sinc(u) * besselI0(resampleBeta*math.Sqrt(1-edge*edge)) * norm)
			}
		}
	}
	r.filter = dsp.Filter{From: r.from, To: r.to, Reach: r.reach, Taps: taps}
	return r, nil
}

// Len returns the number of samples that Resample makes of n.
func (r *Resampler) Len(n int) int { return (n*r.to + r.from - 1) / r.from }

// Need returns the number of samples at the start of the input that the first n samples of the output depend on.
func (r *Resampler) Need(n int) int {
	if n == 0 || r.from == r.to {
		return n
	}
	return (n-1)*r.from/r.to + r.reach + 1
}

// Resample writes the first len(dst) samples of the output for the whole input x to dst, len(dst) <= Len(len(x)). Sums are
// in float64, in a fixed order.
func (r *Resampler) Resample(dst, x []float32) {
	if r.from == r.to {
		copy(dst, x)
		return
	}
	r.filter.Apply(dst, x)
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// besselI0 is the modified Bessel function of the first kind and order 0, by its power series, sum of ((x/2)^k / k!)^2
// (Abramowitz and Stegun, 9.6.12); every term is positive, so it loses no digits.
func besselI0(x float64) float64 {
	sum, term := 1.0, 1.0
	for k := 1.0; term > sum*1e-17; k++ {
		term *= x / (2 * k) * (x / (2 * k))
		sum += term
	}
	return sum
}
