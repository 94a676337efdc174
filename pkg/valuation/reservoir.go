package valuation

import (
	"context"
	"math/rand/v2"

	"mmtools/pkg/modality"
	"mmtools/pkg/network"
	"mmtools/pkg/stream"
)

// reservoir chooses size of the items that it is offered, each set of them equally likely, however many there will be
// (algorithm R: J. S. Vitter, Random sampling with a reservoir, ACM Transactions on Mathematical Software 11, 1985).
type reservoir struct {
	size    int
	offered int64
	random  *rand.Rand
}

func newReservoir(size int, random *rand.Rand) *reservoir {
	return &reservoir{size: size, random: random}
}

// offer returns the place that the next item takes, -1 for none.
func (r *reservoir) offer() int {
	r.offered++
	if r.offered <= int64(r.size) {
		return int(r.offered - 1)
	}
	if at := r.random.Int64N(r.offered); at < int64(r.size) {
		return int(at)
	}
	return -1
}

// drawn returns the parts, or the features, of the samples drawn, (draws,n). The backbones see those minibatches alone that one was
// drawn from.
func (r *replacer) drawn(ctx context.Context, chosen *reservoir) ([][][]float32, error) {
	var out [][][]float32
	err := r.each(ctx, func(_ int64, m *network.Minibatch) error {
		var parts [][]float32
		for row := range m.Rows {
			if m.Keep[row] != modality.All(r.n) {
				continue
			}
			at := chosen.offer()
			if at < 0 {
				continue
			}
			if parts == nil {
				var err error
				if parts, err = r.parts(m); err != nil {
					return err
				}
			}
			if at == len(out) {
				out = append(out, make([][]float32, r.n))
			}
			for p, part := range parts {
				width := len(part) / m.Rows
				out[at][p] = append(out[at][p][:0], part[row*width:][:width]...)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, stream.Errorf("%s: no reference sample has every modality", r.in.Name())
	}
	return out, nil
}
