package safetensors

import (
	"encoding/binary"
	"math"
	"slices"
)

// widths is the bytes of an element, by type.
var widths = map[string]int64{
	"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "F8_E5M2": 1, "C64": 8,
	"I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2, "U8": 1, "BOOL": 1,
}

// Floating reports whether the type is one of F64, F32, F16 and BF16.
func (t Tensor) Floating() bool {
	return slices.Contains([]string{"F64", "F32", "F16", "BF16"}, t.DType)
}

// converters write the elements of raw, little endian, to out, each rounded once.
var converters = map[string]func(out []float32, raw []byte){
	"F64":  each(8, func(b []byte) float32 { return float32(math.Float64frombits(binary.LittleEndian.Uint64(b))) }),
	"F32":  each(4, func(b []byte) float32 { return math.Float32frombits(binary.LittleEndian.Uint32(b)) }),
	"F16":  each(2, func(b []byte) float32 { return half(binary.LittleEndian.Uint16(b)) }),
	"BF16": each(2, func(b []byte) float32 { return math.Float32frombits(uint32(binary.LittleEndian.Uint16(b)) << 16) }),
	"I64":  each(8, func(b []byte) float32 { return float32(int64(binary.LittleEndian.Uint64(b))) }),
	"I32":  each(4, func(b []byte) float32 { return float32(int32(binary.LittleEndian.Uint32(b))) }),
	"I16":  each(2, func(b []byte) float32 { return float32(int16(binary.LittleEndian.Uint16(b))) }),
	"I8":   each(1, func(b []byte) float32 { return float32(int8(b[0])) }),
	"U64":  each(8, func(b []byte) float32 { return float32(binary.LittleEndian.Uint64(b)) }),
	"U32":  each(4, func(b []byte) float32 { return float32(binary.LittleEndian.Uint32(b)) }),
	"U16":  each(2, func(b []byte) float32 { return float32(binary.LittleEndian.Uint16(b)) }),
	"U8":   each(1, func(b []byte) float32 { return float32(b[0]) }),
	"BOOL": each(1, func(b []byte) float32 { return float32(min(b[0], 1)) }),
}

func each(width int, one func([]byte) float32) func([]float32, []byte) {
	return func(out []float32, raw []byte) {
		for i := range out {
			out[i] = one(raw[i*width:])
		}
	}
}

// half widens a float16, exactly. The Float32 of arrow v17 takes a number below 2^-14 for a much smaller one.
func half(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0: // zero and subnormal: fraction * 2^-24
		return math.Float32frombits(sign | math.Float32bits(float32(fraction)/(1<<24)))
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
