package resample

import (
	"math/rand/v2"

	"mmtools/pkg/modality"
	"mmtools/pkg/rng"
)

// drawn plans every sample whole, and draws samples with replacement in addition: whole ones, or with one of their
// modalities each.
func drawn[B Batch](pass Pass[B], pl *planner[B], o SampleOptions, extra, samples int64) error {
	draws := NewDraws(extra, samples, rng.Stream(o.Seed, "resample", "control", o.Epoch, "draws"))
	keeper := newKeeper(o.Control, len(pl.names), o.Weights, rng.Stream(o.Seed, "resample", "control", o.Epoch, "modality"))
	return pass(func(b B) error {
		return pl.batch(b, func(_, _ int, present modality.Coalition, _ [][]float64, add adder) error {
			keeper.add(draws.Next(), present, 0, add)
			return nil
		})
	})
}

// keeper says what of a drawn sample is kept.
type keeper struct {
	control Control
	weights bool
	random  *rand.Rand
	times   []int64 // (n)
}

func newKeeper(c Control, n int, weights bool, random *rand.Rand) *keeper {
	return &keeper{control: c, weights: weights, random: random, times: make([]int64, n)}
}

// add adds the extra rows of a sample that was drawn a number of times; p is the modality that is kept where no control
// says otherwise. A sample without modalities is not trained on.
func (k *keeper) add(times int64, present modality.Coalition, p int, add adder) {
	switch {
	case times == 0 || present == 0:
	case k.control == Duplicate:
		k.rows(present, times, add)
	case k.control == Random:
		clear(k.times)
		for range times {
			k.times[nth(present, k.random.IntN(present.Size()))]++
		}
		for p, t := range k.times {
			k.rows(modality.Only(p), t, add)
		}
	default:
		k.rows(modality.Only(p), times, add)
	}
}

// rows adds times rows, or one that weighs as much.
func (k *keeper) rows(keep modality.Coalition, times int64, add adder) {
	if k.weights && times > 0 {
		add(keep, 1, float32(times))
		return
	}
	add(keep, times, 1)
}

// nth returns the k-th member of c, from 0.
func nth(c modality.Coalition, k int) int {
	for p := range c.Members() {
		if k == 0 {
			return p
		}
		k--
	}
	panic("resample: not as many members")
}
