package main

import (
	"errors"
	"io"
	"slices"
	"strings"

	"mmtools/pkg/resample"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// means is a batch of the newest contributions with the exponential mean over the epochs in the place of its own, as shares
// where 1 is a fair one, or, where there are potentials, as what the mean lacks to them.
type means struct {
	*schema.ContributionsBatch
	in         *inputs
	older      []cursor
	potentials []cursor
	phi        [][]float64 // (n,Rows)
	next       [][]float64 // of one epoch, or the potential
}

// cursor is a place in a stream.
type cursor struct {
	r    *schema.ContributionsReader
	name string
	b    *schema.ContributionsBatch
	at   int // row of b
}

func newMeans(in *inputs) *means {
	n := len(in.newest().Contributions().Modalities)
	m := &means{in: in, phi: make([][]float64, n), next: make([][]float64, n)}
	m.older, m.potentials = cursors(in.epochs[:len(in.epochs)-1]), cursors(in.potentials)
	return m
}

func cursors(of []*input) (out []cursor) {
	for _, in := range of {
		out = append(out, cursor{r: in.reader, name: in.name()})
	}
	return out
}

func (m *means) source() *schema.ContributionsBatch { return m.ContributionsBatch }

// Phi returns the mean contributions of modality p.
func (m *means) Phi(p int) []float64 { return m.phi[p] }

// take makes m the mean at the rows of b.
func (m *means) take(b *schema.ContributionsBatch) error {
	m.ContributionsBatch = b
	for p := range m.phi {
		m.phi[p], m.next[p] = resize(m.phi[p], b.Rows()), resize(m.next[p], b.Rows())
	}
	for k := range m.older {
		into := m.next
		if k == 0 {
			into = m.phi
		}
		if err := m.older[k].read(into, b, m.in.name()); err != nil {
			return err
		}
		if k > 0 {
			m.smooth(func(p int) []float64 { return m.next[p] })
		}
	}
	if len(m.older) == 0 {
		for p := range m.phi {
			copy(m.phi[p], b.Phi(p))
		}
	} else {
		m.smooth(b.Phi)
	}
	if len(m.potentials) > 0 {
		return m.lack(b)
	}
	resample.Normalize(m.phi, m.in.share, m.in.divided)
	return nil
}

// lack makes m what its contributions lack to the potential at the rows of b, each of which comes next in one of the streams.
func (m *means) lack(b *schema.ContributionsBatch) error {
	for i := range b.Rows() {
		c, err := next(m.potentials, b, i)
		if err != nil {
			return err
		}
		if c == nil {
			return stream.Errorf("%s: the potential of sample %d (id %q) comes next in none of %s", m.in.name(), b.Row(i), b.ID(i), names(m.potentials))
		}
		c.take(m.next, i)
	}
	for p := range m.phi {
		if i := resample.Lack(m.phi[p], m.next[p]); i >= 0 {
			return stream.Errorf("%s: sample %d (id %q) has modality %q here or in its potential alone", m.in.name(), b.Row(i), b.ID(i), m.in.newest().Contributions().Modalities[p].Name)
		}
	}
	return nil
}

// next returns the cursor at which row i of b comes next, nil where it does at none.
func next(cursors []cursor, b *schema.ContributionsBatch, i int) (*cursor, error) {
	for k := range cursors {
		c := &cursors[k]
		if err := c.advance(); errors.Is(err, io.EOF) {
			continue
		} else if err != nil {
			return nil, err
		}
		if c.b.Row(c.at) == b.Row(i) && c.b.ID(c.at) == b.ID(i) {
			return c, nil
		}
	}
	return nil, nil
}

func names(of []cursor) string {
	out := make([]string, len(of))
	for k, c := range of {
		out[k] = c.name
	}
	return strings.Join(out, ", ")
}

func (m *means) smooth(next func(p int) []float64) {
	for p := range m.phi {
		resample.Smooth(m.phi[p], next(p), m.in.alpha)
	}
}

func resize(x []float64, n int) []float64 {
	if cap(x) < n {
		return make([]float64, n)
	}
	return x[:n]
}

// read fills into, (n,Rows), with the contributions to the samples of b, which are to be those that come next.
func (c *cursor) read(into [][]float64, b *schema.ContributionsBatch, name string) error {
	for i := range b.Rows() {
		if err := c.advance(); errors.Is(err, io.EOF) {
			return stream.Errorf("%s: ends before sample %d (id %q) of %s", c.name, b.Row(i), b.ID(i), name)
		} else if err != nil {
			return err
		}
		if c.b.Row(c.at) != b.Row(i) || c.b.ID(c.at) != b.ID(i) {
			return stream.Errorf("%s: sample %d (id %q) where %s has %d (id %q)", c.name, c.b.Row(c.at), c.b.ID(c.at), name, b.Row(i), b.ID(i))
		}
		c.take(into, i)
	}
	return nil
}

// take writes the contributions at the cursor to row i of into, (n,Rows), and goes on.
func (c *cursor) take(into [][]float64, i int) {
	for p := range into {
		into[p][i] = c.b.Phi(p)[c.at]
	}
	c.at++
}

// advance goes on to the next batch where there is no row left; io.EOF where there is none.
func (c *cursor) advance() (err error) {
	for c.b == nil || c.at == c.b.Rows() {
		if c.b, err = c.r.Next(); err != nil {
			c.b = nil
			return err
		}
		c.at = 0
	}
	return nil
}

// finish holds that the other streams end where the newest does.
func (m *means) finish() error {
	for _, c := range slices.Concat(m.older, m.potentials) {
		if err := c.advance(); err == nil {
			return stream.Errorf("%s: goes on with sample %d (id %q) where %s ends", c.name, c.b.Row(c.at), c.b.ID(c.at), m.in.name())
		} else if !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}
