package schema

import (
	"fmt"
	"io"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mmtools/pkg/modality"
	"mmtools/pkg/stream"
)

// PlanRow is one row of the next epoch's training.
type PlanRow struct {
	Row    int64 // position in the samples
	ID     string
	Keep   modality.Coalition // the rest is masked
	Weight float32            // multiplies the row's loss; 0 or above
}

// Plan is what a plan stream is made from.
type Plan struct {
	Header           // parameters of the method beyond these are in Extra
	Method   string  // of re-sampling
	Strength float64 // 0 where the method has none
	Epoch    int     // that the plan is for; 0 where it is not known
	Shuffle  bool    // the reader shuffles; otherwise rows are in training order
}

var planFields = []arrow.Field{
	{Name: "row", Type: arrow.PrimitiveTypes.Int64},
	{Name: "id", Type: arrow.BinaryTypes.String},
	{Name: "keep", Type: arrow.PrimitiveTypes.Uint64},
	{Name: "weight", Type: arrow.PrimitiveTypes.Float32},
}

// narrowRows is how many rows a batch of narrow rows holds: plans and predictions.
const narrowRows = 1 << 16

// PlanWriter writes a plan stream.
type PlanWriter struct {
	w       *stream.Writer
	schema  *arrow.Schema
	all     modality.Coalition
	rows    []int64
	ids     texts
	keep    []modality.Coalition
	weights []float32
}

// NewPlanWriter returns a writer of plan rows to w.
func NewPlanWriter(w io.Writer, p Plan, opts ...stream.Option) (*PlanWriter, error) {
	metadata, err := p.metadata(KindPlan, pair{keyMethod, p.Method}, number(keyStrength, p.Strength),
		integer(keyEpoch, p.Epoch), flag(keyShuffle, p.Shuffle))
	if err != nil {
		return nil, err
	}
	s := arrow.NewSchema(planFields, metadata)
	out, err := stream.NewWriter(w, s, opts...)
	return &PlanWriter{w: out, schema: s, all: modality.All(len(p.Modalities))}, err
}

// Append adds a row; the id is copied. Rows reach the writer in batches.
func (w *PlanWriter) Append(r PlanRow) error {
	if r.Row < 0 || r.Keep&^w.all != 0 || !(r.Weight >= 0 && r.Weight <= math.MaxFloat32) || !utf8.ValidString(r.ID) {
		return w.w.Fail(fmt.Errorf("plan row of sample %d (id %q): keep %#x, weight %v or the id is not possible",
			r.Row, r.ID, uint64(r.Keep), r.Weight))
	}
	w.rows = append(w.rows, r.Row)
	w.ids.append(r.ID)
	w.keep = append(w.keep, r.Keep)
	w.weights = append(w.weights, r.Weight)
	return w.flushFull()
}

// AppendOf adds rows of the samples at index of a batch of contributions, as Append would one after the other: a third faster, for the
// batch's reader has held its ids and positions to what a plan takes.
func (w *PlanWriter) AppendOf(b *ContributionsBatch, index []int32, keep []modality.Coalition, weight []float32) error {
	offsets, texts := b.ids.ValueOffsets(), b.ids.ValueBytes()
	first := offsets[0] // where ValueBytes begin
	for k, i := range index {
		if keep[k]&^w.all != 0 || !(weight[k] >= 0 && weight[k] <= math.MaxFloat32) {
			return w.Append(PlanRow{Row: b.rows[i], ID: b.ID(int(i)), Keep: keep[k], Weight: weight[k]}) // which says what is wrong
		}
		w.rows = append(w.rows, b.rows[i])
		w.ids.appendBytes(texts[offsets[i]-first : offsets[i+1]-first])
		w.keep = append(w.keep, keep[k])
		w.weights = append(w.weights, weight[k])
		if err := w.flushFull(); err != nil {
			return err
		}
	}
	return nil
}

// flushFull writes the rows at hand where they are a batch.
func (w *PlanWriter) flushFull() error {
	if len(w.rows) == narrowRows || len(w.ids.bytes) > batchBytes {
		return w.flush()
	}
	return nil
}

func (w *PlanWriter) flush() error {
	err := writeRecord(w.w, w.schema, []arrow.Array{
		fixed(arrow.PrimitiveTypes.Int64, w.rows, nil), w.ids.array(),
		fixed(arrow.PrimitiveTypes.Uint64, w.keep, nil), fixed(arrow.PrimitiveTypes.Float32, w.weights, nil),
	}, len(w.rows))
	w.rows, w.keep, w.weights = w.rows[:0], w.keep[:0], w.weights[:0]
	w.ids.reset()
	return err
}

// Close writes what is left and the end marker: call it on the success path only.
func (w *PlanWriter) Close() error {
	if len(w.rows) > 0 {
		if err := w.flush(); err != nil {
			return err
		}
	}
	return w.w.Close()
}

// PlanReader reads a plan stream batch by batch.
type PlanReader struct {
	r       *stream.Reader
	plan    Plan
	columns [4]int
	rows    int64
}

// NewPlanReader returns a reader of the plan in r.
func NewPlanReader(r *stream.Reader) (*PlanReader, error) {
	h, err := readHeader(r, KindPlan)
	if err != nil {
		return nil, err
	}
	p := &PlanReader{r: r, plan: Plan{Header: h}}
	v := values{r: r}
	p.plan.Method, p.plan.Strength = v.text(keyMethod), v.number(keyStrength)
	p.plan.Epoch, p.plan.Shuffle = v.integer(keyEpoch), v.flag(keyShuffle)
	l := newLayout(r)
	for i, f := range planFields {
		if p.columns[i], err = l.typed(f.Name, f.Type); err != nil {
			return nil, err
		}
	}
	return p, v.err
}

// Plan returns what the plan was made from.
func (p *PlanReader) Plan() Plan { return p.plan }

// Rewind goes back to the first batch; stream.ErrNotSeekable for a pipe.
func (p *PlanReader) Rewind() error {
	p.rows = 0
	return p.r.Rewind()
}

// PlanBatch is some consecutive rows of a plan.
type PlanBatch struct {
	record  arrow.Record
	first   int64
	rows    []int64
	ids     *array.String
	keep    []modality.Coalition
	weights []float32
}

// Next returns the next batch, borrowed until the next call; io.EOF only where the stream ends as it should.
func (p *PlanReader) Next() (*PlanBatch, error) {
	record, err := p.r.Next()
	if err != nil {
		return nil, err
	}
	rowColumn, weights := record.Column(p.columns[0]).(*array.Int64), record.Column(p.columns[3]).(*array.Float32)
	b := &PlanBatch{
		record: record, first: p.rows, ids: record.Column(p.columns[1]).(*array.String),
		rows: rowColumn.Int64Values(), weights: weights.Float32Values(),
	}
	check := rows{name: p.r.Name(), first: p.rows, ids: b.ids}
	for i, f := range planFields {
		if err := check.whole(f.Name, record.Column(p.columns[i])); err != nil {
			return nil, err
		}
	}
	if b.keep, err = check.coalitions("keep", record.Column(p.columns[2]).(*array.Uint64), len(p.plan.Modalities)); err != nil {
		return nil, err
	}
	for i, row := range b.rows {
		if row < 0 {
			return nil, check.errorf(i, "row %d, want 0 or above", row)
		}
		if w := b.weights[i]; !(w >= 0 && w <= math.MaxFloat32) {
			return nil, check.errorf(i, "weight %v, want a number from 0", w)
		}
	}
	p.rows += record.NumRows()
	return b, nil
}

// Rows returns the number of rows.
func (b *PlanBatch) Rows() int { return len(b.rows) }

// First returns the position of row 0 in the whole plan.
func (b *PlanBatch) First() int64 { return b.first }

// At returns row i; its ID is a view of the batch's memory.
func (b *PlanBatch) At(i int) PlanRow {
	return PlanRow{Row: b.rows[i], ID: b.ids.Value(i), Keep: b.keep[i], Weight: b.weights[i]}
}

// Samples returns the rows' positions in the samples, (Rows); read only.
func (b *PlanBatch) Samples() []int64 { return b.rows }

// Keep returns the rows' coalitions, (Rows); read only.
func (b *PlanBatch) Keep() []modality.Coalition { return b.keep }

// Weights returns the rows' weights, (Rows); read only.
func (b *PlanBatch) Weights() []float32 { return b.weights }

// Record returns the record behind the batch.
func (b *PlanBatch) Record() arrow.Record { return b.record }

// Retain keeps the batch past the next call of Next, until Release.
func (b *PlanBatch) Retain() { b.record.Retain() }

// Release gives up what Retain kept.
func (b *PlanBatch) Release() { b.record.Release() }

func integer(key string, n int) pair {
	if n == 0 {
		return pair{}
	}
	return pair{key, strconv.Itoa(n)}
}

func number(key string, x float64) pair {
	if x == 0 {
		return pair{}
	}
	return pair{key, strconv.FormatFloat(x, 'g', -1, 64)}
}

func flag(key string, set bool) pair {
	if !set {
		return pair{}
	}
	return pair{key, "true"}
}
