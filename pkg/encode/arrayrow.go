package encode

import (
	"context"
	"strconv"

	"mmtools/pkg/media"
	"mmtools/pkg/stream"

	"github.com/apache/arrow/go/v17/arrow/float16"
)

// NewDecoder implements Source; the arrays are only read, so that one decoder would do for all.
func (a *Arrays) NewDecoder() (Decoder, error) { return a, nil }

// Decode implements Decoder. Tensors that the file holds as the stream does are not copied: they lie in the mapping.
// A NaN or an infinity, also of a float64 that float32 cannot hold, is a failure that names file, row and column.
func (a *Arrays) Decode(_ context.Context, first int, rows []Row, store [][]any) {
	for k := range rows {
		a.row(first+k, &rows[k], store[k])
	}
}

func (a *Arrays) row(k int, row *Row, store []any) {
	i := a.rows[k]
	*row = Row{Index: k, ID: a.id(k), Label: -1, Tensors: row.Tensors, Failures: row.Failures[:0]}
	if a.labels != nil {
		label, _ := a.labels.Int(i) // checked when the array was opened
		row.Label = int32(label)
	}
	for p, array := range a.arrays {
		var column int
		row.Tensors[p], column = arrayRow(array, i, a.samples.Elements[p], store, p)
		if column >= 0 {
			row.Tensors[p] = nil
			row.Failures = append(row.Failures, Failure{Row: i, ID: row.ID, Modality: a.samples.Modalities[p].Name, Path: array.Name(),
				Err: stream.Errorf("%s: row %d, column %d: %v is not finite in float32", array.Name(), i, column, array.Float64(i, column))})
		}
	}
}

func (a *Arrays) id(k int) string {
	if a.ids != nil {
		return a.ids[k]
	}
	return strconv.Itoa(a.rows[k])
}

// arrayRow returns row i and the column of its first number that is not finite, or -1.
func arrayRow(array *media.Array, i int, element Element, store []any, p int) (any, int) {
	size := array.RowSize()
	switch element {
	case Uint8:
		if all := array.Uint8s(); all != nil {
			return all[i*size:][:size:size], -1
		}
		t := tensor[uint8](store, p, size)
		for j := range t {
			t[j] = uint8(array.Bits(i, j))
		}
		return t, -1
	case Float16:
		t, bad := tensor[float16.Num](store, p, size), -1
		for j := range t {
			bits := uint16(array.Bits(i, j))
			if bits&0x7c00 == 0x7c00 && bad < 0 { // the exponent of infinities and NaN
				bad = j
			}
			t[j] = float16.FromBits(bits)
		}
		return t, bad
	}
	t := array.Float32s()
	if t != nil {
		t = t[i*size:][:size:size]
	} else {
		t = tensor[float32](store, p, size)
		array.Row(i, t)
	}
	return t, notFinite(t)
}

// notFinite returns the place of the first NaN or infinity in x, or -1.
func notFinite(x []float32) int {
	const together = 8 // what is not finite makes the sum of differences NaN, which else is 0
	i := 0
	for ; i+together <= len(x); i += together {
		p := (*[together]float32)(x[i:])
		if ((p[0]-p[0])+(p[1]-p[1]))+((p[2]-p[2])+(p[3]-p[3]))+(((p[4]-p[4])+(p[5]-p[5]))+((p[6]-p[6])+(p[7]-p[7]))) != 0 {
			break
		}
	}
	for ; i < len(x); i++ {
		if v := x[i]; v-v != 0 { // NaN, also of infinity
			return i
		}
	}
	return -1
}
