package media

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// element is the type of an array's elements.
type element struct {
	kind byte // 'b' boolean, 'i' signed, 'u' unsigned, 'f' floating point
	size int  // bytes
	big  bool // big endian
}

// parseElement reads a NumPy type string such as "<f4": byte order, kind, bytes.
func parseElement(descr string) (element, error) {
	var e element
	if len(descr) != 3 {
		return e, unsupported(descr)
	}
	e.kind, e.size = descr[1], int(descr[2]-'0')
	switch descr[0] {
	case '<':
	case '>':
		e.big = true
	case '|':
		if e.size != 1 {
			return e, unsupported(descr)
		}
	default:
		return e, unsupported(descr)
	}
	switch e.kind {
	case 'b':
		if e.size == 1 {
			return e, nil
		}
	case 'i', 'u':
		if e.size == 1 || e.size == 2 || e.size == 4 || e.size == 8 {
			return e, nil
		}
	case 'f':
		if e.size == 2 || e.size == 4 || e.size == 8 {
			return e, nil
		}
	}
	return e, unsupported(descr)
}

func unsupported(descr string) error {
	switch {
	case strings.HasSuffix(descr, "O"):
		return fmt.Errorf("npy type %q holds pickled Python objects: save numbers, or texts by astype(\"U\")", descr)
	case textType.MatchString(descr):
		return fmt.Errorf("npy type %q holds texts: want numbers", descr)
	}
	return fmt.Errorf("npy type %q: want b1, i1 to i8, u1 to u8, f2, f4 or f8 with < or > before it", descr)
}

// bits returns the element at the start of b as an unsigned number of its width.
func (e element) bits(b []byte) uint64 {
	var order binary.ByteOrder = binary.LittleEndian
	if e.big {
		order = binary.BigEndian
	}
	switch e.size {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(order.Uint16(b))
	case 4:
		return uint64(order.Uint32(b))
	default:
		return order.Uint64(b)
	}
}

// float64 returns the element at the start of b; a 64-bit integer beyond 2^53 is rounded.
func (e element) float64(b []byte) float64 {
	switch v := e.bits(b); e.kind {
	case 'f':
		switch e.size {
		case 2:
			return float64(halfToFloat(uint16(v)))
		case 4:
			return float64(math.Float32frombits(uint32(v)))
		default:
			return math.Float64frombits(v)
		}
	case 'i':
		return float64(e.signed(v))
	case 'u':
		return float64(v)
	default:
		return boolean(v)
	}
}

// signed extends the sign of a number of e's width.
func (e element) signed(v uint64) int64 {
	shift := 64 - 8*e.size
	return int64(v<<shift) >> shift
}

func boolean(v uint64) float64 {
	if v != 0 {
		return 1
	}
	return 0
}

// convert writes the elements of src that lie step bytes apart to dst, as float32.
func (e element) convert(dst []float32, src []byte, step int) {
	switch {
	case e.kind == 'f' && e.size == 4 && !e.big:
		for j := range dst {
			dst[j] = math.Float32frombits(binary.LittleEndian.Uint32(src[j*step:]))
		}
	case e.kind == 'f' && e.size == 8 && !e.big:
		for j := range dst {
			dst[j] = float32(math.Float64frombits(binary.LittleEndian.Uint64(src[j*step:])))
		}
	case e.kind == 'u' && e.size == 1:
		for j := range dst {
			dst[j] = float32(src[j*step])
		}
	default:
		for j := range dst {
			dst[j] = e.float32(src[j*step:])
		}
	}
}

// float32 rounds once: an integer that went through float64 could be rounded twice.
func (e element) float32(b []byte) float32 {
	switch e.kind {
	case 'i':
		return float32(e.signed(e.bits(b)))
	case 'u':
		return float32(e.bits(b))
	}
	return float32(e.float64(b))
}

// halfToFloat widens an IEEE 754 binary16 number, exactly.
func halfToFloat(h uint16) float32 {
	sign, exponent, fraction := uint32(h>>15)<<31, uint32(h>>10&31), uint32(h&1023)
	switch exponent {
	case 0: // zero and subnormal: fraction * 2^-24
		f := float32(fraction) / (1 << 24)
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 31:
		return math.Float32frombits(sign | 0xff<<23 | fraction<<13)
	}
	return math.Float32frombits(sign | (exponent+127-15)<<23 | fraction<<13)
}
