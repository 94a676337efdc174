package table

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/float16"

	"mmtools/pkg/media"
	"mmtools/pkg/safetensors"
	"mmtools/pkg/stream"
)

// Element is the type in which numbers are kept.
type Element string

// The element types that a samples stream has. What is stored as another type becomes float32.
const (
	Float32 Element = "float32"
	Float16 Element = "float16"
	Uint8   Element = "uint8"
)

// Size returns the bytes of an element.
func (e Element) Size() int { return map[Element]int{Float32: 4, Float16: 2, Uint8: 1}[e] }

// Element returns the type in which Take gives the rows out: float16 and uint8 where all of them are stored so, else float32.
func (f *Features) Element() Element {
	if f.raw == nil {
		return Float32
	}
	return f.element
}

// Take fills dst, a slice of Element's type as long as a row, with the numbers of a row. A row that is not present has none.
func (f *Features) Take(row int, dst any) error {
	var err error
	switch dst := dst.(type) {
	case []uint8:
		err = f.raw(row, dst)
	case []float16.Num:
		err = f.halves(row, dst)
	default:
		return f.Read(row, dst.([]float32))
	}
	if err != nil {
		err = fmt.Errorf("%s: row %d: %w", f.source.Path, row, err)
	}
	return err
}

func (f *Features) halves(row int, dst []float16.Num) error {
	raw := arrow.Float16Traits.CastToBytes(dst)
	if err := f.raw(row, raw); err != nil {
		return err
	}
	for i := range dst {
		bits := binary.LittleEndian.Uint16(raw[2*i:])
		const exponent = 0x7c00 // all of it set is an infinity or NaN
		if bits&exponent == exponent {
			return stream.Errorf("number %d is not finite", i)
		}
		dst[i] = float16.FromBits(bits)
	}
	return nil
}

// setRaw keeps how rows are read as they are stored, where Take can give them out so: raw fills dst, little endian.
func (f *Features) setRaw(e Element, raw func(row int, dst []byte) error) {
	if e != Float32 {
		f.element, f.raw = e, raw
	}
}

// elementOf returns the type of an array's elements.
func elementOf(a *media.Array) Element {
	switch a.Type()[1:] {
	case "f2":
		return Float16
	case "u1":
		return Uint8
	}
	return Float32
}

// elementOfTensor returns the type of a tensor's elements.
func elementOfTensor(t safetensors.Tensor) Element {
	switch t.DType {
	case "F16":
		return Float16
	case "U8":
		return Uint8
	}
	return Float32
}

// elementOfColumns returns the type of the numbers in some columns of a table.
func elementOfColumns(r Reader, columns []int) Element {
	var of func(column int) Element
	switch r := r.(type) {
	case *records:
		of = r.element
	case *rowGroups:
		of = r.element
	default:
		return Float32
	}
	e := of(columns[0])
	for _, c := range columns[1:] {
		if of(c) != e {
			return Float32
		}
	}
	return e
}

// element returns the type of a column's numbers, in lists or not.
func (t *records) element(column int) Element {
	for of := t.r.Schema().Field(column).Type; ; {
		switch of.ID() {
		case arrow.UINT8:
			return Uint8
		case arrow.FLOAT16:
			return Float16
		}
		list, ok := of.(arrow.ListLikeType)
		if !ok {
			return Float32
		}
		of = list.Elem()
	}
}

// element returns the type of a column's numbers, in lists or not.
func (t *rowGroups) element(column int) Element {
	switch c := t.f.Columns()[column]; {
	case c.Half:
		return Float16
	case c.Byte:
		return Uint8
	}
	return Float32
}

// appendElements appends numbers as they are stored. A number that the type cannot hold, of a column that says that it can, is an error.
func appendElements(raw []byte, numbers []float32, e Element) ([]byte, error) {
	for _, v := range numbers {
		switch e {
		case Float16:
			raw = binary.LittleEndian.AppendUint16(raw, halfOf(v))
		case Uint8:
			if v < 0 || v > 255 || v != float32(uint8(v)) {
				return raw, stream.Errorf("%v in a column of 8 bits", v)
			}
			raw = append(raw, uint8(v))
		default:
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
	}
	return raw, nil
}

// halfOf returns the bits of a number that 16 bits hold. Arrow's conversion makes zeros of the smallest.
func halfOf(v float32) uint16 {
	const least, step = 1.0 / (1 << 14), 1.0 / (1 << 24) // of numbers with an exponent of their own, and between those below
	if size := math.Abs(float64(v)); size < least {
		return uint16(size/step) | uint16(math.Float32bits(v)>>31)<<15
	}
	return float16.New(v).Uint16()
}
