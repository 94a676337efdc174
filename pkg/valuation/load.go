package valuation

import (
	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
)

// loader makes minibatches of the rows of batches, in the order of the model's modalities.
type loader struct {
	columns []int       // of the samples, by the model's modality
	sizes   []int       // of one sample's tensor
	copies  [][]float32 // (rows,size), of modalities that the stream does not hold as float32
}

func newLoader(columns []int, ms []modality.Modality) *loader {
	l := &loader{columns: columns, copies: make([][]float32, len(ms))}
	for _, m := range ms {
		l.sizes = append(l.sizes, m.Size())
	}
	return l
}

// load makes m the minibatch of rows from (inclusive) to to (exclusive) of b. Its tensors are borrowed until the next load, and no
// longer than b.
func (l *loader) load(m *network.Minibatch, b *schema.SamplesBatch, from, to int) {
	rows := to - from
	m.Rows, m.X = rows, resize(m.X, len(l.sizes))
	m.Keep, m.Label = resize(m.Keep, rows), resize(m.Label, rows)
	if len(m.Weight) < rows {
		m.Weight = make([]float32, rows)
		for r := range m.Weight {
			m.Weight[r] = 1
		}
	}
	for r := range rows {
		m.Label[r] = b.Label(from + r)
		m.Keep[r] = 0
		for p, column := range l.columns { // b.Coalition has the bits in the samples' order
			if b.Present(column, from+r) {
				m.Keep[r] = m.Keep[r].With(p)
			}
		}
	}
	for p, column := range l.columns {
		size := l.sizes[p]
		if x := b.Float32s(column); x != nil { // where the stream has them; what a missing row holds is ignored
			m.X[p] = x[from*size : to*size]
			continue
		}
		l.copies[p] = resize(l.copies[p], rows*size)
		for r := range rows {
			b.CopyRow(column, from+r, l.copies[p][r*size:][:size])
		}
		m.X[p] = l.copies[p]
	}
}

// finite reports whether what the model takes of rows from (inclusive) to to (exclusive) of b is known to be finite. It can be looked at
// beside the model where the stream holds float32.
func (l *loader) finite(b *schema.SamplesBatch, from, to, workers int) bool {
	x := make([][]float32, len(l.sizes))
	for p, column := range l.columns {
		all := b.Float32s(column)
		if all == nil {
			return false
		}
		x[p] = all[from*l.sizes[p] : to*l.sizes[p]]
	}
	return finite(x, l.sizes, to-from, workers)
}
