package schema

import (
	"fmt"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// SamplesReader reads a samples stream batch by batch. Ids are not held against each other, for which memory would grow
// with the stream: an IDSet does that for callers that keep the ids anyway.
type SamplesReader struct {
	r      *stream.Reader
	header Header
	dtypes []DType
	id     int
	label  int
	column []int // per modality
	rest   []int
	rows   int64 // returned so far
}

// NewSamplesReader returns a reader of the samples in r, whose columns it holds against the header.
func NewSamplesReader(r *stream.Reader) (*SamplesReader, error) {
	h, err := readHeader(r, KindSamples)
	if err != nil {
		return nil, err
	}
	s := &SamplesReader{r: r, header: h, column: make([]int, len(h.Modalities)), dtypes: make([]DType, len(h.Modalities))}
	l := newLayout(r)
	if s.id, err = l.typed("id", arrow.BinaryTypes.String); err != nil {
		return nil, err
	}
	if s.label, err = l.typed("label", arrow.PrimitiveTypes.Int32); err != nil {
		return nil, err
	}
	for p, m := range h.Modalities {
		if s.column[p], err = l.want(m.Name); err != nil {
			return nil, err
		}
		if h.Modalities[p], s.dtypes[p], err = parseModality(l.schema.Field(s.column[p])); err != nil {
			return nil, fmt.Errorf("%s: %w", r.Name(), err)
		}
	}
	s.rest = l.rest()
	return s, nil
}

// Header returns the header, with the modalities' kinds and shapes.
func (s *SamplesReader) Header() Header { return s.header }

// Modalities returns the modalities in bit order.
func (s *SamplesReader) Modalities() []modality.Modality { return s.header.Modalities }

// DTypes returns the element type of every modality.
func (s *SamplesReader) DTypes() []DType { return s.dtypes }

// Name returns the stream's name for messages.
func (s *SamplesReader) Name() string { return s.r.Name() }

// Mapped reports whether the stream can be read again and its batches are cheap to retain.
func (s *SamplesReader) Mapped() bool { return s.r.Mapped() }

// Columns returns the columns that are not known here, which a tool passes on where its output has the same rows; see
// SamplesBatch.Columns.
func (s *SamplesReader) Columns() []arrow.Field {
	var fields []arrow.Field
	for _, i := range s.rest {
		fields = append(fields, s.r.Schema().Field(i))
	}
	return fields
}

// Rewind goes back to the first batch; stream.ErrNotSeekable for a pipe.
func (s *SamplesReader) Rewind() error {
	s.rows = 0
	return s.r.Rewind()
}

// Next returns the next batch, borrowed until the next call; io.EOF only where the stream ends as it should.
func (s *SamplesReader) Next() (*SamplesBatch, error) {
	record, err := s.r.Next()
	if err != nil {
		return nil, err
	}
	b, err := s.batch(record, s.rows)
	if err == nil {
		s.rows += record.NumRows()
	}
	return b, err
}

// batch views a record whose row 0 is at a position in the stream.
func (s *SamplesReader) batch(record arrow.Record, first int64) (b *SamplesBatch, err error) {
	b = &SamplesBatch{
		record: record, reader: s, ids: record.Column(s.id).(*array.String),
		tensors: make([]tensors, len(s.column)),
	}
	b.check = rows{name: s.r.Name(), first: first, ids: b.ids, classes: len(s.header.Classes)}
	if err := b.check.whole("id", b.ids); err != nil {
		return nil, err
	}
	if b.labels, err = b.check.labels("label", record.Column(s.label).(*array.Int32), true); err != nil {
		return nil, err
	}
	for p, m := range s.header.Modalities {
		if b.tensors[p], err = newTensors(record.Column(s.column[p]).(*array.FixedSizeList), m.Size(), s.dtypes[p]); err != nil {
			return nil, stream.Errorf("%s: column %q: %w", s.r.Name(), m.Name, err)
		}
	}
	return b, nil
}
