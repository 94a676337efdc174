package train

import (
	"errors"
	"io"
	"slices"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/schema"
	"mmtools/pkg/stream"
)

// Plan is the index stream of an epoch, in memory: 20 bytes a row.
type Plan struct {
	Shuffle bool // the order of the rows is drawn anew each epoch
	LeftOut int  // rows that were read, of samples that are left out
	Unnamed int  // samples that are not left out, and of which there is no row
	rows    []int
	keep    []modality.Coalition
	weight  []float32
}

// Whole is the plan of plain training: every sample that is not left out once, whole, shuffled.
func Whole(s *Samples, n int) *Plan {
	p := &Plan{Shuffle: true}
	for row := range s.Rows() {
		if !s.isLeftOut(row) {
			p.add(row, modality.All(n), 1)
		}
	}
	return p
}

// Rows returns the number of rows.
func (p *Plan) Rows() int { return len(p.rows) }

func (p *Plan) add(row int, keep modality.Coalition, weight float32) {
	p.rows, p.keep, p.weight = append(p.rows, row), append(p.keep, keep), append(p.weight, weight)
}

// ReadPlan reads a plan stream to its end and checks it against the samples and the model: the digest of the samples
// where both streams state one, every row's position and id, its modalities and its weight. Rows of samples that are left out are
// counted, and not trained on.
func ReadPlan(r *schema.PlanReader, s *Samples, spec network.Spec, name string) (*Plan, error) {
	header := r.Plan().Header
	if got, want := modality.Names(header.Modalities), modality.Names(spec.Channels()); !slices.Equal(got, want) {
		return nil, stream.Errorf("%s: plan for modalities %v, but the model has %v", name, got, want)
	}
	if got, want := header.Digest.Samples, s.Header.Digest.Samples; got != "" && want != "" && got != want {
		return nil, stream.Errorf("%s: plan for other samples: its mm.digest is %s, that of %s is %s", name, got, s.name, want)
	}
	p := &Plan{Shuffle: r.Plan().Shuffle}
	read, named := 0, make([]bool, s.Rows())
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			for row, named := range named {
				if !named && !s.isLeftOut(row) {
					p.Unnamed++
				}
			}
			return p, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range b.Rows() {
			row := b.At(i)
			if err := checkPlanRow(row, s); err != nil {
				return nil, stream.Errorf("%s: plan row %d: %w", name, read, err)
			}
			read++
			if s.isLeftOut(int(row.Row)) {
				p.LeftOut++
				continue
			}
			named[row.Row] = true
			p.add(int(row.Row), row.Keep, row.Weight)
		}
	}
}

// checkPlanRow holds a row to the samples; that its numbers are possible at all, the reader has checked.
func checkPlanRow(row schema.PlanRow, s *Samples) error {
	if row.Row >= int64(s.Rows()) {
		return stream.Errorf("sample %d, but %s has %d samples", row.Row, s.name, s.Rows())
	}
	if id := s.id(int(row.Row)); id != row.ID {
		return stream.Errorf("plan for other samples: sample %d is %q in the plan, %q in %s", row.Row, row.ID, id, s.name)
	}
	return nil
}
