package train

import (
	"context"
	"testing"
)

// A step allocates nothing, gathering and optimizer included: an epoch of twelve steps allocates no more often than one of two.
func TestStepsAllocateNothing(t *testing.T) {
	if onCard() {
		t.Skip("steps of a card are asked for through cgo, which allocates")
	}
	const rows = 16
	for _, optimizer := range []string{"adam", "sgd"} {
		spec := testSpec()
		state := testState(optimizer)
		samples := mustRead(t, samplesStream(t, 12*rows, nil))
		c, err := New(spec, state, samples)
		if err != nil {
			t.Fatal(err)
		}
		r, err := newRun(c, Options{Device: open(t), Samples: samples})
		if err != nil {
			t.Fatal(err)
		}
		plan, order := Whole(samples, 2), make([]int32, 12*rows)
		for i := range order {
			order[i] = int32(i)
		}
		allocations := func(steps int) float64 {
			return testing.AllocsPerRun(5, func() {
				if _, err := r.trainer.epoch(context.Background(), samples, plan, order[:steps*rows], nil, &r.state.Step, 1e-4, nil); err != nil {
					t.Fatal(err)
				}
			})
		}
		if few, many := allocations(2), allocations(12); many > few {
			t.Errorf("%s: twelve steps allocate %g times, two %g times", optimizer, many, few)
		}
	}
}
