package schema

import (
	"math"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/apache/arrow/go/v17/arrow/array"

	"mmtools/pkg/stream"
)

// ContributionsReader reads a contributions stream batch by batch.
type ContributionsReader struct {
	r     *stream.Reader
	about Contributions

	id, row, label, prediction int
	phi, stderr                []int // per modality
	right                      int   // -1 where there is none
	rest                       []int
	rows                       int64
}

// NewContributionsReader returns a reader of the contributions in r.
func NewContributionsReader(r *stream.Reader) (*ContributionsReader, error) {
	h, err := readHeader(r, KindContributions)
	if err != nil {
		return nil, err
	}
	c := &ContributionsReader{r: r, about: Contributions{Header: h}}
	v := values{r: r}
	c.about.Value, c.about.Estimator, c.about.Baseline = v.text(keyValue), v.text(keyEstimator), v.text(keyBaseline)
	c.about.Permutations, c.about.Epoch = v.integer(keyPermutations), v.integer(keyEpoch)
	if v.err != nil {
		return nil, v.err
	}
	l := newLayout(r)
	for _, want := range []struct {
		at   *int
		name string
		dt   arrow.DataType
	}{
		{&c.id, "id", arrow.BinaryTypes.String},
		{&c.row, "row", arrow.PrimitiveTypes.Int64},
		{&c.label, "label", arrow.PrimitiveTypes.Int32},
		{&c.prediction, "prediction", arrow.PrimitiveTypes.Int32},
	} {
		if *want.at, err = l.typed(want.name, want.dt); err != nil {
			return nil, err
		}
	}
	if err := c.findValues(l); err != nil {
		return nil, err
	}
	c.rest = l.rest()
	for _, i := range c.rest {
		c.about.Columns = append(c.about.Columns, l.schema.Field(i))
	}
	return c, nil
}

// findValues finds the columns that there are one of per modality, and right.
func (c *ContributionsReader) findValues(l *layout) error {
	n := len(c.about.Modalities)
	c.phi, c.stderr = make([]int, n), make([]int, n)
	c.about.StdErr = true
	for p, m := range c.about.Modalities {
		var err error
		if c.phi[p], err = l.typed("phi_"+m.Name, arrow.PrimitiveTypes.Float64); err != nil {
			return err
		}
		if c.stderr[p], err = l.optional("stderr_"+m.Name, arrow.PrimitiveTypes.Float64); err != nil {
			return err
		}
		c.about.StdErr = c.about.StdErr && c.stderr[p] >= 0
	}
	c.right = -1
	if n > MaxRight {
		return nil
	}
	var err error
	c.right, err = l.optional("right", rightType(n))
	c.about.Right = c.right >= 0
	return err
}

// Contributions returns what the stream was made from.
func (c *ContributionsReader) Contributions() Contributions { return c.about }

// Rewind goes back to the first batch; stream.ErrNotSeekable for a pipe.
func (c *ContributionsReader) Rewind() error {
	c.rows = 0
	return c.r.Rewind()
}

// ContributionsBatch is some consecutive rows of a contributions stream. Rows i and modalities p are counted from 0.
type ContributionsBatch struct {
	record      arrow.Record
	reader      *ContributionsReader
	ids         *array.String
	rows        []int64
	labels      []int32
	predictions []int32
	phi, stderr [][]float64
	right       *array.FixedSizeList // nil where there is none
}

// Next returns the next batch, borrowed until the next call; io.EOF only where the stream ends as it should.
func (c *ContributionsReader) Next() (*ContributionsBatch, error) {
	record, err := c.r.Next()
	if err != nil {
		return nil, err
	}
	b := &ContributionsBatch{record: record, reader: c, ids: record.Column(c.id).(*array.String)}
	check := rows{name: c.r.Name(), first: c.rows, ids: b.ids, classes: len(c.about.Classes)}
	if err := check.whole("id", b.ids); err != nil {
		return nil, err
	}
	row := record.Column(c.row).(*array.Int64)
	if err := check.whole("row", row); err != nil {
		return nil, err
	}
	b.rows = row.Int64Values()
	for i, at := range b.rows {
		if at < 0 {
			return nil, check.errorf(i, "row %d, want 0 or above", at)
		}
	}
	if b.labels, err = check.labels("label", record.Column(c.label).(*array.Int32), true); err != nil {
		return nil, err
	}
	if b.predictions, err = check.labels("prediction", record.Column(c.prediction).(*array.Int32), false); err != nil {
		return nil, err
	}
	if err := b.fill(&check); err != nil {
		return nil, err
	}
	c.rows += record.NumRows()
	return b, nil
}

func (b *ContributionsBatch) fill(check *rows) error {
	c := b.reader
	for p, m := range c.about.Modalities {
		phi, err := check.doubles("phi_"+m.Name, b.record.Column(c.phi[p]).(*array.Float64))
		if err != nil {
			return err
		}
		b.phi = append(b.phi, phi)
		if c.about.StdErr {
			stderr, err := check.doubles("stderr_"+m.Name, b.record.Column(c.stderr[p]).(*array.Float64))
			if err != nil {
				return err
			}
			b.stderr = append(b.stderr, stderr)
		}
	}
	if c.right < 0 {
		return nil
	}
	b.right = b.record.Column(c.right).(*array.FixedSizeList)
	if b.right.ListValues().NullN() > 0 && b.right.NullN() == 0 {
		return stream.Errorf("%s: column %q: an element is null", c.r.Name(), "right")
	}
	return nil
}

// doubles returns a column's values with NaN where they are null: its own memory where its writer, as ours, put NaN
// there already. Other values must be finite.
func (r *rows) doubles(column string, a *array.Float64) ([]float64, error) {
	values := a.Float64Values()
	own := false
	for i, v := range values {
		switch {
		case v-v == 0: // finite
			if a.NullN() == 0 || a.IsValid(i) {
				continue
			}
		case a.IsValid(i):
			return nil, r.errorf(i, "%s is not finite", column)
		case v != v:
			continue
		}
		if !own {
			values, own = append([]float64(nil), values...), true
		}
		values[i] = math.NaN()
	}
	return values, nil
}

// Rows returns the number of rows.
func (b *ContributionsBatch) Rows() int { return len(b.rows) }

// ID returns the id of row i, a view of the batch's memory.
func (b *ContributionsBatch) ID(i int) string { return b.ids.Value(i) }

// Row returns the position of row i in the samples.
func (b *ContributionsBatch) Row(i int) int64 { return b.rows[i] }

// Label returns the label of row i, -1 where it is not known.
func (b *ContributionsBatch) Label(i int) int32 { return b.labels[i] }

// Prediction returns the answer of all modalities together for row i.
func (b *ContributionsBatch) Prediction(i int) int32 { return b.predictions[i] }

// Phi returns the contributions of modality p, (Rows), NaN where there is none; read only.
func (b *ContributionsBatch) Phi(p int) []float64 { return b.phi[p] }

// StdErr returns the standard errors of Phi(p), (Rows); nil where the stream has none.
func (b *ContributionsBatch) StdErr(p int) []float64 {
	if b.stderr == nil {
		return nil
	}
	return b.stderr[p]
}

// Right returns which coalitions answered row i rightly, bit c for coalition c; false where that is not known.
func (b *ContributionsBatch) Right(i int) (uint64, bool) {
	if b.right == nil || b.right.IsNull(i) {
		return 0, false
	}
	size := 1 << len(b.phi)
	bits := b.right.ListValues().(*array.Boolean)
	var set uint64
	for c := range size {
		if bits.Value(i*size + c) {
			set |= 1 << c
		}
	}
	return set, true
}

// Columns returns the columns that are not known here, in the order of Contributions.Columns; borrowed as the batch is.
func (b *ContributionsBatch) Columns() []arrow.Array {
	var columns []arrow.Array
	for _, i := range b.reader.rest {
		columns = append(columns, b.record.Column(i))
	}
	return columns
}

// Record returns the record behind the batch.
func (b *ContributionsBatch) Record() arrow.Record { return b.record }

// Retain keeps the batch past the next call of Next, until Release.
func (b *ContributionsBatch) Retain() { b.record.Retain() }

// Release gives up what Retain kept.
func (b *ContributionsBatch) Release() { b.record.Release() }
