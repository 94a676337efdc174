package schema

import (
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"

	"mmtools/pkg/stream"
)

// MaxRight is the most modalities for which a contributions stream can hold every coalition's answer: 2^6 bits are one
// uint64.
const MaxRight = 6

// Contributions is what a contributions stream is made from.
type Contributions struct {
	Header
	Value        string // the value function v(C)
	Estimator    string // how phi was computed from it
	Baseline     string // what stands in for a masked modality
	Permutations int    // that were sampled; 0 where phi is exact
	Epoch        int    // of the model; 0 where it is not known
	Right        bool   // there is a column right
	StdErr       bool   // there are columns stderr_<modality>
	// Columns are passed through from the samples; those whose names the stream takes itself are left out.
	Columns []arrow.Field
}

// ContributionRows are rows to write, of n modalities; slices of rows are borrowed until Append returns.
type ContributionRows struct {
	Rows       int
	First      int64              // position of row 0 in the samples
	At         []int64            // (Rows): positions of rows that are not consecutive; else nil
	ID         func(i int) string // of row i
	Label      []int32            // (Rows), -1 where it is not known
	Prediction []int32            // (Rows)
	Phi        []float64          // (Rows, n) row major, NaN where there is none: written as null
	StdErr     []float64          // (Rows, n) likewise; nil unless Contributions.StdErr
	Right      []bool             // (Rows, 2^n); nil unless Contributions.Right
	Columns    []arrow.Array      // as Contributions.Columns, each of Rows values
}

func (b *ContributionRows) position(i int) int64 {
	if b.At != nil {
		return b.At[i]
	}
	return b.First + int64(i)
}

// ContributionsWriter writes a contributions stream.
type ContributionsWriter struct {
	w      *stream.Writer
	schema *arrow.Schema
	Contributions
	pass []int // indices of Columns that are written

	rows    []int64
	ids     texts
	labels  []int32
	known   bitmap
	columns []nullable // phi, then stderr, per modality
	right   bitmap
}

// nullable is a float64 column as it is filled.
type nullable struct {
	values []float64
	valid  bitmap
}

// NewContributionsWriter returns a writer of contributions to w.
func NewContributionsWriter(w io.Writer, c Contributions, opts ...stream.Option) (*ContributionsWriter, error) {
	n := len(c.Modalities)
	if c.Right && n > MaxRight {
		return nil, fmt.Errorf("every coalition's answer for %d modalities, the most is %d", n, MaxRight)
	}
	metadata, err := c.metadata(KindContributions, pair{keyValue, c.Value}, pair{keyEstimator, c.Estimator},
		integer(keyPermutations, c.Permutations), pair{keyBaseline, c.Baseline}, integer(keyEpoch, c.Epoch))
	if err != nil {
		return nil, err
	}
	fields := contributionFields(c)
	out := &ContributionsWriter{Contributions: c, columns: make([]nullable, n)}
	if c.StdErr {
		out.columns = make([]nullable, 2*n)
	}
	for i, f := range c.Columns {
		if !slices.ContainsFunc(fields, func(own arrow.Field) bool { return own.Name == f.Name }) {
			out.pass = append(out.pass, i)
			fields = append(fields, f)
		}
	}
	out.schema = arrow.NewSchema(fields, metadata)
	out.w, err = stream.NewWriter(w, out.schema, opts...)
	return out, err
}

func contributionFields(c Contributions) []arrow.Field {
	fields := []arrow.Field{
		{Name: "id", Type: arrow.BinaryTypes.String},
		{Name: "row", Type: arrow.PrimitiveTypes.Int64},
		{Name: "label", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
		{Name: "prediction", Type: arrow.PrimitiveTypes.Int32},
	}
	double := func(prefix string) {
		for _, m := range c.Modalities {
			fields = append(fields, arrow.Field{Name: prefix + m.Name, Type: arrow.PrimitiveTypes.Float64, Nullable: true})
		}
	}
	double("phi_")
	if c.StdErr {
		double("stderr_")
	}
	if c.Right {
		fields = append(fields, arrow.Field{Name: "right", Type: rightType(len(c.Modalities)), Nullable: true})
	}
	return fields
}

func rightType(n int) *arrow.FixedSizeListType {
	return arrow.FixedSizeListOf(1<<n, arrow.FixedWidthTypes.Boolean)
}

// AppendBatch writes rows as Append does, without standard errors or columns passed through.
func (w *ContributionsWriter) AppendBatch(id func(i int) string, rows int, firstRow int64, label, prediction []int32, phi []float64, right []bool) error {
	return w.Append(ContributionRows{Rows: rows, First: firstRow, ID: id, Label: label, Prediction: prediction, Phi: phi, Right: right})
}

// Append writes the rows as one batch: pass on as many as came in one. Writing none is nothing.
func (w *ContributionsWriter) Append(b ContributionRows) error {
	if b.Rows == 0 {
		return nil
	}
	if err := w.check(b); err != nil {
		return w.w.Fail(err)
	}
	w.rows, w.labels = w.rows[:0], w.labels[:0]
	w.ids.reset()
	w.known.reset()
	for i := range b.Rows {
		id := b.ID(i)
		if !utf8.ValidString(id) {
			return w.w.Fail(fmt.Errorf("contribution of sample %d (id %q): %w", b.position(i), id, errNotUTF8))
		}
		w.rows = append(w.rows, b.position(i))
		w.ids.append(id)
		w.labels = append(w.labels, max(b.Label[i], 0))
		w.known.append(b.Label[i] >= 0)
	}
	n := len(w.Modalities)
	for p := range w.columns {
		from := b.Phi
		if p >= n {
			from = b.StdErr
		}
		w.columns[p].fill(from, b.Rows, n, p%n)
	}
	columns := []arrow.Array{
		w.ids.array(), fixed(arrow.PrimitiveTypes.Int64, w.rows, nil),
		fixed(arrow.PrimitiveTypes.Int32, w.labels, &w.known), fixed(arrow.PrimitiveTypes.Int32, b.Prediction, nil),
	}
	for p := range w.columns {
		columns = append(columns, fixed(arrow.PrimitiveTypes.Float64, w.columns[p].values, &w.columns[p].valid))
	}
	if w.Right {
		columns = append(columns, w.rightColumn(b.Right))
	}
	for _, i := range w.pass {
		b.Columns[i].Retain()
		columns = append(columns, b.Columns[i])
	}
	return writeRecord(w.w, w.schema, columns, b.Rows)
}

func (w *ContributionsWriter) check(b ContributionRows) error {
	n := len(w.Modalities)
	right, stderr := 0, 0
	if w.Right {
		right = b.Rows << n
	}
	if w.StdErr {
		stderr = b.Rows * n
	}
	if len(b.Label) != b.Rows || b.At != nil && len(b.At) != b.Rows || len(b.Prediction) != b.Rows || len(b.Phi) != b.Rows*n || len(b.Right) != right ||
		len(b.StdErr) != stderr || len(b.Columns) != len(w.Columns) && len(w.pass) > 0 {
		return fmt.Errorf("contributions of %d rows with %d labels, %d predictions, %d phi, %d standard errors, %d answers and %d columns",
			b.Rows, len(b.Label), len(b.Prediction), len(b.Phi), len(b.StdErr), len(b.Right), len(b.Columns))
	}
	for i, p := range b.Prediction {
		if p < 0 || w.Classes != nil && int(p) >= len(w.Classes) {
			return fmt.Errorf("contribution of sample %d (id %q): prediction %d outside 0..%d, the classes", b.position(i), b.ID(i), p, len(w.Classes)-1)
		}
	}
	for i, x := range b.Phi {
		if math.IsInf(x, 0) {
			return fmt.Errorf("contribution of sample %d (id %q) is infinite", b.position(i/n), b.ID(i/n))
		}
	}
	for _, i := range w.pass {
		if b.Columns[i].Len() != b.Rows {
			return fmt.Errorf("column %q passed through: %d values in %d rows", w.Columns[i].Name, b.Columns[i].Len(), b.Rows)
		}
	}
	return nil
}

// fill takes column p of x, (rows, n); NaN becomes null, and stays in the memory below.
func (c *nullable) fill(x []float64, rows, n, p int) {
	c.values = c.values[:0]
	c.valid.reset()
	for i := range rows {
		v := x[i*n+p]
		c.values = append(c.values, v)
		c.valid.append(v == v)
	}
}

// rightColumn packs the answers, (rows, 2^n).
func (w *ContributionsWriter) rightColumn(right []bool) arrow.Array {
	w.right.reset()
	for _, r := range right {
		w.right.append(r)
	}
	return lists(rightType(len(w.Modalities)), fixedBits(&w.right), nil)
}

// Close writes the end marker: call it on the success path only.
func (w *ContributionsWriter) Close() error { return w.w.Close() }
