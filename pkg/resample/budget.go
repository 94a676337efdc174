package resample

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"

	"mmtools/pkg/modality"
	"mmtools/pkg/rng"
)

// totals is how many extra rows, or how much weight, is wanted, by class, -1 for labels that are not known, and modality.
type totals struct {
	wanted map[int32][]float64 // (n) each
}

func newTotals() *totals { return &totals{wanted: map[int32][]float64{}} }

func (t *totals) add(label int32, _ modality.Coalition, amounts []float64) {
	of := t.wanted[label]
	for p, a := range amounts {
		if a > 0 && of == nil {
			of = make([]float64, len(amounts))
			t.wanted[label] = of
		}
		if a > 0 {
			of[p] += a
		}
	}
}

// classes returns those that want something, in order: sums of floats depend on it.
func (t *totals) classes() []int32 { return slices.Sorted(maps.Keys(t.wanted)) }

func sum(x []float64) float64 {
	total := 0.0
	for _, v := range x {
		total += v
	}
	return total
}

func (t *totals) sum() float64 {
	total := 0.0
	for _, label := range t.classes() {
		total += sum(t.wanted[label])
	}
	return total
}

// rows returns how many extra rows, or how much weight, the plan has in all.
func (t *totals) rows(o SampleOptions, samples int64) float64 {
	total := t.sum()
	if o.Budget > 0 && (total > 0 || o.Control.drawn()) {
		total = o.Budget * float64(samples)
	}
	if o.Weights && !o.Control.drawn() {
		return total
	}
	return math.Floor(total + tolerance)
}

// rate scales the copies for a modality: by systematic sampling, in which the sum of what is taken after any number of samples
// is within one of the sum of what they want times the scale. A random phase makes the expected number of copies of every
// sample exactly its share (W. G. Madow, On the theory of systematic sampling II, Annals of Mathematical Statistics 20, 1949).
// Every modality has a rate of its own: one for all of them would give all rows to one where samples want them in step.
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

// rates returns how each modality, (n), of each class is scaled so that all together have extra rows.
func (t *totals) rates(o SampleOptions, extra float64) map[int32][]*rate {
	random := rng.Stream(o.Seed, "resample", "sample", o.Epoch, "phase")
	at := random.Float64()
	out := map[int32][]*rate{}
	labels := t.classes()
	if o.Balance {
		for _, label := range labels {
			wanted := t.wanted[label]
			out[label] = phases(wanted, extra/float64(len(labels))/sum(wanted), &at, random)
		}
		return out
	}
	var all []float64 // the classes share rates: whatever the classes, the same rows
	for _, label := range labels {
		if all == nil {
			all = make([]float64, len(t.wanted[label]))
		}
		for p, w := range t.wanted[label] {
			all[p] += w
		}
	}
	shared := phases(all, extra/t.sum(), &at, random)
	for _, label := range labels {
		out[label] = shared
	}
	return out
}

// phases returns rates for what the modalities want in all. What each takes in the end is a whole number near its share, and these
// are drawn together, by systematic sampling again, from at on, so that they sum to what all take; the phase of each is then
// drawn among those that end there, which makes it uniform.
func phases(wanted []float64, scale float64, at *float64, random *rand.Rand) []*rate {
	rates := make([]*rate, len(wanted))
	for p, w := range wanted {
		before := math.Floor(*at)
		*at += w * scale
		whole, part := math.Modf(w * scale)
		carry := random.Float64() * (1 - part)
		if math.Floor(*at)-before > whole {
			carry = 1 - part + random.Float64()*part
		}
		rates[p] = &rate{scale: scale, carry: carry}
	}
	return rates
}
