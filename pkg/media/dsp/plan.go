package dsp

import (
	"fmt"
	"math"
	"unsafe"

	"gonum.org/v1/gonum/dsp/fourier"
)

// Lanes is how many frames are transformed at once.
const Lanes = 8

// Plan transforms frames of one length. It holds buffers: one goroutine at a time.
type Plan struct {
	n        int
	radices  []int32   // of the passes, each over blocks that its radix cuts into parts
	twiddles []float64 // of each pass (part, radix-1, 2): cosine and sine of -2 pi j p/size
	position []int32   // of X(k) of the complex transform of n/2, in its output
	turns    []float64 // exp(-2 pi i k/n) for k up to n/4
	slow     *slow     // where the length has other factors
}

// slow transforms a column at a time.
type slow struct {
	fft    *fourier.FFT
	column []float64
	bins   []complex128
}

// NewPlan makes the plan for frames of n samples, 2 or more.
func NewPlan(n int) *Plan {
	if n < 2 {
		panic(fmt.Sprintf("dsp: frames of %d samples", n))
	}
	p := &Plan{n: n}
	radices := factors(n)
	if radices == nil {
		p.slow = &slow{fft: fourier.NewFFT(n), column: make([]float64, n), bins: make([]complex128, n/2+1)}
		return p
	}
	size := n / 2
	for _, radix := range radices {
		for j := range size / radix {
			for q := 1; q < radix; q++ {
				sin, cos := math.Sincos(-2 * math.Pi * float64(j*q%size) / float64(size))
				p.twiddles = append(p.twiddles, cos, sin)
			}
		}
		p.radices = append(p.radices, int32(radix))
		size /= radix
	}
	p.position = make([]int32, n/2)
	for k := range p.position {
		p.position[k] = int32(position(k, n/2, radices))
	}
	for k := range n/4 + 1 {
		sin, cos := math.Sincos(-2 * math.Pi * float64(k) / float64(n))
		p.turns = append(p.turns, cos, sin)
	}
	return p
}

// factors returns the radices of a transform of n/2, nil where there is one that has no kernel.
func factors(n int) []int {
	if n%2 != 0 {
		return nil
	}
	radices, rest := []int{}, n/2
	for _, radix := range []int{4, 2, 3, 5} {
		for rest%radix == 0 {
			radices = append(radices, radix)
			rest /= radix
		}
	}
	if rest != 1 {
		return nil
	}
	return radices
}

// position returns where decimation in frequency leaves output k of a block of size: part k mod radix, and there output k/radix.
func position(k, size int, radices []int) int {
	if len(radices) == 0 {
		return 0
	}
	part := size / radices[0]
	return k%radices[0]*part + position(k/radices[0], part, radices[1:])
}

// Bins returns the number of bins of a spectrum, n/2+1.
func (p *Plan) Bins() int { return p.n/2 + 1 }

// Power writes |X(k)|^2 of every frame to power, (Bins, Lanes), and destroys frames, (n, Lanes).
func (p *Plan) Power(power, frames []float64) {
	if p.slow != nil {
		p.slow.power(power, frames)
		return
	}
	passes(frames[:p.n*Lanes], p.radices, p.twiddles, p.n/2)
	split(power, frames, p.position, p.turns)
}

func (s *slow) power(power, frames []float64) {
	for lane := range Lanes {
		for i := range s.column {
			s.column[i] = frames[i*Lanes+lane]
		}
		s.fft.Coefficients(s.bins, s.column)
		for k, x := range s.bins {
			power[k*Lanes+lane] = real(x)*real(x) + imag(x)*imag(x)
		}
	}
}

// Rows returns memory for n rows of Lanes numbers, aligned to a row.
func Rows(n int) []float64 {
	const row = Lanes * 8
	b := make([]float64, (n+1)*Lanes)
	skip := (row - uintptr(unsafe.Pointer(unsafe.SliceData(b)))%row) % row / 8
	return b[skip:][: n*Lanes : n*Lanes]
}
