package schema

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"
	"github.com/apache/arrow/go/v17/arrow/bitutil"
	"github.com/apache/arrow/go/v17/arrow/float16"

	"mmtools/pkg/modality"
)

// SamplesBatch is some rows of a samples stream, consecutive but for those of Pick. Rows i and modalities p are counted from 0.
type SamplesBatch struct {
	record  arrow.Record
	reader  *SamplesReader
	ids     *array.String
	labels  []int32
	tensors []tensors
	check   rows
}

// tensors is one modality's column.
type tensors struct {
	size  int
	valid []byte // bitmap; nil where every row is there
	f32   []float32
	f16   []float16.Num
	u8    []uint8
}

// newTensors views a column's memory. Elements of rows that are there must not be null.
func newTensors(list *array.FixedSizeList, size int, d DType) (tensors, error) {
	t := tensors{size: size}
	if list.NullN() > 0 {
		t.valid = list.NullBitmapBytes()
	}
	values, n := list.ListValues(), list.Len()*size
	if values.NullN() > 0 {
		for i := range list.Len() {
			if t.present(i) && bitutil.CountSetBits(values.NullBitmapBytes(), i*size, size) != size {
				return t, fmt.Errorf("an element of row %d of the batch is null", i)
			}
		}
	}
	switch d {
	case Float32:
		t.f32 = values.(*array.Float32).Float32Values()[:n]
	case Float16:
		t.f16 = values.(*array.Float16).Values()[:n]
	case Uint8:
		t.u8 = values.(*array.Uint8).Uint8Values()[:n]
	}
	return t, nil
}

func (t *tensors) present(i int) bool { return t.valid == nil || bitutil.BitIsSet(t.valid, i) }

// Rows returns the number of rows.
func (b *SamplesBatch) Rows() int { return int(b.record.NumRows()) }

// First returns the position of row 0 in the whole stream.
func (b *SamplesBatch) First() int64 { return b.check.first }

// Row returns the position of row i in the whole stream.
func (b *SamplesBatch) Row(i int) int64 { return b.check.position(i) }

// ID returns the id of row i, a view of the batch's memory.
func (b *SamplesBatch) ID(i int) string { return b.ids.Value(i) }

// Label returns the label of row i, -1 where it is not known.
func (b *SamplesBatch) Label(i int) int32 { return b.labels[i] }

// Labels returns the labels, (Rows), with -1 where one is not known; read only.
func (b *SamplesBatch) Labels() []int32 { return b.labels }

// Present reports whether row i has modality p.
func (b *SamplesBatch) Present(p, i int) bool { return b.tensors[p].present(i) }

// Coalition returns the modalities that row i has.
func (b *SamplesBatch) Coalition(i int) modality.Coalition {
	var c modality.Coalition
	for p := range b.tensors {
		if b.Present(p, i) {
			c = c.With(p)
		}
	}
	return c
}

// Float32s returns modality p as (Rows, size), row major, a view of the batch's memory; nil where the stream holds
// another element type. The values of rows that lack the modality mean nothing.
func (b *SamplesBatch) Float32s(p int) []float32 { return b.tensors[p].f32 }

// CopyRow copies modality p of row i to dst, of at least the modality's size: float16 converted, uint8 as 0 to 255
// unscaled, zeros where the row lacks the modality.
func (b *SamplesBatch) CopyRow(p, i int, dst []float32) {
	t := &b.tensors[p]
	from, to := i*t.size, (i+1)*t.size
	dst = dst[:t.size]
	switch {
	case !t.present(i):
		clear(dst)
	case t.f32 != nil:
		copy(dst, t.f32[from:to])
	case t.f16 != nil:
		for k, v := range t.f16[from:to] {
			dst[k] = Half(v)
		}
	default:
		for k, v := range t.u8[from:to] {
			dst[k] = float32(v)
		}
	}
}

// CheckFinite returns an error that names the modality, the row and the id of the first NaN or infinity.
func (b *SamplesBatch) CheckFinite() error {
	for p := range b.tensors {
		t := &b.tensors[p]
		for i := range b.Rows() {
			from, to := i*t.size, (i+1)*t.size
			if t.f32 != nil && !finite32(t.f32[from:to]) && t.present(i) || t.f16 != nil && !finite16(t.f16[from:to]) && t.present(i) {
				return b.check.errorf(i, "modality %q is not finite", b.reader.header.Modalities[p].Name)
			}
		}
	}
	return nil
}

// finite32 looks at the exponents alone: all ones is an infinity or NaN, and adding one to it carries into the sign. The
// sum of such bits needs no branch.
func finite32(x []float32) bool {
	var carry uint32
	for _, v := range view[uint32](x) {
		carry |= v&0x7f800000 + 0x00800000
	}
	return carry>>31 == 0
}

func finite16(x []float16.Num) bool {
	var carry uint16
	for _, v := range view[uint16](x) {
		carry |= v&0x7c00 + 0x0400
	}
	return carry>>15 == 0
}

// Columns returns the columns that are not known here, in the order of SamplesReader.Columns; borrowed as the batch is.
func (b *SamplesBatch) Columns() []arrow.Array {
	var columns []arrow.Array
	for _, i := range b.reader.rest {
		columns = append(columns, b.record.Column(i))
	}
	return columns
}

// Record returns the record behind the batch.
func (b *SamplesBatch) Record() arrow.Record { return b.record }

// Retain keeps the batch past the next call of Next, until Release. The memory of a mapped file ends with its reader all
// the same.
func (b *SamplesBatch) Retain() { b.record.Retain() }

// Release gives up what Retain kept.
func (b *SamplesBatch) Release() { b.record.Release() }
