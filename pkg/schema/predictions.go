package schema

import (
	"fmt"
	"io"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// Prediction is one row of a predictions stream: one coalition's answer for one sample.
type Prediction struct {
	ID         string
	Label      int32 // -1 where it is not known
	Coalition  modality.Coalition
	Prediction int32
	Logits     []float32 // (classes); nil where they are not known
}

// Predictions is what a predictions stream is made from; its Classes must be known.
type Predictions struct{ Header }

func predictionFields(classes int) []arrow.Field {
	return []arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String},
		{Name: "label", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "coalition", Type: arrow.PrimitiveTypes.Uint64},
		{Name: "prediction", Type: arrow.PrimitiveTypes.Int32},
		{Name: "logits", Type: arrow.FixedSizeListOf(int32(classes), arrow.PrimitiveTypes.Float32), Nullable: true},
	}
}

// PredictionsWriter writes a predictions stream.
type PredictionsWriter struct {
	w       *stream.Writer
	schema  *arrow.Schema
	all     modality.Coalition
	classes int
	batch   int // rows of one

	ids         texts
	labels      []int32
	known       bitmap
	coalitions  []modality.Coalition
	predictions []int32
	logits      []float32
	scored      bitmap
}

// NewPredictionsWriter returns a writer of predictions to w.
func NewPredictionsWriter(w io.Writer, p Predictions, opts ...stream.Option) (*PredictionsWriter, error) {
	classes := len(p.Classes)
	if classes == 0 {
		return nil, fmt.Errorf("predictions without classes")
	}
	metadata, err := p.metadata(KindPredictions)
	if err != nil {
		return nil, err
	}
	s := arrow.NewSchema(predictionFields(classes), metadata)
	out, err := stream.NewWriter(w, s, opts...)
	return &PredictionsWriter{
		w: out, schema: s, all: modality.All(len(p.Modalities)), classes: classes,
		batch: min(narrowRows, max(1, batchBytes/(4*classes))),
	}, err
}

// Append adds a row, which is copied. Rows reach the writer in batches.
func (w *PredictionsWriter) Append(p Prediction) error {
	classes := int32(w.classes)
	if p.Label < -1 || p.Label >= classes || p.Prediction < 0 || p.Prediction >= classes || p.Coalition&^w.all != 0 ||
		p.Logits != nil && len(p.Logits) != w.classes || !finite32(p.Logits) || !utf8.ValidString(p.ID) {
		return w.w.Fail(fmt.Errorf("prediction of sample %q: label %d, prediction %d, coalition %#x, %d logits or the id are not possible with %d classes",
			p.ID, p.Label, p.Prediction, uint64(p.Coalition), len(p.Logits), w.classes))
	}
	w.ids.append(p.ID)
	w.labels = append(w.labels, max(p.Label, 0))
	w.known.append(p.Label >= 0)
	w.coalitions = append(w.coalitions, p.Coalition)
	w.predictions = append(w.predictions, p.Prediction)
	w.logits = append(w.logits, p.Logits...)
	for range w.classes - len(p.Logits) {
		w.logits = append(w.logits, 0)
	}
	w.scored.append(p.Logits != nil)
	if len(w.labels) == w.batch || len(w.ids.bytes) > batchBytes {
		return w.flush()
	}
	return nil
}

func (w *PredictionsWriter) flush() error {
	logits := fixed(arrow.PrimitiveTypes.Float32, w.logits, nil)
	err := writeRecord(w.w, w.schema, []arrow.Array{
		w.ids.array(), fixed(arrow.PrimitiveTypes.Int32, w.labels, &w.known),
		fixed(arrow.PrimitiveTypes.Uint64, w.coalitions, nil), fixed(arrow.PrimitiveTypes.Int32, w.predictions, nil),
		lists(w.schema.Field(4).Type.(*arrow.FixedSizeListType), logits, &w.scored),
	}, len(w.labels))
	w.ids.reset()
	w.known.reset()
	w.scored.reset()
	w.labels, w.coalitions, w.predictions, w.logits = w.labels[:0], w.coalitions[:0], w.predictions[:0], w.logits[:0]
	return err
}

// Close writes what is left and the end marker: call it on the success path only.
func (w *PredictionsWriter) Close() error {
	if len(w.labels) > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	return w.w.Close()
}

// PredictionsReader reads a predictions stream batch by batch.
type PredictionsReader struct {
	r       *stream.Reader
	header  Header
	columns [5]int // the last is -1 where there are no logits
	rows    int64
}

// NewPredictionsReader returns a reader of the predictions in r. The column of logits may be missing.
func NewPredictionsReader(r *stream.Reader) (*PredictionsReader, error) {
	h, err := readHeader(r, KindPredictions)
	if err != nil {
		return nil, err
	}
	if len(h.Classes) == 0 {
		return nil, stream.Errorf("%s: metadata has no key %s, or it is empty", r.Name(), keyClasses)
	}
	p := &PredictionsReader{r: r, header: h}
	l := newLayout(r)
	for i, f := range predictionFields(len(h.Classes)) {
		find := l.typed
		if f.Name == "logits" {
			find = l.optional
		}
		if p.columns[i], err = find(f.Name, f.Type); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Header returns the header.
func (p *PredictionsReader) Header() Header { return p.header }

// Rewind goes back to the first batch; stream.ErrNotSeekable for a pipe.
func (p *PredictionsReader) Rewind() error {
	p.rows = 0
	return p.r.Rewind()
}

// PredictionsBatch is some consecutive rows of a predictions stream.
type PredictionsBatch struct {
	record      arrow.Record
	first       int64
	ids         *array.String
	labels      []int32
	coalitions  []modality.Coalition
	predictions []int32
	logits      tensors // size 0 where there are none
}

// Next returns the next batch, borrowed until the next call; io.EOF only where the stream ends as it should.
func (p *PredictionsReader) Next() (*PredictionsBatch, error) {
	record, err := p.r.Next()
	if err != nil {
		return nil, err
	}
	b := &PredictionsBatch{record: record, first: p.rows, ids: record.Column(p.columns[0]).(*array.String)}
	check := rows{name: p.r.Name(), first: p.rows, ids: b.ids, classes: len(p.header.Classes)}
	if err := check.whole("id", b.ids); err != nil {
		return nil, err
	}
	if b.labels, err = check.labels("label", record.Column(p.columns[1]).(*array.Int32), true); err != nil {
		return nil, err
	}
	if b.coalitions, err = check.coalitions("coalition", record.Column(p.columns[2]).(*array.Uint64), len(p.header.Modalities)); err != nil {
		return nil, err
	}
	if b.predictions, err = check.labels("prediction", record.Column(p.columns[3]).(*array.Int32), false); err != nil {
		return nil, err
	}
	if at := p.columns[4]; at >= 0 {
		if b.logits, err = newTensors(record.Column(at).(*array.FixedSizeList), len(p.header.Classes), Float32); err != nil {
			return nil, stream.Errorf("%s: column %q: %w", p.r.Name(), "logits", err)
		}
		for i := range b.Rows() {
			if x := b.At(i).Logits; !finite32(x) {
				return nil, check.errorf(i, "logits are not finite")
			}
		}
	}
	p.rows += record.NumRows()
	return b, nil
}

// Rows returns the number of rows.
func (b *PredictionsBatch) Rows() int { return len(b.labels) }

// First returns the position of row 0 in the whole stream.
func (b *PredictionsBatch) First() int64 { return b.first }

// At returns row i; its ID and Logits are views of the batch's memory.
func (b *PredictionsBatch) At(i int) Prediction {
	p := Prediction{ID: b.ids.Value(i), Label: b.labels[i], Coalition: b.coalitions[i], Prediction: b.predictions[i]}
	if t := &b.logits; t.size > 0 && t.present(i) {
		p.Logits = t.f32[i*t.size : (i+1)*t.size]
	}
	return p
}

// Record returns the record behind the batch.
func (b *PredictionsBatch) Record() arrow.Record { return b.record }

// Retain keeps the batch past the next call of Next, until Release.
func (b *PredictionsBatch) Retain() { b.record.Retain() }

// Release gives up what Retain kept.
func (b *PredictionsBatch) Release() { b.record.Release() }
