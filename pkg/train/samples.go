package train

import (
	"errors"
	"io"
	"slices"
	"sort"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// Samples are all samples of a stream, kept for random access: where they lie in a mapped file, or in memory when they
// came through a pipe (stream.Spool puts those on disk).
type Samples struct {
	Header  schema.Header
	name    string
	in      *stream.Reader
	batches []*schema.SamplesBatch
	starts  []int // first row of each batch
	rows    int
	columns []int // column of each of the model's modalities
	leftOut *schema.Fold
}

// ReadSamples reads a stream, r over in, to its end and checks it: unique ids, finite values, and a label on every row
// where labelled is set. The samples own in from then on, and Close closes it.
func ReadSamples(r *schema.SamplesReader, in *stream.Reader, labelled bool) (*Samples, error) {
	s := &Samples{Header: r.Header(), name: in.Name(), in: in}
	for i := range s.Header.Modalities {
		s.columns = append(s.columns, i)
	}
	ids := new(schema.IDSet)
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			return s, nil
		}
		if err == nil {
			err = s.add(b, ids, labelled)
		}
		if err != nil {
			s.release()
			return nil, err
		}
	}
}

func (s *Samples) add(b *schema.SamplesBatch, ids *schema.IDSet, labelled bool) error {
	if err := b.CheckFinite(); err != nil {
		return err
	}
	for i := range b.Rows() {
		if !ids.Add(b.ID(i)) {
			return stream.Errorf("%s: row %d: id %q was there before", s.name, b.First()+int64(i), b.ID(i))
		}
		if labelled && b.Label(i) < 0 {
			return stream.Errorf("%s: row %d, id %q: no label, and training needs one", s.name, b.First()+int64(i), b.ID(i))
		}
	}
	if b.Rows() == 0 {
		return nil
	}
	b.Retain()
	s.batches = append(s.batches, b)
	s.starts = append(s.starts, s.rows)
	s.rows += b.Rows()
	return nil
}

// Close releases the samples and closes their stream.
func (s *Samples) Close() error {
	s.release()
	return s.in.Close()
}

func (s *Samples) release() {
	for _, b := range s.batches {
		b.Release()
	}
	s.batches, s.rows = nil, 0
}

// Rows returns the number of samples.
func (s *Samples) Rows() int { return s.rows }

// LeaveOut leaves the samples of a fold out of what is trained on and standardized by; nil leaves none out.
func (s *Samples) LeaveOut(f *schema.Fold) { s.leftOut = f }

// isLeftOut reports whether a row is in the fold that is left out.
func (s *Samples) isLeftOut(row int) bool { return s.leftOut != nil && s.leftOut.Has(s.id(row)) }

// Arrange puts the samples' modalities in the order of a model's. They must be the same ones, with the same kinds and
// shapes, and the classes must be the same.
func (s *Samples) Arrange(spec network.Spec) error {
	have, want := s.Header.Modalities, spec.Channels()
	if len(have) != len(want) {
		return stream.Errorf("%s: modalities %v, but the model has %v", s.name, modality.Names(have), modality.Names(want))
	}
	s.columns = s.columns[:0]
	for _, w := range want {
		at := slices.IndexFunc(have, func(m modality.Modality) bool { return m.Name == w.Name })
		if at < 0 {
			return stream.Errorf("%s: modalities %v, but the model has %v", s.name, modality.Names(have), modality.Names(want))
		}
		if !slices.Equal(have[at].Shape, w.Shape) {
			return stream.Errorf("%s: modality %q has shape %v, but the model wants %v", s.name, w.Name, have[at].Shape, w.Shape)
		}
		s.columns = append(s.columns, at)
	}
	return schema.SameClasses(s.name, s.Header.Classes, "the model", spec.Classes)
}

// at returns the batch of a row and the row's position in it.
func (s *Samples) at(row int) (*schema.SamplesBatch, int) {
	k := sort.SearchInts(s.starts, row+1) - 1
	return s.batches[k], row - s.starts[k]
}

// id returns a row's id.
func (s *Samples) id(row int) string {
	b, i := s.at(row)
	return b.ID(i)
}

// copyRow copies modality p of a row to dst, zeros where the sample lacks it, and reports whether it has it.
func (s *Samples) copyRow(p, row int, dst []float32) bool {
	b, i := s.at(row)
	b.CopyRow(s.columns[p], i, dst)
	return b.Present(s.columns[p], i)
}

// present reports whether a row has modality p.
func (s *Samples) present(p, row int) bool {
	b, i := s.at(row)
	return b.Present(s.columns[p], i)
}

// label returns a row's label, -1 where it has none.
func (s *Samples) label(row int) int32 {
	b, i := s.at(row)
	return b.Label(i)
}
