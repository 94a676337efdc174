package resample

import (
	"maps"
	"math"
	"slices"

	"mmtools/pkg/modality"
	"mmtools/pkg/rng"
)

// totals is how many extra rows, or how much weight, is wanted, by class; -1 for labels that are not known.
type totals struct {
	wanted map[int32]float64
}

func newTotals() *totals { return &totals{wanted: map[int32]float64{}} }

func (t *totals) add(label int32, _ modality.Coalition, amounts []float64) {
	sum := 0.0
	for _, a := range amounts {
		sum += a
	}
	if sum > 0 {
		t.wanted[label] += sum
	}
}

// rows returns how many extra rows, or how much weight, the plan has in all. Classes are summed in order.
func (t *totals) rows(o SampleOptions, samples int64) float64 {
	sum := 0.0
	for _, label := range slices.Sorted(maps.Keys(t.wanted)) {
		sum += t.wanted[label]
	}
	if o.Budget > 0 && (sum > 0 || o.Control.drawn()) {
		sum = o.Budget * float64(samples)
	}
	if o.Weights && !o.Control.drawn() {
		return sum
	}
	return math.Floor(sum + tolerance)
}

// rate scales the copies of a class: by systematic sampling, in which the sum of what is taken after any number of samples
// is within one of the sum of what they want times the scale. A random phase makes the expected number of copies of every
// sample exactly its share (W. G. Madow, On the theory of systematic sampling II, Annals of Mathematical Statistics 20, 1949).
type rate struct {
	scale, carry float64
}

// take returns the number of rows in place of k copies.
func (r *rate) take(k float64) int64 {
	r.carry += k * r.scale
	whole := math.Floor(r.carry)
	r.carry -= whole
	return int64(whole)
}

// rates returns how each class is scaled so that all together have extra rows.
func (t *totals) rates(o SampleOptions, extra float64) map[int32]*rate {
	random := rng.Stream(o.Seed, "resample", "sample", o.Epoch, "phase")
	out := map[int32]*rate{}
	labels := slices.Sorted(maps.Keys(t.wanted))
	sum := 0.0
	for _, label := range labels {
		sum += t.wanted[label]
	}
	phase := random.Float64()
	for _, label := range labels {
		scale := extra / sum
		if o.Balance {
			scale = extra / float64(len(labels)) / t.wanted[label]
			phase = random.Float64()
		}
		out[label] = &rate{scale: scale, carry: phase}
	}
	if !o.Balance { // all classes share one: whatever the classes, the same rows
		shared := &rate{scale: extra / sum, carry: phase}
		for _, label := range labels {
			out[label] = shared
		}
	}
	return out
}
