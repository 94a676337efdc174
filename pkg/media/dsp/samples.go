package dsp

import (
	"encoding/binary"
	"math"
)

// Encoding is how the samples of an uncompressed sound are laid out, all little endian.
type Encoding int

// The encodings. Whole numbers are scaled to [-1, 1).
const (
	Uint8   Encoding = iota // 128 is silence
	Int16                   // two's complement, as the next two
	Int24                   //
	Int32                   //
	Float32                 // IEEE 754, as the next
	Float64                 //
)

// Size returns the bytes of a sample.
func (e Encoding) Size() int { return [...]int{1, 2, 3, 4, 4, 8}[e] }

// Mix writes the mean of the channels of each of the first len(dst) frames in b to dst. It keeps what is not finite.
func Mix(dst []float32, b []byte, e Encoding, channels int) {
	if len(dst) > 0 {
		mix(dst, b[:len(dst)*channels*e.Size()], e, channels)
	}
}

func goMix(dst []float32, b []byte, e Encoding, channels int) {
	if e == Int16 && channels <= 2 {
		goMix16(dst, b, channels)
		return
	}
	size, scale := e.Size(), 1/float64(channels)
	for i := range dst {
		var sum float64
		for range channels {
			sum += e.value(b)
			b = b[size:]
		}
		dst[i] = float32(sum * scale)
	}
}

// goMix16 is goMix of what most files hold.
func goMix16(dst []float32, b []byte, channels int) {
	if channels == 1 {
		for i := range dst {
			dst[i] = float32(int16(binary.LittleEndian.Uint16(b[2*i:2*i+2]))) * (1.0 / (1 << 15))
		}
		return
	}
	for i := range dst {
		both := binary.LittleEndian.Uint32(b[4*i : 4*i+4])
		dst[i] = float32(int32(int16(both))+int32(both)>>16) * (1.0 / (1 << 16))
	}
}

// value returns the sample at the start of b.
func (e Encoding) value(b []byte) float64 {
	switch e {
	case Uint8:
		return (float64(b[0]) - 128) / (1 << 7)
	case Int16:
		return float64(int16(binary.LittleEndian.Uint16(b))) / (1 << 15)
	case Int24:
		return float64(int32(b[0])<<8|int32(b[1])<<16|int32(b[2])<<24) / (1 << 31)
	case Int32:
		return float64(int32(binary.LittleEndian.Uint32(b))) / (1 << 31)
	case Float32:
		return float64(math.Float32frombits(binary.LittleEndian.Uint32(b)))
	default:
		return math.Float64frombits(binary.LittleEndian.Uint64(b))
	}
}

// goPhases writes the row out[i] = sum over k < width of taps[place+k] rows[first+k], with first and place at places[2i] and after.
func goPhases(out, rows []float64, taps []float32, places []int64, width int) {
	for i := range len(out) / Lanes {
		first, w := int(places[2*i]), taps[places[2*i+1]:][:width]
		var a, b, c, d, e, f, g, h float64 // not an array, which would stay in memory
		for k, tap := range w {
			r, t := at(rows, first+k), float64(tap)
			a, b, c, d = a+t*r[0], b+t*r[1], c+t*r[2], d+t*r[3]
			e, f, g, h = e+t*r[4], f+t*r[5], g+t*r[6], h+t*r[7]
		}
		*at(out, i) = row{a, b, c, d, e, f, g, h}
	}
}
