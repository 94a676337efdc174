//go:build mmcuda && cgo && linux

package cuda

import (
	"time"

	"gorgonia.org/cu"

	"mmtools/pkg/kernel"
)

// repeats is how often Time runs what it times in one go, and rounds how many times it does that: kernels follow each other there
// as in a recorded step, and what starting the recording takes is shared by all.
const repeats, rounds = 8, 3

// Time returns the card's time for the kernels that f asks for, by the card's own clock: the best of some rounds.
func (d *Device) Time(f func()) (time.Duration, error) {
	f() // the first run prepares what the others use
	runs := func() {
		for range repeats {
			f()
		}
	}
	if r, err := d.Record(runs); err == nil {
		runs = r.Replay
	}
	runs()
	best := 0.0
	d.do("timing", func() error {
		for i := range rounds {
			milliseconds, err := d.between(runs)
			if err != nil {
				return err
			}
			if i == 0 || milliseconds < best {
				best = milliseconds
			}
		}
		return nil
	})
	return time.Duration(best * float64(time.Millisecond) / repeats), d.err
}

// between returns the milliseconds from before the first kernel that f asks for to after the last.
func (d *Device) between(f func()) (float64, error) {
	var stamps [2]cu.Event
	for i := range stamps {
		e, err := cu.MakeEvent(cu.DefaultEvent)
		if err != nil {
			return 0, err
		}
		defer cu.DestroyEvent(&e)
		stamps[i] = e
	}
	if err := stamps[0].Record(d.compute); err != nil {
		return 0, err
	}
	f()
	if d.err != nil {
		return 0, d.err
	}
	if err := stamps[1].Record(d.compute); err != nil {
		return 0, err
	}
	if err := stamps[1].Synchronize(); err != nil {
		return 0, err
	}
	return stamps[0].Elapsed(stamps[1])
}

var _ kernel.Timer = (*Device)(nil)
