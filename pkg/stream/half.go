package stream

import "math"

// Half returns the IEEE 754 binary16 number with the bits h as float32, which holds every one exactly. Below 2^-14 a half is a
// multiple of 2^-24, which the Float32 of arrow v17 takes for a much smaller number.
func Half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0:
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)/(1<<24)))
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	default:
		return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
	}
}
