package onnx

import (
	"fmt"
	"math"
)

// half is a float16 in memory.
type half uint16

// newElements returns n elements of a type, nil for one that is not supported.
func newElements(t Type, n int) any {
	switch t {
	case Float32:
		return make([]float32, n)
	case Float16:
		return make([]half, n)
	case Float64:
		return make([]float64, n)
	case Int64:
		return make([]int64, n)
	case Int32:
		return make([]int32, n)
	case Uint8:
		return make([]uint8, n)
	}
	return nil
}

// put writes src, which is []float32, []int64 or []uint8, to dst from element at on. Numbers with a fraction go into floats only, and
// none is cut to fit.
func put(dst any, at int, src any) error {
	switch d := dst.(type) {
	case []float32:
		return putFloats(d[at:], src, func(v float64) float32 { return float32(v) })
	case []float64:
		return putFloats(d[at:], src, func(v float64) float64 { return v })
	case []half:
		return putFloats(d[at:], src, func(v float64) half { return toHalf(float32(v)) })
	case []int64:
		return putIntegers(d[at:], src, math.MinInt64, math.MaxInt64)
	case []int32:
		return putIntegers(d[at:], src, math.MinInt32, math.MaxInt32)
	case []uint8:
		return putIntegers(d[at:], src, 0, math.MaxUint8)
	}
	panic(fmt.Sprintf("onnx: elements of %T", dst))
}

func putFloats[D float32 | float64 | half](dst []D, src any, to func(float64) D) error {
	switch s := src.(type) {
	case []float32:
		for i, v := range s {
			dst[i] = to(float64(v))
		}
	case []uint8:
		for i, v := range s {
			dst[i] = to(float64(v))
		}
	case []int64:
		for i, v := range s {
			dst[i] = to(float64(v))
		}
	default:
		panic(fmt.Sprintf("onnx: numbers of %T", src))
	}
	return nil
}

func putIntegers[D int64 | int32 | uint8](dst []D, src any, low, high int64) error {
	switch s := src.(type) {
	case []float32:
		return fmt.Errorf("the model takes whole numbers here (%T), not float32", dst)
	case []uint8:
		for i, v := range s {
			dst[i] = D(v)
		}
	case []int64:
		for i, v := range s {
			if v < low || v > high {
				return fmt.Errorf("element %d is %d, outside of the model's %T", i, v, dst)
			}
			dst[i] = D(v)
		}
	default:
		panic(fmt.Sprintf("onnx: numbers of %T", src))
	}
	return nil
}

// take widens or rounds len(dst) elements of src from at on to float32.
func take(dst []float32, src any, at int) {
	switch s := src.(type) {
	case []float32:
		copy(dst, s[at:])
	case []float64:
		takeNumbers(dst, s[at:])
	case []int64:
		takeNumbers(dst, s[at:])
	case []int32:
		takeNumbers(dst, s[at:])
	case []uint8:
		takeNumbers(dst, s[at:])
	case []half:
		for i := range dst {
			dst[i] = s[at+i].float32()
		}
	}
}

func takeNumbers[S float64 | int64 | int32 | uint8](dst []float32, src []S) {
	for i := range dst {
		dst[i] = float32(src[i])
	}
}

// copyRow copies n elements of the same slice.
func copyRow(elements any, to, from, n int) {
	switch e := elements.(type) {
	case []float32:
		copy(e[to:to+n], e[from:])
	case []half:
		copy(e[to:to+n], e[from:])
	case []float64:
		copy(e[to:to+n], e[from:])
	case []int64:
		copy(e[to:to+n], e[from:])
	case []int32:
		copy(e[to:to+n], e[from:])
	case []uint8:
		copy(e[to:to+n], e[from:])
	}
}

// float32 widens, exactly.
func (h half) float32() float32 {
	sign := float32(1)
	if h>>15 == 1 {
		sign = -1
	}
	exponent, fraction := int(h>>10&31), float64(h&1023)
	switch exponent {
	case 0:
		return sign * float32(math.Ldexp(fraction, -24))
	case 31:
		if fraction != 0 {
			return float32(math.NaN())
		}
		return sign * float32(math.Inf(1))
	}
	return sign * float32(math.Ldexp(1024+fraction, exponent-25))
}

// toHalf rounds to the nearest, to the even one of two; what is too large becomes infinite.
func toHalf(v float32) half {
	bits := math.Float32bits(v)
	sign := half(bits >> 16 & 0x8000)
	abs := math.Abs(float64(v))
	switch {
	case v != v:
		return sign | 0x7e00
	case abs >= 65520: // half way from the largest to the next
		return sign | 0x7c00
	case abs < 0x1p-14:
		return sign | half(math.RoundToEven(abs*0x1p24)) // 1024 is the smallest normal number, as its bits say
	}
	fraction, exponent := math.Frexp(abs) // in [0.5, 1)
	return sign + half((exponent+13)<<10) + half(math.RoundToEven(fraction*2048))
}
