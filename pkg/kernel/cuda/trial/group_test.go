//go:build mmcuda && cgo && linux

package trial

import (
	"fmt"
	"testing"

	"mmtools/pkg/kernel"
)

// A card takes the mean of a run of elements, its own in place and the others' from their slots.
func TestMeanCards(t *testing.T) {
	shifts(t, func(t *testing.T, shift int) {
		for _, c := range []struct{ n, slot, cards, rows int }{{1, 1, 2, 2}, {1000, 1024, 2, 3}, {77, 80, 4, 64}, {300, 300, 3, 2}} {
			for self := range c.cards {
				r := newRig(t, shift, c.n, c.cards, self)
				own, others := r.uniform(c.n), r.uniform(c.slot*(c.cards-1))
				want := make([]float32, c.n)
				for i := range want {
					sum, next := 0.0, 0
					for card := range c.cards {
						v := own[i]
						if card != self {
							v = others[next*c.slot+i]
							next++
						}
						from, to := kernel.Share(c.rows, c.cards, card)
						sum += float64(to-from) * float64(v)
					}
					want[i] = float32(sum / float64(c.rows))
				}
				x := r.floats(own)
				r.launch("mm_mean_cards", elements, x, r.floats(others), c.n, c.slot, self, c.cards, c.rows)
				same(t, fmt.Sprintf("%+v, card %d", c, self), x.Floats(), want)
			}
		}
	})
}
