package main

import (
	"errors"
	"io"

	"mmtools/pkg/resample"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// means is a batch of the newest contributions with the exponential mean over the epochs in the place of its own, as shares
// where 1 is a fair one.
type means struct {
	*schema.ContributionsBatch
	in    *inputs
	older []cursor
	phi   [][]float64 // (n,Rows)
	next  [][]float64 // of one epoch
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
	for k, r := range in.readers[:len(in.readers)-1] {
		m.older = append(m.older, cursor{r: r, name: in.streams[k].Name()})
	}
	return m
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
	resample.Normalize(m.phi, m.in.share, m.in.divided)
	return nil
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
		for p := range into {
			into[p][i] = c.b.Phi(p)[c.at]
		}
		c.at++
	}
	return nil
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

// finish holds that the older streams end where the newest does.
func (m *means) finish() error {
	for k := range m.older {
		c := &m.older[k]
		if err := c.advance(); err == nil {
			return stream.Errorf("%s: goes on with sample %d (id %q) where %s ends", c.name, c.b.Row(c.at), c.b.ID(c.at), m.in.name())
		} else if !errors.Is(err, io.EOF) {
			return err
		}
	}
	return nil
}
