package schema

import (
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mmtools/pkg/stream"
)

// Sample is one row of a samples stream.
type Sample struct {
	ID      string // unique in the stream
	Label   int32  // a class, or -1 where it is not known
	Tensors []any  // per modality []float32, []float16.Num or []uint8, row major; nil where the sample lacks it
}

// Samples is what a samples stream is made from.
type Samples struct {
	Header         // Modalities with kinds and shapes
	DTypes []DType // per modality
	Lists  bool    // write tensors as plain lists, for readers that refuse extension types that they do not know
}

// A batch holds as many rows as fit batchBytes, and batchRows at most: large enough that its cost is spread, small
// enough that two of them fit any memory.
const (
	batchBytes = 8 << 20
	batchRows  = 4096
)

// SamplesWriter writes a samples stream.
type SamplesWriter struct {
	w      *stream.Writer
	schema *arrow.Schema
	Samples
	rows  int // of a batch
	sizes []int

	ids    texts
	labels []int32
	known  bitmap   // of labels
	data   [][]byte // per modality, (rows, size) elements
	valid  []bitmap // per modality
}

// NewSamplesWriter returns a writer of samples to w.
func NewSamplesWriter(w io.Writer, s Samples, opts ...stream.Option) (*SamplesWriter, error) {
	if len(s.DTypes) != len(s.Modalities) {
		return nil, fmt.Errorf("%d element types for %d modalities", len(s.DTypes), len(s.Modalities))
	}
	metadata, err := s.metadata(KindSamples)
	if err != nil {
		return nil, err
	}
	fields := []arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String},
		{Name: "label", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	}
	out := &SamplesWriter{Samples: s, data: make([][]byte, len(s.DTypes)), valid: make([]bitmap, len(s.DTypes))}
	rowBytes := 0
	for p, m := range s.Modalities {
		field, err := modalityField(m, s.DTypes[p], s.Lists)
		if err != nil {
			return nil, err
		}
		fields = append(fields, field)
		out.sizes = append(out.sizes, m.Size())
		rowBytes += m.Size() * s.DTypes[p].Size()
	}
	out.rows = min(batchRows, max(1, batchBytes/rowBytes))
	for p := range out.data {
		out.data[p] = make([]byte, 0, out.rows*out.sizes[p]*s.DTypes[p].Size())
	}
	out.schema = arrow.NewSchema(fields, metadata)
	out.w, err = stream.NewWriter(w, out.schema, opts...)
	return out, err
}

// Append adds a sample; its tensors are copied. Rows reach the writer in batches.
func (w *SamplesWriter) Append(s Sample) error {
	if err := w.check(s); err != nil {
		return w.w.Fail(fmt.Errorf("sample %q: %w", s.ID, err))
	}
	w.ids.append(s.ID)
	w.labels = append(w.labels, max(s.Label, 0))
	w.known.append(s.Label >= 0)
	for p, t := range s.Tensors {
		n, raw, _ := w.DTypes[p].elements(t)
		if n == 0 {
			// The slice is grown to its capacity at most, and what an earlier batch left there must not show.
			from, to := len(w.data[p]), len(w.data[p])+w.sizes[p]*w.DTypes[p].Size()
			w.data[p] = w.data[p][:to]
			clear(w.data[p][from:])
		}
		w.data[p] = append(w.data[p], raw...)
		w.valid[p].append(n > 0)
	}
	if len(w.labels) == w.rows || len(w.ids.bytes) > batchBytes {
		return w.flush()
	}
	return nil
}

// check holds a sample against the stream before any column grows.
func (w *SamplesWriter) check(s Sample) error {
	if !utf8.ValidString(s.ID) {
		return errNotUTF8
	}
	if len(s.Tensors) != len(w.DTypes) {
		return fmt.Errorf("%d tensors for %d modalities", len(s.Tensors), len(w.DTypes))
	}
	if s.Label < -1 || w.Classes != nil && int(s.Label) >= len(w.Classes) {
		return fmt.Errorf("label %d outside 0..%d, the classes", s.Label, len(w.Classes)-1)
	}
	for p, t := range s.Tensors {
		n, _, ok := w.DTypes[p].elements(t)
		if n == 0 && isNil(t) {
			continue
		}
		if !ok || n != w.sizes[p] {
			return fmt.Errorf("modality %q: got %T of %d elements, want %s of %d", w.Modalities[p].Name, t, n, w.DTypes[p], w.sizes[p])
		}
	}
	return nil
}

func (w *SamplesWriter) flush() error {
	columns := []arrow.Array{w.ids.array(), fixed(arrow.PrimitiveTypes.Int32, w.labels, &w.known)}
	for p, d := range w.DTypes {
		dt := w.schema.Field(2 + p).Type.(*arrow.FixedSizeListType)
		columns = append(columns, lists(dt, w.elements(p, d), &w.valid[p]))
	}
	err := writeRecord(w.w, w.schema, columns, len(w.labels))
	w.ids.reset()
	w.labels = w.labels[:0]
	w.known.reset()
	for p := range w.data {
		w.data[p] = w.data[p][:0]
		w.valid[p].reset()
	}
	return err
}

func (w *SamplesWriter) elements(p int, d DType) arrow.Array {
	switch d {
	case Float16:
		return fixed(d.arrow(), view[uint16](w.data[p]), nil)
	case Uint8:
		return fixed(d.arrow(), w.data[p], nil)
	default:
		return fixed(d.arrow(), view[float32](w.data[p]), nil)
	}
}

// Close writes what is left and the end marker: call it on the success path only.
func (w *SamplesWriter) Close() error {
	if len(w.labels) > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	return w.w.Close()
}

// writeRecord writes the columns, which it releases.
func writeRecord(w *stream.Writer, s *arrow.Schema, columns []arrow.Array, rows int) error {
	defer func() {
		for _, c := range columns {
			c.Release()
		}
	}()
	record := array.NewRecord(s, columns, int64(rows))
	defer record.Release()
	return w.Write(record)
}
